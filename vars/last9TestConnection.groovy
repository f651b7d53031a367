import org.last9.ConnectionTest

/** Tests the connection to Last9: see last9TestConnection.txt. */
Map call(Object... given) {
    return new ConnectionTest(this).run(given)
}
