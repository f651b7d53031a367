package org.last9

import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** `last9TestConnection`: tests whether a marker would get through from here. The engine checks everything that an agent can see. */
class ConnectionTest implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String STEP = 'last9TestConnection'
    /** What reading a test event back may take besides: READING_SECONDS in check/reading.py. */
    private static final int READING_SECONDS = 60
    private static final Map CALL = [
        subject: 'the connection test', label: 'Last9 connection test', beginning: '[Last9] failed  agent        ', consequence: '',
        unanswered: 'nothing more is known', needsToken: true, goesOnWithoutCredential: true,
    ]

    private final Object script

    ConnectionTest(Object script) {
        this.script = script
    }

    /**
     * Returns `[ok:, findings: [[check:, state:, text:], …], delivered:, deploymentId: null, warnings:]`. What goes wrong before the
     * engine runs is a failed finding like any other. Throws an abort, and with `failOnError` an error if a finding has failed.
     */
    Map run(Object[] args) {
        Map options = Options.readWithoutBlock(script, STEP, args)
        boolean mustPass = Options.isTrue(options.failOnError)
        Sender sender = new Sender(script, STEP)
        Map marker = [timestampMs: System.currentTimeMillis()]
        Map answer = null
        try {
            sender.prepare(options)
            mustPass = sender.failsOnError()
            Map call = CALL + [moreSeconds: Options.isTrue(options.sendTestEvent) ? READING_SECONDS : 0]
            answer = sender.client(marker, sender.request(marker), call).runEngine()
        } catch (FlowInterruptedException abort) {
            throw abort
        } catch (Throwable defect) { // as with a marker: Last9 never fails a build by a mistake of ours
            answer = new EngineClient(script, CALL).undelivered(
                "the connection was not tested: ${defect.message}. Please report this to the library's maintainers")
        }
        if (answer.findings == null) {
            answer = withoutEngine(answer, mustPass)
        }
        sender.failIfAsked(answer)
        return [ok: answer.ok == true, findings: answer.findings, delivered: answer.delivered, deploymentId: null, warnings: answer.warnings]
    }

    /** The one finding there is then; an agent without Python has reported it as a warning so far. */
    private Map withoutEngine(Map answer, boolean mustPass) {
        String check = answer.noEngine ? 'interpreter' : 'agent'
        String problem = answer.warnings[0]
        if (answer.noEngine) {
            script.echo("[Last9] failed  interpreter  ${problem}".toString())
        }
        String outlook = answer.byCurl ? 'untested, curl may get through' : 'markers will not get through'
        script.echo("[Last9] Connection test: ${outlook} (0 ok, 0 warnings, 1 failed)".toString())
        String asked = mustPass ? "Last9 connection test failed, and failOnError is set: ${problem}".toString() : null
        return answer + [ok: false, findings: [[check: check, state: 'failed', text: problem]], failBuild: asked]
    }

}
