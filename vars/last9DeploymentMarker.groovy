import org.last9.ManualMarker

/** One deployment marker: see last9DeploymentMarker.txt. */
Map call(Object options = [:]) {
    return new ManualMarker(this).send(options)
}
