package org.last9

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * Runs the engine once on an agent: finds a node, binds the credential, runs the launcher there, all within a time limit.
 * Every failure is a warning in the log and an answer that says `delivered: false`.
 */
class EngineClient implements Serializable {

    private static final long serialVersionUID = 1L

    private static final String TOKEN_VARIABLE = 'LAST9_REFRESH_TOKEN'
    private static final int NOT_EXECUTABLE = 126
    private static final int NOT_FOUND = 127
    /** What a run may take once the build is being aborted: the person who pressed stop is waiting. Ends before Jenkins' look at 4.38 s. */
    private static final double SECONDS_AFTER_ABORT = 4.2
    /** The engine keeps its own limit. This much later something around it hangs: an agent that went away, a node that never comes. */
    private static final double GRACE_SECONDS = 15
    private static final double GRACE_SECONDS_AFTER_ABORT = 2
    private static final int MOST_SHOWN = 500

    private final Object script
    /**
     * `request` (JSON text), `seconds`, `moreSeconds` (for a part that has a time limit of its own), `afterAbort`, `credentialId` (null: no
     * token), `environment` (as it must be), `agentLabel`, `subject` ("the stop marker of payments-api"), `label` (of the shell step),
     * `unanswered` (what is not known then), `consequence` (of a failure, for the warning), `beginning` (of its line),
     * `goesOnWithoutCredential`.
     */
    private final Map call
    private Launcher launcher = null

    EngineClient(Object script, Map call) {
        this.script = script
        this.call = call
    }

    /**
     * Returns the engine's answer (tests/contract). Without one: `delivered: false`, the warning, and no `pending`.
     * Throws nothing but an abort of the build; a time limit of ours that runs out is none.
     * `afterwards` gets the answer while the folder of the run is still there.
     */
    Map runEngine(Closure afterwards = null) {
        int limit = limitMillis()
        long began = System.currentTimeMillis()
        long started = AgentMemory.controllerStartedAt(began)
        try {
            Map answer = null
            script.timeout(time: limit, unit: 'MILLISECONDS') {
                try {
                    answer = onNode(afterwards)
                } catch (Exception failure) {
                    if (!Launcher.isCutByRestart(failure)) {
                        throw failure
                    }
                    answer = onNode(afterwards) // the very same marker, with its own time: no harm even if the first try came through
                }
            }
            return answer
        } catch (FlowInterruptedException interruption) {
            if (!isOurs(interruption, began, limit)) {
                throw interruption
            }
            if (lateAnswer() != null) {
                return lateAnswer()
            }
            if (AgentMemory.controllerStartedAt(System.currentTimeMillis()) != started) { // it was down meanwhile, and time limits go on
                return runEngine(afterwards)
            }
            return undelivered(timedOut((int) (limit / 1000)))
        } catch (Throwable failure) { // also NoSuchMethodError: a step whose plugin is not installed
            return undelivered(explain(failure))
        }
    }

    /** What the engine had answered before an interruption came, in the form of `runEngine`; null if nothing. */
    @NonCPS
    Map lateAnswer() {
        Map answer = launcher?.lateAnswer()
        return answer?.last9Answer == 2 ? complete(answer) : null
    }

    /** Warns in the log and answers for an engine that could not be reached. */
    Map undelivered(Object problem) {
        // one line: what Jenkins and build parameters say in it may have several, and must not look like lines of ours
        String shown = problem.toString().replaceAll('\\p{Cntrl}+', ' ')
        script.echo("${call.beginning}${shown}${call.consequence}".toString())
        return unanswered(shown)
    }

    @NonCPS
    private static Map unanswered(String shown) {
        return [delivered: false, accepted: true, deploymentId: null, warnings: [shown], failBuild: null, pending: null]
    }

