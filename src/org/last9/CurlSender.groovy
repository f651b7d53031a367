package org.last9

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * Sends a marker by curl on an agent without Python: one `writeFile`, one `sh`, one `readFile` in the run's own folder, as Launcher does it.
 *
 * Kept markers do not go along, and its own is kept as ever if it fails.
 */
class CurlSender implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String RESOURCE = 'last9/curl.sh'
    private static final String CONSEQUENCE =
        '. The marker is queued until this build sends another from an agent with Python. If there is none, it is lost'

    private final Object script
    /** As EngineClient has it, with the time limit of this run in `limit`. */
    private final Map call
    private final String node
    /** As CurlMarker has it. */
    private Map marker = null
    private Map foundLate = null

    CurlSender(Object script, Map call, String node) {
        this.script = script
        this.call = call
        this.node = node
    }

    /**
     * `[status:, answer:]` as of a launcher's run. `noPython` is what the launcher has said of this agent, null if an earlier one has. Null if it
     * must look first: there may be a Python (outside of a container, say), or curl is gone.
     */
    Map send(Map noPython) {
        if (noPython != null) {
            AgentMemory.noteServedByCurl(node, noPython.curl == 'always')
        }
        boolean isTest = call.goesOnWithoutCredential == true
        if (noPython?.curl == 'no' || !isTest && (!call.consequence || call.agentLabel || call.credentialId == null)) {
            return elsewhere(noPython)
        }
        marker = CurlMarker.of(script, (String) call.request, (String) call.subject)
        if (isTest) {
            return noPython == null ? null : tested(noPython)
        }
        return marker.problem ? failed(marker.problem) : sent(noPython)
    }

    /** What had been answered when the run was interrupted. */
    @NonCPS
    Map lateAnswer() {
        return foundLate
    }

    private Map sent(Map noPython) {
        String id = UUID.randomUUID().toString()
        script.writeFile(file: "marker-${id}.txt".toString(), text: marker.text, encoding: 'UTF-8')
        if (AgentMemory.text(RESOURCE) == null) {
            AgentMemory.keepText(RESOURCE, script.libraryResource(resource: RESOURCE, encoding: 'UTF-8'))
        }
        int status = 0
        try {
            status = script.sh(script: text(id, noPython == null), returnStatus: true, label: call.label)
        } catch (FlowInterruptedException interruption) {
            foundLate = settled(Launcher.lateText(script, "answer-${id}.json".toString()))
            throw interruption
        }
        if (status == Launcher.NO_INTERPRETER) {
            AgentMemory.noteServedByCurl(node, false)
            return elsewhere(noPython)
        }
        Map answer = status == Launcher.ANSWERED ? settled(Launcher.read(script, "answer-${id}.json".toString())) : null
        return answer?.problem ? failed(answer.problem) : [status: status, answer: answer]
    }

    /** Two requests within the limit, in whole seconds: older versions know no others. */
    @NonCPS
    private String text(String id, boolean look) {
        int seconds = Math.max(1, (int) ((call.limit - 0.2) / 2))
        return AgentMemory.text(RESOURCE).replace('@REQUEST@', id).replace('@LOOK@', look ? 'yes' : 'no').replace('@SECONDS@', seconds.toString())
    }

    /** With what a delivered marker's answer has besides. */
    @NonCPS
    private Map settled(String json) {
        Map answer = Json.object(json)
        return answer?.delivered == true ? answer + marker.delivered : answer
    }

    private Map failed(String problem) {
        String text = "${call.subject} was not sent, neither by Python, which is missing here, nor by curl: ${problem}".toString()
        String warning = text.replaceAll('\\p{Cntrl}+', ' ') // one line, as in EngineClient
        script.echo("[Last9] WARNING: ${warning}${CONSEQUENCE}".toString())
        return [status: Launcher.ANSWERED, answer: [last9Answer: 2, delivered: false, warnings: [warning]]]
    }

    /** What it is without curl. */
    @NonCPS
    private static Map elsewhere(Map noPython) {
        return noPython == null ? null : [status: Launcher.NO_INTERPRETER, answer: noPython]
    }

    /** ConnectionTest says it. */
    @NonCPS
    private Map tested(Map noPython) {
        String way = call.agentLabel ? '' : marker.problem ? " Markers from here are not sent by curl either: ${marker.problem}".toString() :
            ' Until then markers from here are sent by curl, with fewer attributes. Whether Last9 takes them was not tested'
        boolean isReady = !call.agentLabel && !marker.problem
        return [status: Launcher.NO_INTERPRETER, answer: noPython + [warnings: [noPython.warnings[0] + way], byCurl: isReady]]
    }

}
