package org.last9

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * Carries one request to the engine on an agent and its answer back: finds a node, binds the credential, places the bundle,
 * runs the launcher once, all within a time limit. Whatever goes wrong is a warning in the log and an answer that says `delivered: false`.
 */
class Courier implements Serializable {

    private static final long serialVersionUID = 1L

    private static final String WARNING = '[Last9] WARNING: '
    /** As the engine says it of a marker that it could not deliver. */
    private static final String KEPT = '. The marker is kept and goes out with the build\'s next one; if none gets through, Last9 never has it'
    private static final String TOKEN_VARIABLE = 'LAST9_REFRESH_TOKEN'
    private static final int DEFAULT_SECONDS = 15
    /** `timeoutSeconds` beyond this is a mistake; the engine says so. */
    private static final int MOST_SECONDS = 300
    /** The engine keeps its own budget. This much later something around it hangs: an agent that went away, a node that never comes. */
    private static final int GRACE_SECONDS = 15
    /** What a connection test may take besides to read its event back: READING_SECONDS in check/reading.py. */
    private static final int READING_SECONDS = 60

    /** What a request is about, and what is missing where it gets no answer, by its step; every other one is about a marker. */
    private static final Map<String, String> ERRANDS = [
        last9TestConnection: 'the connection test', last9DeploymentReport: 'the deployment report',
    ]
    private static final Map<String, String> UNANSWERED = [
        last9TestConnection: 'it is not known more', last9DeploymentReport: 'there is no report',
    ]

    /** When this controller first came here: another moment after a restart, which empties a static. */
    private static long life = 0

    private final Object script
    private final String beginning

    /** `beginning`: of the log line that tells a failure. */
    Courier(Object script, String beginning = '[Last9] WARNING: ') { // no constant: in the sandbox a constructor's default cannot name one
        this.script = script
        this.beginning = beginning
    }

    /**
     * Delivers a request as the contract has it and returns the answer.
     * Throws nothing but an abort of the build; a time limit of ours that runs out is none.
     * `afterwards` gets the answer while the node is still there.
     */
    Map deliver(Map request, Closure afterwards = null) {
        int seconds = limit(request)
        long began = System.currentTimeMillis()
        long before = lifeAt(began)
        try {
            Map answer = null
            script.timeout(time: seconds, unit: 'SECONDS') {
                try {
                    answer = onNode(request, afterwards)
                } catch (Exception failure) {
                    if (!isCutByRestart(failure)) {
                        throw failure
                    }
                    answer = onNode(request, afterwards) // the very same marker, with its own time: no harm even where the first try came through
                }
            }
            return answer
        } catch (FlowInterruptedException interruption) {
            if (!isOurs(interruption, began, seconds)) {
                throw interruption
            }
            if (lifeAt(System.currentTimeMillis()) != before) { // the controller was down for longer than that: its time limits go on meanwhile
                return deliver(request, afterwards)
            }
            return undelivered("${what(request)} was given up after ${seconds} seconds: no agent took it, or the agent did not answer. ".toString() +
                'Check that the agent is online, or name a label with free agents in agentLabel')
        } catch (Throwable failure) { // also NoSuchMethodError: a step whose plugin is not installed
            return undelivered(explain(failure, request))
        }
    }

    /** Warns in the log and answers for an engine that could not be reached. The request stays undelivered. */
    Map undelivered(Object problem) {
        // one line: what Jenkins and build parameters say in it may have several, and must not look like lines of ours
        String said = problem.toString().replaceAll('\\p{Cntrl}+', ' ')
        script.echo("${beginning}${said}${beginning == WARNING ? KEPT : ''}".toString())
        return [delivered: false, accepted: true, deploymentId: null, warnings: [said], failBuild: null, pending: null]
    }

    /**
     * Whether a step failed because the controller was restarted while it ran: `fileExists`, `writeFile` and the binding of credentials are not
     * resumed as `sh` is. By the message (workflow-step-api, old and new); older versions have no class for it.
     */
    private static boolean isCutByRestart(Exception failure) {
        String message = failure.message ?: ''
        return message.contains("doesn't support resume after a restart") || message.startsWith('Resume after a restart not supported')
    }