    private Map onNode(Closure afterwards) {
        String node = call.agentLabel ? script.env.NODE_NAME : null // env.NAME is dear in the sandbox
        if (script.env.WORKSPACE && !(call.agentLabel && AgentMemory.isWithoutPython(node))) {
            try {
                Map answer = onThisNode(false, afterwards)
                if (!answer.noEngine || !call.agentLabel) {
                    return answer
                }
                AgentMemory.noteWithoutPython(node)
                script.echo("[Last9] Sending from a node with the label '${call.agentLabel}' instead, for the rest of this build".toString())
            } catch (Exception failure) {
                if (!isWithoutNode(failure)) {
                    throw failure
                }
            }
        }
        // no node here, as in `post` of `agent none`, or no more: any other will do, the marker needs nothing of this build's workspace
        Map answer = null
        script.node(call.agentLabel) {
            answer = onThisNode(true, afterwards)
        }
        return answer
    }

    private Map onThisNode(boolean borrowed, Closure afterwards) {
        String node = script.env.NODE_NAME ?: ''
        if (AgentMemory.isSilent(node)) {
            String problem = "${call.subject} was not sent: a shell step on this agent did not end less than two minutes ago".toString()
            return call.consequence ? unanswered(problem) : undelivered(problem) // of markers it was said, once
        }
        String folder = script.pwd()
        String base = Launcher.baseFolder(script, folder) ?: script.pwd(tmp: true) + '/last9'
        launcher = new Launcher(script, call + [limit: seconds()], node, base)
        Map place = borrowed ? [borrowedNode: true] : [folder: folder]
        List<String> changes = Settings.changes(script, call.environment)
        Map answer = null
        if (!changes) {
            return withToken(place, afterwards)
        }
        script.withEnv(changes) {
            answer = withToken(place, afterwards)
        }
        return answer
    }

    private Map withToken(Map place, Closure afterwards) {
        if (call.credentialId == null) {
            return launch(place, afterwards)
        }
        Map answer = null
        try {
            script.withCredentials([script.string(credentialsId: call.credentialId, variable: TOKEN_VARIABLE)]) {
                answer = launch(place, afterwards)
            }
        } catch (IOException failure) { // Jenkins' AbortException is one
            if (!call.goesOnWithoutCredential || !credentialProblem(failure)) {
                throw failure
            }
            // the rest of the way can be tested all the same
            answer = launch(place + [credentialProblem: credentialProblem(failure)], afterwards)
        }
        return answer
    }

    private Map launch(Map place, Closure afterwards) {
        Map answer = null
        launcher.runLauncher(place) { Map run ->
            answer = answerOf(run, place)
            if (afterwards != null) {
                afterwards.call(answer)
            }
        }
        return answer
    }

    private Map answerOf(Map run, Map place) {
        Map answer = run.answer
        if (answer?.last9Answer != 2) {
            return undelivered("${ended(run.status)}, so ${call.unanswered}. Look at the lines above for what ended it".toString())
        }
        boolean isLast = !call.agentLabel || place.borrowedNode // else another node follows, and nothing is lost
        if (answer.noEngine && !(isLast && call.goesOnWithoutCredential)) { // ConnectionTest says it itself
            String problem = "${call.subject} was not sent: ${answer.warnings[0]}".toString().replaceAll('\\.$', '')
            if (isLast) {
                return undelivered(problem) + [noEngine: true]
            }
            script.echo("[Last9] WARNING: ${problem}".toString())
        }
        return complete(answer)
    }

    @NonCPS
    private static Map complete(Map answer) {
        return answer + [delivered: answer.delivered == true, accepted: answer.accepted != false, warnings: answer.warnings ?: []]
    }

    /** Our own limit has run out. On a node whose shell gave no sign no marker is tried for a while, which is said here for all of them. */
    @NonCPS
    private String timedOut(int seconds) {
        String node = launcher?.busyNode()
        if (node == null) {
            return "${call.subject} timed out after ${seconds} s: no agent was available, or the agent did not answer. ".toString() +
                'Check that the agent is online, or name a label with free agents in agentLabel'
        }
        AgentMemory.noteSilence(node)
        return "${call.subject} timed out after ${seconds} s: its shell step on '${node}' did not end. ".toString() +
            'Check that agent; for the next two minutes this build\'s markers are not tried on it, but queued'
    }

