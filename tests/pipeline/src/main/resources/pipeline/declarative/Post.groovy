package pipeline.declarative

import org.jenkinsci.plugins.workflow.cps.CpsScript
import org.jenkinsci.plugins.workflow.steps.MissingContextVariableException

/** Runs post sections. */
class Post implements Serializable {
    private static final long serialVersionUID = 1L
    CpsScript script

    /** The pipeline's: a stage of its own, if any condition holds. Gives the first error, the one before included. */
    Throwable ofPipeline(Map model, Throwable error) {
        Throwable first = error
        if (PostConditions.any(model.post, error)) {
            try {
                script.stage('Declarative: Post Actions') {
                    first = run(model.post, error, null, model.agent)
                }
            } catch (Throwable t) {
                first = first == null ? t : first
            }
        }
        return first
    }

    /** A stage's, within the stage. */
    Throwable ofStage(Map stage, Throwable error, Map agent) {
        if (!PostConditions.any(stage.post, error)) {
            return error
        }
        DeclarativeBuild.log('Post stage')
        return run(stage.post, error, stage.name, agent)
    }

    /** A block that fails is logged; those after it are judged with that error [308, 309]. */
    private Throwable run(Map blocks, Throwable error, String stage, Map agent) {
        Throwable first = error
        for (String condition : PostConditions.names()) {
            if (blocks.containsKey(condition) && PostConditions.met(condition, first, stage)) {
                PostConditions.Shown shown = PostConditions.show(first, stage)
                try {
                    steps(agent, blocks[condition])
                } catch (Throwable t) {
                    DeclarativeBuild.log('Error when executing ' + condition + ' post condition:')
                    DeclarativeBuild.logTrace(t)
                    first = first == null ? t : first
                } finally {
                    PostConditions.hide(shown)
                }
            }
        }
        return first
    }

    /** Runs a block of steps; under {@code agent none} the error of a step that needs a node is replaced [310]. */
    void steps(Map agent, Closure block) {
        try {
            block()
        } catch (MissingContextVariableException e) {
            if (agent == null || agent.type != 'none') {
                throw e
            }
            script.error('Attempted to execute a step that requires a node context while ‘agent none’ was specified. Be sure to specify your own ‘node { ... }’ blocks when using ‘agent none’.')
        }
    }
}