    private Map onNode(Map request, Closure afterwards) {
        if (script.env.WORKSPACE) {
            try {
                return carry(request, afterwards)
            } catch (IOException failure) {
                if (!isAgentLost(failure)) {
                    throw failure
                }
            }
        }
        // no node here, as in `post` of `agent none`, or no more: any other will do, the marker needs nothing of this build's workspace
        Map answer = null
        script.node(request.options.agentLabel ?: script.env.LAST9_AGENT_LABEL ?: '') {
            answer = carry(request + [elsewhere: true], afterwards)
        }
        return answer
    }

    private Map carry(Map request, Closure afterwards) {
        Map answer = withToken(request)
        if (afterwards != null) {
            afterwards.call(answer)
        }
        return answer
    }

    /**
     * Whether this says that the block's agent is not there any more (workflow-durable-task-step's AgentOfflineException, remoting's
     * ChannelClosedException). `env` still speaks of it then.
     */
    private static boolean isAgentLost(IOException failure) {
        String message = failure.message ?: ''
        return message.startsWith('Unable to create live FilePath for ') || message.contains('The channel is closing down or has closed down')
    }

    private Map withToken(Map request) {
        boolean test = request.step == ConnectionTest.STEP
        if (request.step == Report.STEP || !test && Options.isTrue(request.options.dryRun ?: script.env.LAST9_DRY_RUN)) {
            return launch(request)
        }
        Map answer = null
        try {
            script.withCredentials([script.string(credentialsId: credentialId(request), variable: TOKEN_VARIABLE)]) {
                answer = launch(request)
            }
        } catch (IOException failure) { // Jenkins' AbortException is one
            if (!test || !isCredentialMissing(failure)) {
                throw failure
            }
            answer = launch(request + [credentialProblem: explain(failure, request)]) // the rest of the way can be tested all the same
        }
        return answer
    }

    private Map launch(Map request) {
        return new Launcher(script).run(request) ?: undelivered(
            "the engine gave no answer, so ${UNANSWERED[request.step] ?: 'it is not known whether Last9 has this marker'}. ".toString() +
            'Look at the lines above for what ended it')
    }

    private static String what(Map request) {
        return ERRANDS[request.step] ?: 'the deployment marker'
    }

    private static boolean isCredentialMissing(Throwable failure) {
        return (failure.message ?: '').contains('Could not find credentials entry')
    }

    private static String credentialId(Map request) {
        return request.connection.credentialId.value
    }

    private int limit(Map request) {
        String text = request.options.timeoutSeconds ?: script.env.LAST9_TIMEOUT_SECONDS ?: ''
        int budget = text.isInteger() ? Integer.parseInt(text) : DEFAULT_SECONDS
        int reading = request.step == ConnectionTest.STEP ? READING_SECONDS : 0
        return Math.min(request.budgetSeconds ?: Math.max(budget, 1), MOST_SECONDS) + reading + GRACE_SECONDS
    }

    @NonCPS
    private static long lifeAt(long moment) {
        life = life ?: moment
        return life
    }

    /** By the clock and the message: the sandbox lets no library read an interruption's causes. */
    private static boolean isOurs(FlowInterruptedException interruption, long began, int seconds) {
        boolean timeIsUp = System.currentTimeMillis() - began >= seconds * 1000L
        return timeIsUp && (interruption.message == null || interruption.message.contains('Timeout has been exceeded'))
    }

    private static String explain(Throwable failure, Map request) {
        String message = failure.message ?: 'no reason was given'
        if (isCredentialMissing(failure)) {
            return "there is no credential '${credentialId(request)}' that this job may use. Add the Last9 refresh token as a ".toString() +
                'Secret text credential with this id, or name another one with credentialId'
        }
        if (message.contains('No such DSL method')) {
            return "a Pipeline step is missing on this controller: ${message.split(' found among')[0]}. ".toString() +
                'Install the plugins named in the README (Credentials Binding, Pipeline: Basic Steps, Pipeline: Nodes and Processes)'
        }
        if (failure instanceof NotSerializableException) {
            return "Jenkins cannot save this pipeline, so no step can wait: a variable around the marker holds a ${message}. ".toString() +
                'Turn it into text, a number, a plain map or a list before the step'
        }
        String shown = message.length() > 500 ? message.substring(0, 500) : message
        return "${what(request)} could not be sent: ${shown}. Check the agent and its temporary workspace".toString()
    }

}
