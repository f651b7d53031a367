package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * Sends the markers of one window: makes the request, has it delivered and queues markers that were not delivered. Both steps send through here.
 *
 * Only an abort leaves this class. The settings are read once, so a window's stop goes where its start went, or nowhere as
 * its start did. A marker is a map: `state`, `timestampMs`, `window`, and `body`, `deployment`, `afterAbort` if they apply.
 */
class Sender implements Serializable {

    private static final long serialVersionUID = 1L

    /** How the messages of interruptions end that are not aborts: an agent is gone, a `build` step's job has failed. The engine knows them too. */
    private static final List<String> SYSTEM_INTERRUPTIONS = [
        'Agent was removed', 'Timeout waiting for agent to come back', '(propagate: false to ignore)',
    ]

    private final Object script
    private final String step
    private final PendingMarkers pendingMarkers
    private Map settings
    /** Pending markers of this window. In the program's state, so a controller restart keeps them. */
    private List<Map> ofThisWindow = []
    /** What `ofThisWindow` was before the marker whose sending an abort has cut off; null if none was. */
    private List<Map> beforeAbort = null
    /** The last marker need not be sent again: the engine had answered before an abort came, and none of it is pending. */
    private boolean settled = false
    /** How a message calls the marker that is to be sent, and its request; null as soon as there is an answer. */
    private String cutOff = null
    private String expected = null
    /** The id of the window that it ends. */
    private String expectedStop = null
    /** The environment may be another one than that of `prepare`. */
    private boolean mayDiffer = false

    Sender(Object script, String step) {
        this.script = script
        this.step = step
        this.pendingMarkers = new PendingMarkers(script)
    }

    /** Fixes what the window's markers say and where they go. `pinned`: what a manual window began with, or null. `opens`: it begins here. */
    @NonCPS
    void prepare(Map options, Map pinned = null, boolean opens = true) {
        mayDiffer = pinned != null
        try {
            settings = Settings.read(script, options, pinned, opens)
        } catch (Throwable failure) { // said by send: Last9 never fails a deployment, not even by a mistake of ours
            settings = [seconds: 10, environment: [:], defect: failure.message ?: 'the settings cannot be read']
        }
    }

    /** What of the settings a window must keep so that its stop goes where its start went. */
    @NonCPS
    Map pinned() {
        return [environment: settings.environment, config: settings.config]
    }

    @NonCPS
    boolean failsOnError() {
        return settings.failOnError
    }

    @NonCPS
    boolean isDryRun() {
        return settings.dryRun
    }

    /** That marker will be sent now: no abort from here on loses it. @NonCPS, so that none interrupts this. */
    @NonCPS
    void expect(Map marker) {
        settled = false
        cutOff = subject(marker)
        expectedStop = stopOf(marker)
        try {
            expected = request(marker)
        } catch (Throwable ignored) { // said by send
            expected = null
        }
    }

    /** Whether a stop after an interruption with that message must be short: a person is waiting. */
    @NonCPS
    static boolean isAbort(String interruption) {
        for (String end in SYSTEM_INTERRUPTIONS) {
            if (interruption?.endsWith(end)) {
                return false
            }
        }
        return true
    }

    /**
     * Sends one marker: returns the answer (`delivered`, `accepted`, `deploymentId`, `warnings`, `failBuild`).
     * An abort on the way is thrown on; the marker is then pending, because Last9 may or may not have it.
     */
    Map send(Map marker) {
        List<Map> before = ofThisWindow
        List<Map> shared = []
        String asked = null
        Map earlier = [:]
        Map answer = null
        EngineClient engine = null
        boolean cut = false
        try {
            if (expected == null) {
                expect(marker)
            }
            shared = pendingMarkers.take()
            asked = expected ?: request(marker)
            earlier = new BuildRecord(script).before(marker, settings)
            engine = client(marker, Json.with(asked, earlier + pending(before + shared)))
            answer = engine.runEngine()
        } catch (FlowInterruptedException abort) {
            cut = true
            answer = engine?.lateAnswer()
            throw abort
        } catch (Throwable defect) { // Last9 never fails a deployment, not even by a mistake of ours
            answer = client(marker, '').undelivered(
                "${subject(marker)} was not sent: ${settings.defect ?: defect.message}. Please report this to the library's maintainers")
        } finally {
            keep(marker, before, shared, asked, earlier, answer, cut)
        }
        if (answer.closeWith) { // through a var, as Launcher's byCurl
            script.last9CloseLeftOpen(this, asked, earlier, answer)
        }
        // The engine has judged by itself, a dry run for example.
        if (answer.pending == null && !answer.delivered && !answer.failBuild && settings.failOnError) {
            answer.failBuild = (answer.warnings ?: ['the deployment marker was not delivered'])[0]
        }
        return answer
    }

    /**
     * One more try with a stop whose sending was interrupted, a shorter one after an abort; none if the engine had answered before it. For the
     * caller's catch block, and not a part of send: an abort may come at the entry of any method, this class's own included, so the caller
     * must hold the try.
     */
    void retryAfterAbort(Map marker, FlowInterruptedException interruption) {
        if (settled) {
            return
        }
        if (beforeAbort != null) { // else the abort came before anything was kept
            ofThisWindow = beforeAbort // the second try is the same marker: it must not go out twice
            beforeAbort = null
        }
        send(marker + [afterAbort: isAbort(interruption.message)])
    }

    /** Fails the build if `failOnError` asks for it. */
    void failIfAsked(Map answer) {
        if (answer.failBuild) {
            script.error("[Last9] ${answer.failBuild}".toString())
        }
    }

