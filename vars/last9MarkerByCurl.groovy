import org.last9.CurlSender

/** The library's own, for agents without Python: a var, so that only a build with such an agent compiles what it needs. */
Object call(Map call, String node) {
    return new CurlSender(this, call, node)
}
