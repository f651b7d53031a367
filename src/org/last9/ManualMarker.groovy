package org.last9

import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** `last9DeploymentMarker`: one marker; a start and a later stop of the same service, environment and event name are one window. */
class ManualMarker implements Serializable {

    private static final long serialVersionUID = 1L

    private final Object script

    ManualMarker(Object script) {
        this.script = script
    }

    /** Sends it and returns `[delivered:, deploymentId:, warnings:]`. Throws an abort, and with `failOnError` an error. */
    Map send(Object[] given) {
        long now = System.currentTimeMillis()
        Map options = Options.alone(script, 'last9DeploymentMarker', given)
        OpenWindows windows = new OpenWindows(script)
        Sender sender = new Sender(script, 'last9DeploymentMarker')
        boolean start = OpenWindows.isStart(options)
        Map window = start ? windows.open(options, now) : windows.close(options)
        Marker marker = new Marker(options, window, now)
        Map answer = null
        try {
            answer = sender.send(marker)
        } catch (FlowInterruptedException abort) {
            if (!start) {
                sender.again(marker, abort)
            }
            throw abort
        } finally {
            sender.handOver()
        }
        if (start && !answer.accepted) {
            windows.forget(window)
        }
        sender.failIfAsked(answer)
        return [delivered: answer.delivered, deploymentId: answer.deploymentId, warnings: answer.warnings]
    }

}
