package org.last9

import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** `withLast9Deployment`: start, body, stop in every case. */
class DeploymentWindow implements Serializable {

    private static final long serialVersionUID = 1L

    private final Object script
    private final Sender sender

    DeploymentWindow(Object script) {
        this.script = script
        this.sender = new Sender(script, 'withLast9Deployment')
    }

    /**
     * Returns what the body returns and throws what the body throws. After an abort during the start marker the body does not run,
     * but the stop still goes out: the start may have arrived. `failOnError` throws where a marker was not delivered; the body's own error wins.
     */
    Object around(Object given, Closure body) {
        long startedAtMs = System.currentTimeMillis()
        Map window = [id: UUID.randomUUID().toString(), startedAtMs: startedAtMs]
        Map options = [:]
        Map ended = [ended: 'interrupted', resultBefore: new BuildFacts(script).result()]
        boolean threw = true
        boolean accepted = true
        Object value = null
        try {
            options = read(given)
            Map answer = sender.send(new Marker(options + [eventState: 'start'], window, startedAtMs))
            accepted = answer.accepted
            failIfAsked(answer)
            value = body == null ? nothingToRun() : body.call()
            threw = false
            ended.ended = 'returned'
        } catch (FlowInterruptedException interruption) {
            ended.message = interruption.message
            throw interruption
        } catch (Throwable thrown) { // assert and unknown steps are Errors: whoever judges the outcome must see them, too
            ended.ended = 'threw'
            throw thrown
        } finally {
            ended.resultAfter = new BuildFacts(script).result()
            if (accepted) { // a window that the engine refused has no stop: the start's warning said it all
                stop(new Marker(options + [eventState: 'stop'], window, System.currentTimeMillis(), ended), threw)
            }
        }
        return value
    }

    /** An exception that leaves a `finally` replaces the body's without a trace: only an abort or `failOnError` after a good body may. */
    private void stop(Marker marker, boolean threw) {
        try {
            boolean hurry = marker.body.ended == 'interrupted'
            Map answer = sender.insist(hurry ? marker.within(Sender.SECONDS_AFTER_ABORT) : marker)
            if (!threw) {
                failIfAsked(answer)
            }
        } finally {
            sender.handOver()
        }
    }

    private Map read(Object given) {
        if (!(given instanceof Map)) {
            script.echo('[Last9] WARNING: withLast9Deployment takes named options, as in withLast9Deployment(serviceName: \'payments-api\') { … }')
        }
        return Options.plain(given)
    }

    private Object nothingToRun() {
        script.echo('[Last9] WARNING: withLast9Deployment has no block, so its window is empty. Put the deployment\'s steps between { and }')
        return null
    }

    private void failIfAsked(Map answer) {
        if (answer.failBuild) {
            script.error("[Last9] ${answer.failBuild}".toString())
        }
    }

}
