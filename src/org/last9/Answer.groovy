package org.last9

import com.cloudbees.groovy.cps.NonCPS

/** Reads the engine's answer (tests/contract/README.md) out of what the launcher printed. */
class Answer implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String BEGINNING = '{"last9Answer":'

    /**
     * The last answer line as a plain map, or null when there is none (a process that was killed leaves none, or half a line).
     * Whatever else the engine said for this kind of step comes along.
     * Other lines are ignored: shell start-up files print, too. Without `pending` in it the engine never saw the request.
     */
    @NonCPS
    static Map<String, Object> parse(String output) {
        String line = null
        for (String candidate in (output ?: '').readLines()) {
            if (candidate.startsWith(BEGINNING)) {
                line = candidate
            }
        }
        Map answer = Json.object(line)
        if (answer == null) {
            return null
        }
        return answer + [
            delivered: answer.delivered == true,
            accepted: answer.accepted != false,
            deploymentId: answer.deploymentId,
            failBuild: answer.failBuild,
            warnings: answer.warnings ?: [],
            pending: answer.pending,
        ]
    }

}
