package org.last9

import com.cloudbees.groovy.cps.NonCPS
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
        Map marker = prepare(sender, Options.readWithoutBlock(script, STEP, args), now)
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

    /**
     * The marker that these options ask for, with its window, and the sender prepared for it. What else `eventState` may say the engine judges.
     * @NonCPS: no other branch comes in between, so each of parallel stops closes a window of its own.
     */
    @NonCPS
    private Map prepare(Sender sender, Map options, long now) {
        OpenWindows windows = new OpenWindows(script)
        if ('start'.equalsIgnoreCase(Options.trimmed(options.eventState))) {
            sender.prepare(options)
            return [state: 'start', timestampMs: now, window: windows.open(options, now, sender.pinned()), key: OpenWindows.key(options)]
        }
        Map opened = windows.close(options)
        sender.prepare(options, opened?.settings, false)
        Map<String, Object> window = opened ? opened.window : new BuildRecord(script).adopt(options, sender.isDryRun())
        return [state: 'stop', timestampMs: now, window: window]
    }

}
