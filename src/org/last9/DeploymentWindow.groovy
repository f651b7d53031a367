package org.last9

import com.cloudbees.groovy.cps.NonCPS
import org.codehaus.groovy.runtime.MethodClosure
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * `withLast9Deployment`: start, body, stop in every case. One object for each window.
 *
 * While the body runs, Jenkins saves all that `around` holds with the program, including its code: so that method is short, and what it
 * needs to know is in fields and @NonCPS methods (under 4 kB per window, checked by CostTest).
 */
class DeploymentWindow implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String STEP = 'withLast9Deployment'

    private final Object script
    private final Sender sender
    private final FailedBlockCount failures
    private Deployment deployment
    private Map window
    /** How the body ended, as the contract has it. */
    private final Map ended = [ended: 'interrupted']
    private int failuresBefore
    /** The start marker is on its way or delivered, so there must be a stop. */
    private boolean begun = false
    private Map stop

    DeploymentWindow(Object script) {
        this.script = script
        this.sender = new Sender(script, STEP)
        this.failures = new FailedBlockCount(script)
    }

    /**
     * Returns what the body returns and throws what the body throws. After an abort during the start marker the body does not run,
     * but the stop still goes out: the start may have arrived. `failOnError` throws if a marker was not delivered; the body's own error wins.
     *
     * Jenkins throws an abort into running Groovy too, at the entry of any method that is not @NonCPS. So from the end of the body to
     * the `try` around the stop nothing but @NonCPS methods is called.
     */
    @SuppressWarnings('ThrowExceptionFromFinallyBlock') // an abort during the stop goes on; in a method of its own, the try came too late
    Object around(Object[] args) {
        try {
            start(args)
            Closure body = Options.block(args)
            Object value = body == null ? nothingToRun() : body instanceof MethodClosure ? body.call() : body.call(deployment)
            ended.ended = 'returned'
            return value
        } catch (Throwable thrown) { // assert and unknown steps are Errors: the outcome depends on them, too
            note(thrown)
            throw thrown
        } finally {
            if (prepareStop()) {
                try {
                    sendStop()
                } catch (FlowInterruptedException abort) {
                    sender.retryAfterAbort(stop, abort)
                    throw abort
                } finally {
                    String cutOff = sender.release()
                    if (cutOff) {
                        script.echo(cutOff)
                    }
                }
            }
        }
    }

    private void start(Object[] args) {
        long now = System.currentTimeMillis()
        window = [id: UUID.randomUUID().toString(), startedAtMs: now]
        deployment = new Deployment(window.id)
        failuresBefore = failures.count()
        ended.resultBefore = BuildFacts.result(script)
        prepare(Options.read(script, STEP, args))
        begun = true
        Map answer = sender.send([state: 'start', timestampMs: now, window: window])
        begun = answer.accepted // a window that the engine refused has no stop: the start's warning said it all
        sender.failIfAsked(answer)
    }

    /** The library says what a marker of a block is; an `eventState` of the user's would say it twice. */
    @NonCPS
    private void prepare(Map options) {
        Map kept = options
        if (options.containsKey('eventState')) {
            kept = [:] + options
            kept.remove('eventState')
        }
        sender.prepare(kept)
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
    private boolean prepareStop() {
        ended.resultAfter = BuildFacts.result(script)
        ended.failedElsewhere = failures.count() > failuresBefore
        boolean aborted = ended.ended == 'interrupted' && Sender.isAbort((String) ended.message)
        stop = [state: 'stop', timestampMs: System.currentTimeMillis(), window: window, body: ended, deployment: deployment, afterAbort: aborted]
        if (begun) {
            sender.expect(stop)
        }
        return begun
    }

    /** An exception that leaves a `finally` replaces the body's without a trace: so `failOnError` throws only after a body without an error. */
    private void sendStop() {
        for (String problem in deployment.problems()) {
            script.echo("[Last9] WARNING: ${problem}".toString())
        }
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