    /**
     * The window has ended: what it could not deliver goes out with the build's next marker. Returns what is to be said of a marker that an abort has
     * cut off, or null. @NonCPS, so that no abort interrupts this.
     */
    @NonCPS
    String release() {
        boolean unsent = cutOff != null && beforeAbort == null && expected != null // the abort came before it was even tried
        pendingMarkers.keep(unsent ? ofThisWindow + [[text: expected, failures: 0, stops: expectedStop]] : ofThisWindow)
        ofThisWindow = []
        String cut = cutOff
        cutOff = null
        return cut == null ? null : "[Last9] WARNING: ${cut} was cut off by an abort, so it is not known whether Last9 has it. ".toString() +
            'It is queued and will be sent with this build\'s next marker. If none succeeds, it may be lost'
    }

    /** The request as the contract has it, without what is pending and without what a node adds. */
    @NonCPS
    String request(Map marker) {
        Map request = [contract: 2, step: step, timestampMs: marker.timestampMs, credential: settings.credential, build: BuildFacts.build(script)]
        for (String name in ['window', 'body']) {
            if (marker[name]) {
                request[name] = marker[name]
            }
        }
        if (settings.profile) {
            request.profile = settings.profile
        }
        if (settings.oddVariables) {
            request.environment = settings.oddVariables
        }
        String json = Json.withText(JsonOutput.toJson(request), 'options', options(marker))
        String configured = settings.config ? Json.withText(json, 'config', (String) settings.config) : json
        return configured.substring(0, configured.length() - 1) + ',' + BuildFacts.parameters(script).substring(1)
    }

    /** The call for that request. `more` replaces what a marker needs; `needsToken` says whether one is bound, else a dry run decides. */
    @NonCPS
    EngineClient client(Map marker, String request, Map more = [:]) {
        boolean needsToken = more.needsToken == null ? !settings.dryRun : more.needsToken
        return new EngineClient(script, [
            request: request, seconds: settings.seconds, afterAbort: marker.afterAbort == true, environment: mayDiffer ? settings.environment : [:],
            credentialId: needsToken ? settings.credential?.value : null, agentLabel: settings.agentLabel, subject: subject(marker),
            label: 'Last9 deployment marker', unanswered: 'it is not known whether Last9 has this marker', beginning: '[Last9] WARNING: ',
            consequence: '. The marker is queued and will be sent with this build\'s next marker. If none succeeds, it is lost',
        ] + more)
    }

    /** What the block learned on its way goes out with its stop. */
    @NonCPS
    private String options(Map marker) {
        String options = settings.options
        if (marker.deployment?.isChanged()) {
            options = Json.with(options, marker.deployment.over(Json.object(options)))
        }
        return step == 'withLast9Deployment' ? Json.with(options, [eventState: marker.state]) : options
    }

    @NonCPS
    private String subject(Map marker) {
        String what = "${marker.state ?: 'deployment'} marker of ${settings.service ?: 'an unnamed service'}".toString()
        return "the ${what} (${settings.eventName ?: 'deployment'})".toString()
    }

    /** As the contract has them. */
    @NonCPS
    private static Map pending(List<Map> markers) {
        List<Map> pending = []
        for (Map marker in markers) {
            pending.add([text: marker.text, failures: marker.failures])
        }
        return pending ? [pending: pending] : [:]
    }

    /** The id of the window that a marker ends, or null. */
    @NonCPS
    private static String stopOf(Map marker) {
        return marker.state == 'start' ? null : marker.window?.id
    }

    /** The ids of the windows whose stop was among these markers, and is not among those that are left. */
    @NonCPS
    private static List<String> settledStops(List<Map> all, List<Map> left, String own) {
        List<String> ids = own ? [own] : []
        for (Map marker in all) {
            boolean stays = false
            for (Map each in left) {
                stays = stays || each.text == marker.text
            }
            if (marker.stops && !stays) {
                ids.add(marker.stops)
            }
        }
        return ids
    }

    /**
     * Sorts the markers that are still pending: this window's own stay here, others go back. Without an answer all that is known of a marker is
     * what was asked for. @NonCPS, because an abort in between would lose them.
     */
    @NonCPS
    private void keep(Map marker, List<Map> before, List<Map> shared, String asked, Map earlier, Map answer, boolean cut) {
        List<Map> own = []
        List<Map> others = []
        String stop = stopOf(marker)
        Map asKept = [text: answer?.pending?.own ?: asked, failures: 0, stops: stop]
        boolean isSettled = false
        if (answer?.pending instanceof Map) {
            List<Map> all = before + shared
            for (List entry in answer.pending.kept) {
                int index = entry[0]
                if (index >= 0 && index < all.size()) {
                    (index < before.size() ? own : others).add(all[index] + [failures: entry[1]])
                }
            }
            isSettled = !answer.pending.own
            if (cut) {
                beforeAbort = [] + own
            }
            if (!isSettled) {
                own.add(asKept)
            }
        } else {
            beforeAbort = cut ? before : null
            own.addAll(asked ? before + [asKept] : before)
            others.addAll(shared)
        }
        List<String> stopped = settledStops(before + shared, own + others, isSettled ? stop : null)
        new BuildRecord(script).after(marker, settings, earlier, answer, stopped, isSettled ? null : stop)
        new Records(script).add(answer?.pending == null ? (asked ? [asked] : null) : answer.records)
        settled = isSettled
        ofThisWindow = own
        pendingMarkers.keep(others)
        mayDiffer = true
        if (answer != null) {
            cutOff = null
            expected = null
        }
    }

}
