package org.last9

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * A run that closes windows of earlier builds with another of this build's credentials, and sends nothing else: one a build, short, and one line
 * says what it cannot do.
 */
class ClosingRun implements Serializable {

    private static final long serialVersionUID = 1L
    /** It ends before Jenkins' look at 4.38 s. */
    private static final double SECONDS = 4.2
    private static final Map CALL = [
        subject: 'the stop of a deployment that an earlier build left open', unanswered: 'it is not known whether Last9 has it', consequence: '',
    ]

    /** This build has made it. A controller restart empties this. */
    private static boolean made = false

    private final Object script

    ClosingRun(Object script) {
        this.script = script
    }

    /** `asked` is the request of a marker that is delivered, `leftOpen` its windows, `before` the answer to it. Throws only an abort. */
    void close(Sender sender, String asked, List<Map> leftOpen, Map before) {
        try {
            Map more = replaced(leftOpen, before)
            if (more) {
                Map call = CALL + [credentialId: more.credential.value, seconds: SECONDS]
                Map answer = sender.client([:], Json.with(asked, more), call).runEngine()
                new BuildRecord(script).after([:], [:], more, [leftOpen: answer.leftOpen], [], null)
                new Records(script).add(answer.records)
            }
        } catch (FlowInterruptedException abort) {
            throw abort
        } catch (Throwable ignored) {
            // The next build tries again.
        }
    }

    /** The request's other values; null if there is nothing to do. The answer came from an agent, so a record must name that credential, too. */
    @NonCPS
    private static Map<String, Object> replaced(List<Map> leftOpen, Map before) {
        Object credential = before.closeWith
        List<Map> found = []
        for (int i = 0; i < leftOpen.size(); i++) {
            boolean needsIt = (leftOpen[i].open.o.credentialId ?: Settings.DEFAULT_CREDENTIAL) == credential
            if (needsIt && !before.leftOpen?.closed?.contains(i)) {
                found.add(leftOpen[i])
            }
        }
        if (made || !found || !(credential instanceof String)) {
            return null
        }
        note(true)
        return [step: 'closeLeftOpen', credential: [value: credential, source: 'option'], leftOpen: found]
    }

    @NonCPS
    private static void note(boolean now) {
        made = now
    }

}
