import org.last9.DeploymentWindow

/** A deployment window around a block: see withLast9Deployment.txt. */
Object call(Object options = [:], Closure body = null) {
    return new DeploymentWindow(this).around(options, body)
}

/** `withLast9Deployment { }`: the options come from last9Config and LAST9_* alone. */
Object call(Closure body) {
    return new DeploymentWindow(this).around([:], body)
}
