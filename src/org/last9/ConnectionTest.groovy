package org.last9

import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/** `last9TestConnection`: whether a marker would get through from here. The engine looks at everything that an agent can see. */
class ConnectionTest implements Serializable {

    private static final long serialVersionUID = 1L

    static final String STEP = 'last9TestConnection'

    private final Object script

    ConnectionTest(Object script) {
        this.script = script
    }

    /**
     * Returns `[ok:, findings: [[check:, state:, text:], …], delivered:, deploymentId: null, warnings:]`. What goes wrong before the
     * engine runs is a failed finding like any other. Throws an abort, and with `failOnError` an error where a finding has failed.
     */
    Map run(Object[] given) {
        Map options = Options.alone(script, STEP, given)
        Courier courier = new Courier(script, '[Last9] failed  agent        ')
        Map answer = null
        try {
            Map request = new Sender(script, STEP).request(new Marker(options, null, System.currentTimeMillis()))
            options = request.options
            answer = courier.deliver(request)
        } catch (FlowInterruptedException abort) {
            throw abort
        } catch (Throwable defect) { // as with a marker: Last9 never fails a build by a mistake of ours
            answer = courier.undelivered("the connection was not tested: ${defect.message}. Please report this to the library's maintainers")
        }
        if (answer.findings == null) {
            answer = withoutEngine(answer, options)
        }
        if (answer.failBuild) {
            script.error("[Last9] ${answer.failBuild}".toString())
        }
        return [ok: answer.ok == true, findings: answer.findings, delivered: answer.delivered, deploymentId: null, warnings: answer.warnings]
    }

    /** The one finding there is then; an agent without Python has told it as a warning so far. */
    private Map withoutEngine(Map answer, Map options) {
        String check = answer.noEngine ? 'interpreter' : 'agent'
        String problem = answer.warnings[0]
        if (answer.noEngine) {
            script.echo("[Last9] failed  interpreter  ${problem}".toString())
        }
        script.echo('[Last9] Connection test: markers will not get through (0 ok, 0 warnings, 1 failed)')
        String asked = Options.isTrue(options.failOnError) ? "Last9 connection test failed, and failOnError is set: ${problem}".toString() : null
        return answer + [ok: false, findings: [[check: check, state: 'failed', text: problem]], failBuild: asked]
    }

}
