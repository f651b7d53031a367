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
     *
     * Jenkins throws an abort into running Groovy too, at the entry of any method that is not @NonCPS. So from the end of the body to
     * the `try` around the stop nothing but @NonCPS methods and constructors is called.
     */
    @SuppressWarnings('ThrowExceptionFromFinallyBlock') // an abort during the stop goes on; in a method of its own, the try came too late
    Object around(Object given, Closure body) {
        long startedAtMs = System.currentTimeMillis()
        Map window = [id: UUID.randomUUID().toString(), startedAtMs: startedAtMs]
        Map options = [:]
        Map ended = [ended: 'interrupted']
        BuildFacts facts = new BuildFacts(script)
        FailedWindows failures = new FailedWindows(script)
        int failuresBefore = failures.count()
        boolean threw = true
        boolean begun = false
        Object value = null
        try {
            ended.resultBefore = facts.result()
            options = Options.named(script, 'withLast9Deployment', given)
            begun = true
            Map answer = sender.send(new Marker(options + [eventState: 'start'], window, startedAtMs))
            begun = answer.accepted
            sender.failIfAsked(answer)
            value = body == null ? nothingToRun() : body.call()
            threw = false
            ended.ended = 'returned'
        } catch (FlowInterruptedException interruption) {
            ended.message = interruption.message
            throw interruption
        } catch (Throwable thrown) { // assert and unknown steps are Errors: whoever judges the outcome must see them, too
            ended.ended = 'threw'
            failures.add()
            throw thrown
        } finally {
            ended.resultAfter = facts.result()
            ended.failedElsewhere = failures.count() > failuresBefore
            if (begun) { // a window that the engine refused has no stop: the start's warning said it all
                Integer budget = ended.ended == 'interrupted' ? Sender.SECONDS_AFTER_ABORT : null
                Marker marker = new Marker(options + [eventState: 'stop'], window, System.currentTimeMillis(), ended, budget)
                Map answer = null
                try {
                    answer = sender.send(marker)
                } catch (FlowInterruptedException abort) {
                    sender.again(marker)
                    throw abort
                } finally {
                    sender.handOver()
                }
                if (!threw) { // an exception that leaves a `finally` replaces the body's without a trace
                    sender.failIfAsked(answer)
                }
            }
        }
        return value
    }

    private Object nothingToRun() {
        script.echo('[Last9] WARNING: withLast9Deployment has no block, so its window is empty. Put the deployment\'s steps between { and }')
        return null
    }

}
