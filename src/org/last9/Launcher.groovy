package org.last9

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * Runs the launcher on the current node: one `writeFile`, one `sh` or `bat`, one `readFile`; on a node's first run the bundle as well.
 *
 * Everything happens in its own folder: Jenkins finds the processes that an interruption ends by the current folder. So an interruption
 * of ours reaches no `sh` of the user's, and the other way round.
 * Data reaches the engine in a file only. Only a UUID made here, hashes and a number go into the launcher's text.
 */
class Launcher implements Serializable {

    private static final long serialVersionUID = 1L

    /** The exit statuses. Never 0: for Jenkins that is a success even if the step was interrupted, and the interruption is lost. */
    static final int ANSWERED = 77
    static final int NO_BUNDLE = 78
    static final int NO_INTERPRETER = 79
    /** How long an interruption waits for an agent that no longer answers. */
    private static final int LAST_LOOK_SECONDS = 2

    private final Object script
    /** As EngineClient has it, with the time limit of this run in `limit`. */
    private final Map call
    private final String node
    /** The folder of all our files on this node. */
    private final String base
    /** The node on which the launcher is running just now. */
    private String runningOn = null
    /** What the engine had answered when the run was interrupted. */
    private Map foundLate = null
    /** Sends on an agent without Python, a CurlSender; null until the first use. */
    private Object curl = null

    Launcher(Object script, Map call, String node, String base) {
        this.script = script
        this.call = call
        this.node = node
        this.base = base
    }

    /** `[status:, answer:]`; the answer is null if there is none. `afterwards` gets them while the run's folder is the current one. */
    Map runLauncher(Map place, Closure afterwards) {
        String slot = AgentMemory.takeSlot("${base}/run-${script.env.EXECUTOR_NUMBER ?: 0}-".toString())
        Map outcome = null
        try {
            script.dir(slot) {
                outcome = launch(node + ' ' + base, place)
                afterwards.call(outcome)
            }
        } finally {
            AgentMemory.giveBackSlot(slot)
        }
        return outcome
    }

    /** The engine's answer of a run that was interrupted after it; null if the engine was, too. */
    @NonCPS
    Map lateAnswer() {
        return foundLate ?: curl?.lateAnswer()
    }

    /** The node whose shell has not ended, or null. */
    @NonCPS
    String busyNode() {
        return runningOn
    }

    /** The folder of ours that belongs to the step's folder; null if no variable says. Those of a pipeline's own may have these names, too. */
    @NonCPS
    static String baseFolder(Object script, String folder) {
        String temporary = script.env.WORKSPACE_TMP
        if (isLike(folder, temporary)) {
            return temporary + '/last9'
        }
        String workspace = script.env.WORKSPACE // Jenkins before 2.222 has no WORKSPACE_TMP
        return isLike(folder, workspace) ? workspace + '@tmp/last9' : null
    }

    /**
     * Whether a step failed because the controller was restarted while it ran: `pwd`, `fileExists`, `writeFile`, `readFile` and the binding
     * of credentials are not resumed as `sh` is. By the message (workflow-step-api: until February 2025, an older one, and since then).
     */
    @NonCPS
    static boolean isCutByRestart(Exception failure) {
        String message = failure.message ?: ''
        return message.contains("doesn't support resume after a restart") || message.startsWith('Resume after a restart not supported') ||
            message.contains('cannot be resumed after a controller restart')
    }

    /** The text of an answer. If a restart cuts this off, the marker is not sent again. */
    static String read(Object script, String file) {
        try {
            return script.readFile(file: file, encoding: 'UTF-8')
        } catch (Exception failure) {
            if (!isCutByRestart(failure)) {
                throw failure
            }
            return script.readFile(file: file, encoding: 'UTF-8')
        }
    }

    /** A bundle that is missing or damaged is brought, and the request sent again at once. */
    private Map launch(String agent, Map place) {
        Map sent = AgentMemory.isServedByCurl(node) ? byCurl(null) : null
        if (sent) {
            return sent
        }
        int status = NO_BUNDLE
        String id = null
        for (int attempt = 0; status == NO_BUNDLE && attempt < 2; attempt++) {
            id = UUID.randomUUID().toString()
            script.writeFile(file: "request-${id}.json".toString(), text: request(agent, place), encoding: 'UTF-8')
            placeBundle(agent, attempt > 0)
            runningOn = node
            try {
                status = shell(id, agent)
            } catch (FlowInterruptedException interruption) {
                String late = lateText(script, "answer-${id}.json".toString())
                if (late != null) {
                    foundLate = Json.object(late)
                    remember(agent, ANSWERED, foundLate)
                }
                throw interruption
            }
            runningOn = null
        }
        boolean answered = status == ANSWERED || status == NO_INTERPRETER
        Map answer = answered ? Json.object(read(script, "answer-${id}.json".toString())) : null
        remember(agent, status, answer)
        sent = status == NO_INTERPRETER && answer?.curl ? byCurl(answer) : null
        return sent ?: [status: status, answer: answer]
    }

