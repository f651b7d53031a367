package org.last9

import com.cloudbees.groovy.cps.NonCPS

/** How a deployment ended, for a marker that curl sends. The engine's rules (marker/attributes/deployment.py); tests/contract holds both to them. */
class Outcome implements Serializable {

    private static final long serialVersionUID = 1L
    /** From best to worst. */
    private static final List<String> RESULTS = ['SUCCESS', 'UNSTABLE', 'FAILURE', 'NOT_BUILT', 'ABORTED']
    private static final Map<String, String> OF_RESULT =
        [SUCCESS: 'success', UNSTABLE: 'unstable', FAILURE: 'failure', NOT_BUILT: 'aborted', ABORTED: 'aborted']
    private static final List<String> SAYABLE = ['success', 'failure', 'unstable', 'aborted', 'timeout']
    private static final String DOWNSTREAM =
        '(?s).* completed with status (SUCCESS|UNSTABLE|FAILURE|NOT_BUILT|ABORTED) \\(propagate: false to ignore\\)'

    /** `said` is what a manual stop says of it, or empty. Null if the outcome is not known. */
    @NonCPS
    static String of(Map request, String said) {
        Map body = request.body
        if (body == null) {
            String result = request.build?.currentResult ?: request.build?.result
            return SAYABLE.contains(said) ? said : OF_RESULT[result]
        }
        switch (body.ended) {
            case 'interrupted':
                return ofInterruption(body.message ?: '')
            case 'threw':
                return 'failure'
            default:
                return isWorse(body) ? OF_RESULT[body.resultAfter] : 'success'
        }
    }

    @NonCPS
    private static String ofInterruption(String message) {
        if (message == 'Timeout has been exceeded') {
            return 'timeout'
        }
        boolean isLost = message == 'Agent was removed' || message == 'Timeout waiting for agent to come back'
        if (isLost || message.startsWith('Downstream build was not stable')) {
            return 'failure'
        }
        return message.matches(DOWNSTREAM) ? OF_RESULT[message.replaceAll(DOWNSTREAM, '$1')] : 'aborted'
    }

    @NonCPS
    private static boolean isWorse(Map body) {
        boolean isAnothers = body.resultAfter == 'FAILURE' && body.failedElsewhere == true
        return !isAnothers && rank(body.resultAfter) > rank(body.resultBefore)
    }

    /** No result yet means that nothing has gone wrong so far. */
    @NonCPS
    private static int rank(Object result) {
        return Math.max(0, RESULTS.indexOf(result))
    }

}
