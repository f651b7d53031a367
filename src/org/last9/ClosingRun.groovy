package org.last9

import com.cloudbees.groovy.cps.NonCPS

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

    /** `asked` is the request of the marker, which is delivered; the engine's answer to it has named the credential. */
    void close(Sender sender, Map marker, Map settings, String asked, Object credential) {
        Map more = replaced(credential)
        if (more) {
            Map call = CALL + [credentialId: credential, seconds: Math.min(SECONDS, (double) settings.seconds)]
            Map answer = sender.client(marker, Json.with(asked, more), call).runEngine()
            new BuildRecord(script).after(marker, settings, more, [leftOpen: answer.leftOpen], [], null)
            new Records(script).add(answer.records)
        }
    }

    /** The request's other values; null if there is nothing to do. The answer came from an agent, so a record must name that credential, too. */
    @NonCPS
    private Map<String, Object> replaced(Object credential) {
        List<Map> found = []
        for (Map entry in new BuildRecord(script).left()) {
            if ((entry.open.o.credentialId ?: Settings.DEFAULT_CREDENTIAL) == credential) {
                found.add(entry)
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
