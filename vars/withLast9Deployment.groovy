import org.last9.DeploymentWindow

/** A deployment window around a block: see withLast9Deployment.txt. A call with any arguments arrives here, so that the block runs. */
Object call(Object... args) {
    return new DeploymentWindow(this).around(args)
}