    /**
     * What comes of it on an agent with curl and without Python; null if the launcher must look first. `answer` is what it has said already.
     * Through a var, so that only a build with such an agent compiles what it needs.
     */
    private Map byCurl(Map answer) {
        curl = script.last9MarkerByCurl(call, node)
        runningOn = node
        Map sent = curl.send(answer)
        runningOn = null
        return sent
    }

    /**
     * The text of an answer that was written before an interruption came: between the end of a shell and Jenkins' look at it. Null if there is
     * none, or this fails: then the interruption alone decides.
     */
    static String lateText(Object script, String file) {
        String text = null
        try {
            script.timeout(time: LAST_LOOK_SECONDS, unit: 'SECONDS') {
                if (script.fileExists(file)) {
                    text = read(script, file)
                }
            }
        } catch (Exception ignored) { // the agent does not answer
            return null
        }
        return text
    }

    /** Nested calls: a variable that holds half a megabyte would be written into the program's state. */
    private void placeBundle(String agent, boolean missing) {
        if (missing || !AgentMemory.folder(agent).bundle && !script.fileExists("../last9-markers-${Bundle.SHA256}.pyz".toString())) {
            script.writeFile(file: 'incoming.pyz', encoding: 'Base64',
                text: script.libraryResource(resource: 'last9/last9-markers.pyz', encoding: 'Base64'))
        }
    }

    private int shell(String id, String agent) {
        boolean windows = isWindows(base)
        String resource = windows ? 'last9/run.bat' : 'last9/run.sh'
        if (AgentMemory.text(resource) == null) {
            AgentMemory.keepText(resource, script.libraryResource(resource: resource, encoding: 'UTF-8'))
        }
        String text = launcher(AgentMemory.text(resource), id, agent)
        if (windows) {
            // run.bat has Python write UTF-8; without a word Jenkins takes it for the encoding of the agent's Java
            return script.bat(script: text, returnStatus: true, encoding: 'UTF-8', label: call.label)
        }
        return script.sh(script: text, returnStatus: true, label: call.label)
    }

    @NonCPS
    private String launcher(String text, String id, String agent) {
        return text.replace('@REQUEST@', id).replace('@BUNDLE@', Bundle.SHA256).replace('@CODE@', AgentMemory.folder(agent).code ?: '-')
            .replace('@SECONDS@', call.limit.toString()).replace('@PYTHON@', BuildFacts.isInterpreterParameter(script) ? 'no' : 'yes')
    }

    /** The request with what this try and this node add to it. */
    @NonCPS
    private String request(String agent, Map place) {
        Map more = [nowMs: System.currentTimeMillis(), limitSeconds: call.limit] + place
        if (call.afterAbort) {
            more.afterAbort = true
        }
        Object outages = AgentMemory.folder(agent).outages
        if (outages != null) {
            more.outages = outages
        }
        return Json.with((String) call.request, more)
    }

    @NonCPS
    private static void remember(String agent, int status, Map answer) {
        Map facts = [bundle: status != NO_BUNDLE]
        Object code = answer?.code
        if (code instanceof String && code.matches('[0-9a-f]{64}')) { // it becomes part of the launcher's text
            facts.code = code
        }
        facts.outages = answer == null ? AgentMemory.folder(agent).outages : answer.outages
        AgentMemory.keepFolder(agent, facts)
    }

    /** Whether that is an absolute path, in the style of this folder's. */
    @NonCPS
    private static boolean isLike(String folder, String path) {
        return path && (isWindows(folder) ? isWindows(path) : path.startsWith('/'))
    }

    /** A drive letter, or a share. */
    @NonCPS
    private static boolean isWindows(String path) {
        return path.matches('(?s)([A-Za-z]:[\\\\/]|\\\\\\\\).*')
    }

}
