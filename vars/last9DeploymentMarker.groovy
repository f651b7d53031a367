import org.last9.ManualMarker

/** One deployment marker: see last9DeploymentMarker.txt. */
Map call(Object... args) {
    return new ManualMarker(this).send(args)
}
