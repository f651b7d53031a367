package org.last9

import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** `last9DeploymentMarker`: one marker; a start and a later stop of the same service, environment and event name are one window. */
class ManualMarker implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String STEP = 'last9DeploymentMarker'

    private final Object script

    ManualMarker(Object script) {
        this.script = script
    }

    /** Sends it and returns `[delivered:, deploymentId:, warnings:]`. Throws an abort, and with `failOnError` an error. */
    Map send(Object[] args) {
        long now = System.currentTimeMillis()
        Sender sender = new Sender(script, STEP)
        Map marker = OpenWindows.marker(script, sender, Options.readWithoutBlock(script, STEP, args), now)
        Map answer = null
        try {
            answer = sender.send(marker)
        } catch (FlowInterruptedException abort) {
            if (marker.state == 'stop') {
                sender.retryAfterAbort(marker, abort)
            }
            throw abort
        } finally {
            String cutOff = sender.release()
            if (cutOff) {
                script.echo(cutOff)
            }
        }
        if (marker.state == 'start' && !answer.accepted) {
            new OpenWindows(script).forget(marker.window)
        }
        sender.failIfAsked(answer)
        Object id = answer.deploymentId ?: (answer.accepted ? marker.window?.id : null)
        return [delivered: answer.delivered, deploymentId: id, warnings: answer.warnings]
    }

}
