package org.last9

import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * `last9DeploymentReport`: the deployments of this build so far, as a page that is archived with the build.
 *
 * The engine writes the files on an agent, into a folder of the temporary workspace. The library archives and removes them.
 */
class Report implements Serializable {

    private static final long serialVersionUID = 1L

    private static final String STEP = 'last9DeploymentReport'
    private static final Map CALL = [
        subject: 'the deployment report', label: 'Last9 deployment report', beginning: '[Last9] WARNING: ', consequence: '',
        unanswered: 'there is no report', needsToken: false,
    ]
    private static final String PAGE = 'last9-deployments.html'

    private final Object script

    Report(Object script) {
        this.script = script
    }

    /**
     * Returns `[archived:, headline:, directory:, warnings:]`; `directory` is where the files are that were not archived, else null.
     * Throws nothing but an abort: without a report the build goes on.
     */
    Map publish(Object[] args) {
        Map options = Options.readWithoutBlock(script, STEP, args)
        Map outcome = [archived: false, tidied: false, problems: []]
        Map answer = null
        try {
            boolean kept = !Options.isFalse(options.archive)
            boolean summary = Options.isTrue(options.summary)
            answer = client(options).runEngine { Map written -> archive(written, kept, outcome) }
            if (answer.headline && summary) {
                describe(answer.headline)
            }
        } catch (FlowInterruptedException abort) {
            throw abort
        } catch (Throwable defect) { // Last9 never fails a deployment, not even by a mistake of ours
            answer = new EngineClient(script, CALL).undelivered(
                "the deployment report was not made: ${defect.message}. Please report this to the library's maintainers")
        }
        return [archived: outcome.archived, headline: answer.headline, directory: outcome.tidied ? null : answer.directory,
            warnings: answer.warnings + outcome.problems]
    }

    private EngineClient client(Map options) {
        Sender sender = new Sender(script, STEP)
        sender.prepare(options)
        Map marker = [timestampMs: System.currentTimeMillis()]
        String request = Json.with(sender.request(marker), [report: new Records(script).all() + [id: UUID.randomUUID().toString()]])
        return sender.client(marker, request, CALL)
    }

    /** On the node that has the files. The temporary workspace outlives the build, so what was archived does not stay in it. */
    private void archive(Map written, boolean kept, Map outcome) {
        if (!written.directory || !kept) {
            return
        }
        script.dir(written.directory) {
            try {
                script.archiveArtifacts(artifacts: 'last9-deployments.*')
                outcome.archived = true
                script.echo("[Last9] Deployment report: ${script.env.BUILD_URL ?: ''}artifact/${PAGE}".toString())
            } catch (FlowInterruptedException abort) {
                throw abort
            } catch (Throwable failure) {
                String problem = "the deployment report could not be archived: ${failure.message}. Check the controller's room ".toString() +
                    'for artifacts, or take the files yourself with archive: false'
                script.echo("[Last9] WARNING: ${problem}".toString())
                outcome.problems.add(problem.toString())
            }
            tidy(outcome)
        }
    }

    /** No warning if this fails: the engine removes the folder with a later report. */
    private void tidy(Map outcome) {
        try {
            script.deleteDir()
            outcome.tidied = true
        } catch (FlowInterruptedException abort) {
            throw abort
        } catch (Exception ignored) { // another user's files
            outcome.tidied = false
        }
    }

    /** Below what the description says already; an earlier report's line gives way. The headline has counts only, no names. */
    private void describe(String headline) {
        String others = (script.currentBuild.description ?: '').replaceAll('(?m)^(no deployments|[0-9]+ deployments?: .*)$', '').trim()
        script.currentBuild.description = others ? others + '\n' + headline : headline
    }

}
