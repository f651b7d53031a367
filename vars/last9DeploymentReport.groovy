import org.last9.Report

/** The build's deployments as a page, archived with it: see last9DeploymentReport.txt. */
Map call(Object... args) {
    return new Report(this).publish(args)
}
