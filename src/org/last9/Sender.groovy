package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * Sends the markers of one window: makes the request, has it delivered and keeps what Last9 did not get. Both steps send through here.
 *
 * Nothing but an abort leaves this class. The connection is resolved once, so a window's stop goes where its start went, or nowhere as
 * its start did.
 */
class Sender implements Serializable {

    private static final long serialVersionUID = 1L

    /** What a marker may take once the build is being aborted: the person who pressed stop is waiting. */
    private static final int SECONDS_AFTER_ABORT = 5
    /** How the messages of interruptions end that nobody asked for: an agent is gone, a `build` step's job has failed. The engine knows them too. */
    private static final List<String> NOBODYS_WISH = ['Agent was removed', 'Timeout waiting for agent to come back', '(propagate: false to ignore)']

    private final Object script
    private final String step
    private final Undelivered undelivered
    private Map defaults
    private Map connection
    private String dryRun
    /** Undelivered markers of this window. In the program's state, so a controller restart keeps them. */
    private List<String> own = []
    /** What `own` was before the marker whose sending an abort has cut off; null when none was. */
    private List<String> beforeAbort = null

    Sender(Object script, String step) {
        this.script = script
        this.step = step
        this.undelivered = new Undelivered(script)
    }

    /** The time limit of a stop after an interruption with that message; null for the usual one. */
    @NonCPS
    static Integer secondsAfter(String interruption) {
        for (String end in NOBODYS_WISH) {
            if (interruption?.endsWith(end)) {
                return null
            }
        }
        return SECONDS_AFTER_ABORT
    }

    /**
     * Sends one marker: returns the answer (`delivered`, `accepted`, `deploymentId`, `warnings`, `failBuild`).
     * An abort on the way is thrown on; the marker then counts as undelivered, since Last9 may or may not have it.
     */
    Map send(Marker marker) {
        List<String> before = own
        List<String> shared = []
        List<String> kept = before
        String asked = null
        Map answer = null
        try {
            shared = undelivered.take()
            kept = before + shared
            Map request = request(marker)
            asked = JsonOutput.toJson(request)
            kept = kept + [asked]
            answer = new Courier(script).deliver(request + [pending: before + shared])
            kept = answer.pending == null ? kept : answer.pending
        } catch (FlowInterruptedException abort) {
            beforeAbort = before
            throw abort
        } catch (Throwable defect) { // Last9 never fails a deployment, not even by a mistake of ours
            answer = new Courier(script).undelivered(
                "the deployment marker was not sent: ${defect.message}. Please report this to the library's maintainers")
        } finally {
            settle(kept, shared)
            // without an answer all that is known of the marker is what was asked for
            new Records(script).add(answer?.pending == null && asked ? [asked] : answer?.records)
        }
        // The engine has judged by itself: a dry run delivers nothing, and that is no failure.
        boolean judged = answer.pending == null && !answer.delivered && !answer.failBuild
        if (judged && Options.isTrue(marker.options.failOnError ?: defaults?.failOnError)) {
            answer.failBuild = (answer.warnings ?: ['the deployment marker was not delivered'])[0]
        }
        return answer
    }

    /**
     * One more try with a stop whose sending was interrupted, a shorter one after an abort. For the caller's catch block, and not a part of send:
     * an abort may strike at the entry of any method, this class's own included, so the caller must hold the try.
     */
    void again(Marker marker, FlowInterruptedException interruption) {
        if (beforeAbort != null) { // else the abort came before anything was kept
            own = beforeAbort // the second try is the same marker: it must not go out twice
            beforeAbort = null
        }
        send(marker.within(secondsAfter(interruption.message)))
    }

    /** Fails the build where `failOnError` asks for it. */
    void failIfAsked(Map answer) {
        if (answer.failBuild) {
            script.error("[Last9] ${answer.failBuild}".toString())
        }
    }

    /** The window has ended: what it could not deliver goes out with the build's next marker. @NonCPS, so that no abort strikes here. */
    @NonCPS
    void handOver() {
        if (own) {
            undelivered.keep(own)
            own = []
        }
    }

    /** The request as the contract has it, without what is pending. */
    Map request(Marker marker) {
        if (connection == null) {
            defaults = new BuildDefaults(script).read()
            connection = new Connection(script, marker.options, defaults).resolve()
            dryRun = marker.options.dryRun ?: defaults.dryRun ?: script.env.LAST9_DRY_RUN ?: 'false'
        }
        BuildFacts facts = new BuildFacts(script)
        Map options = Connection.without(defaults + marker.options)
        options.dryRun = dryRun
        List<String> parameterNames = Options.names(options.remove('paramAllowlist') ?: script.env.LAST9_PARAM_ALLOWLIST)
        List<String> variableNames = Options.names(options.remove('envAllowlist') ?: script.env.LAST9_ENV_ALLOWLIST)
        Map request = [
            contract: 1, step: step, timestampMs: marker.timestampMs, options: options, configured: configured(marker),
            build: facts.build(),
            secretParameters: facts.secretParameters(), parameters: facts.parameters(parameterNames),
            environmentAllowlist: variableNames,
        ] + connection
        if (marker.window) {
            request.window = marker.window
        }
        if (marker.body) {
            request.body = marker.body
        }
        if (marker.budgetSeconds) {
            request.budgetSeconds = marker.budgetSeconds
        }
        return request
    }

    /** What last9Config said and the step did not, so that a warning of a misspelt option names its place. */
    private List<String> configured(Marker marker) {
        List<String> names = []
        for (String name in Connection.without(defaults).keySet()) {
            if (!marker.options.containsKey(name)) {
                names.add(name)
            }
        }
        return names
    }

    /** @NonCPS, for an abort in between would lose them. */
    @NonCPS
    private void settle(List<String> kept, List<String> shared) {
        List<String> others = []
        own = []
        for (String marker in kept) {
            if (shared.contains(marker)) {
                others.add(marker)
            } else {
                own.add(marker)
            }
        }
        if (others) {
            undelivered.keep(others)
        }
    }

}