    @NonCPS
    private static String ended(int status) {
        switch (status) {
            case Launcher.ANSWERED: case Launcher.NO_INTERPRETER:
                return 'the engine wrote no answer'
            case Launcher.NO_BUNDLE:
                return 'the engine could not be brought to this agent (the bundle is damaged, or its folder cannot be written)'
            case NOT_EXECUTABLE:
                return 'the shell could not execute its commands (exit status 126: not executable, as on a file system mounted noexec)'
            case NOT_FOUND:
                return 'the shell did not find its commands (exit status 127: a broken PATH, or no shell)'
            default:
                return "the engine ended with exit status ${status}".toString()
        }
    }

    @NonCPS
    private double seconds() {
        double usual = call.seconds + (call.moreSeconds ?: 0)
        return call.afterAbort ? Math.min(SECONDS_AFTER_ABORT, usual) : usual
    }

    @NonCPS
    private int limitMillis() {
        return (int) ((seconds() + (call.afterAbort ? GRACE_SECONDS_AFTER_ABORT : GRACE_SECONDS)) * 1000)
    }

    /**
     * Whether this says that there is no node: none around this step, though a variable is called WORKSPACE, or no more (workflow-durable-task-step's
     * AgentOfflineException, remoting's ChannelClosedException). `env` still has its values then.
     */
    @NonCPS
    private static boolean isWithoutNode(Exception failure) {
        String message = failure.message ?: ''
        return message.startsWith('Required context class hudson.FilePath is missing') ||
            failure instanceof IOException && (message.startsWith('Unable to create live FilePath for ') ||
            message.contains('The channel is closing down or has closed down'))
    }

    /** By the clock and the message: the sandbox lets no library read an interruption's causes. */
    @NonCPS
    private static boolean isOurs(FlowInterruptedException interruption, long began, int limit) {
        boolean timeIsUp = System.currentTimeMillis() - began >= limit
        return timeIsUp && (interruption.message == null || interruption.message.contains('Timeout has been exceeded'))
    }

    /** The remedy if the credential could not be bound; null if something else is the matter. */
    @NonCPS
    private String credentialProblem(Throwable failure) {
        String message = failure.message ?: ''
        if (message.contains('Could not find credentials entry')) {
            return "there is no credential '${call.credentialId}' that this job may use. Add the Last9 refresh token as a ".toString() +
                'Secret text credential with this id, or name another one with credentialId'
        }
        if (message.startsWith("Credentials '") && message.contains(' was expected')) {
            return "the credential '${call.credentialId}' is of another kind. Store the Last9 refresh token as a Secret text credential ".toString() +
                "(Jenkins says: ${message})".toString()
        }
        return null
    }

    @NonCPS
    private String explain(Throwable failure) {
        String message = failure.message ?: 'no reason was given'
        String problem = credentialProblem(failure)
        if (problem) {
            return "${call.subject} was not sent: ${problem}".toString()
        }
        if (message.contains('No such DSL method')) {
            return "${call.subject} was not sent: a Pipeline step is missing on this controller: ${message.split(' found among')[0]}. ".toString() +
                'Install the plugins named in the README (Credentials Binding, Pipeline: Basic Steps, Pipeline: Nodes and Processes)'
        }
        if (failure instanceof NotSerializableException) {
            return "${call.subject} was not sent: Jenkins cannot save this pipeline, so no step can wait: ".toString() +
                "a variable around the marker holds a ${message}. Turn it into text, a number, a plain map or a list before the step".toString()
        }
        String shown = message.length() > MOST_SHOWN ? message.substring(0, MOST_SHOWN) : message
        return "${call.subject} could not be sent: ${shown}. Check the agent and its temporary workspace".toString()
    }

}
