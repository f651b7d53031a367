package pipeline.declarative

import org.jenkinsci.plugins.workflow.cps.CpsScript

/**
 * The global variable {@code pipeline}: runs what PipelineBlock made of a {@code pipeline { }} block. It calls the same steps as a
 * scripted pipeline would and is saved with them, so restarts and aborts need nothing of their own. The order of agent, credentials,
 * environment, options, stages and post is that of Jenkins [106, 901, 903].
 */
class Declarative implements Serializable {
    private static final long serialVersionUID = 1L
    final CpsScript script
    final Surroundings around
    final Stages stages
    final Post post

    Declarative(CpsScript script) {
        this.script = script
        around = new Surroundings(script: script)
        post = new Post(script: script)
        stages = new Stages(script: script, around: around, post: post, when: new When(script: script))
    }

    def call(Map model) {
        DeclarativeBuild.begin()
        Throwable error = null
        boolean postHasRun = false
        try {
            prepare(model)
            around.agent(model.agent, false) {
                around.environment(model) {
                    around.wrappers(model.options) {
                        // A retry of the whole pipeline begins with a clean slate.
                        error = stages.sequence(model.stages, null, null)
                        postHasRun = true
                        error = post.ofPipeline(model, error)
                        if (error != null) {
                            throw error
                        }
                    }
                }
            }
        } catch (Throwable t) {
            error = error == null ? t : error
        }
        if (!postHasRun) {
            // Failed before the stages: post runs all the same, outside of any agent [107].
            error = post.ofPipeline(model, error)
        }
        if (error != null) {
            throw error
        }
    }

    def call(Closure block) {
        throw new UnsupportedOperationException('The pipeline runner knows pipeline { } at the top of a Jenkinsfile and in the call method of a library var only')
    }

    private void prepare(Map model) {
        stages.options = around.options(model.options)
        stages.agentOfPipeline = model.agent
        around.optionsOfPipeline = stages.options
        DeclarativeBuild.durability(stages.options)
        for (Closure library : model.libraries ?: []) {
            script.library(library())
        }
        for (List parameter : model.parameters ?: []) {
            ParameterDefaults.declare(parameter[0], parameter[1]())
        }
    }
}
