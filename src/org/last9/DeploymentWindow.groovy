package org.last9

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * `withLast9Deployment`: start, body, stop in every case. One object for each window.
 *
 * While the body runs, Jenkins saves with the program whatever `around` holds, its code included: so that method is short, and what it
 * needs to know is in fields and @NonCPS methods (under 4 kB a window, held by CostTest).
 */
class DeploymentWindow implements Serializable {

    private static final long serialVersionUID = 1L

    private final Object script
    private final Sender sender
    private final FailedWindows failures
    private Map options = [:]
    private Map window
    /** How the body ended, as the contract has it. */
    private final Map ended = [ended: 'interrupted']
    private int failuresBefore
    /** The start marker is on its way or delivered, so there must be a stop. */
    private boolean begun = false
    private Marker stop

    DeploymentWindow(Object script) {
        this.script = script
        this.sender = new Sender(script, 'withLast9Deployment')
        this.failures = new FailedWindows(script)
    }

    /**
     * Returns what the body returns and throws what the body throws. After an abort during the start marker the body does not run,
     * but the stop still goes out: the start may have arrived. `failOnError` throws where a marker was not delivered; the body's own error wins.
     *
     * Jenkins throws an abort into running Groovy too, at the entry of any method that is not @NonCPS. So from the end of the body to
     * the `try` around the stop nothing but @NonCPS methods is called.
     */
    @SuppressWarnings('ThrowExceptionFromFinallyBlock') // an abort during the stop goes on; in a method of its own, the try came too late
    Object around(Object[] given) {
        try {
            start(given)
            Closure body = Options.block(given)
            Object value = body == null ? nothingToRun() : body.call()
            ended.ended = 'returned'
            return value
        } catch (Throwable thrown) { // assert and unknown steps are Errors: whoever judges the outcome must see them, too
            note(thrown)
            throw thrown
        } finally {
            if (hasStop()) {
                try {
                    sendStop()
                } catch (FlowInterruptedException abort) {
                    sender.again(stop, abort)
                    throw abort
                } finally {
                    sender.handOver()
                }
            }
        }
    }

    private void start(Object[] given) {
        long now = System.currentTimeMillis()
        window = [id: UUID.randomUUID().toString(), startedAtMs: now]
        failuresBefore = failures.count()
        ended.resultBefore = new BuildFacts(script).result()
        options = Options.named(script, 'withLast9Deployment', given)
        begun = true
        Map answer = sender.send(new Marker(options + [eventState: 'start'], window, now))
        begun = answer.accepted // a window that the engine refused has no stop: the start's warning said it all
        sender.failIfAsked(answer)
    }

    @NonCPS
    private void note(Throwable thrown) {
        if (thrown instanceof FlowInterruptedException) {
            ended.message = thrown.message
        } else {
            ended.ended = 'threw'
            failures.add()
        }
    }

    /** Fixes what the stop says, and when. */
    @NonCPS
    private boolean hasStop() {
        ended.resultAfter = new BuildFacts(script).result()
        ended.failedElsewhere = failures.count() > failuresBefore
        Integer budget = ended.ended == 'interrupted' ? Sender.secondsAfter((String) ended.message) : null
        stop = new Marker(options + [eventState: 'stop'], window, System.currentTimeMillis(), ended, budget)
        return begun
    }

    /** An exception that leaves a `finally` replaces the body's without a trace: so `failOnError` speaks only after a good body. */
    private void sendStop() {
        Map answer = sender.send(stop)
        if (ended.ended == 'returned') {
            sender.failIfAsked(answer)
        }
    }

    private Object nothingToRun() {
        script.echo('[Last9] WARNING: withLast9Deployment has no block, so its window is empty. Put the deployment\'s steps between { and }')
        return null
    }

}
