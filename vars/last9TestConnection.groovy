import org.last9.ConnectionTest

/** Tests the connection to Last9: see last9TestConnection.txt. */
Map call(Object... args) {
    return new ConnectionTest(this).run(args)
}
