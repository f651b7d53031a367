package pipeline.declarative

import org.jenkinsci.plugins.workflow.cps.CpsScript

/** Runs stages: one after the other, nested, in parallel; skips them; runs their post sections. */
class Stages implements Serializable {
    private static final long serialVersionUID = 1L
    CpsScript script
    Surroundings around
    Post post
    When when
    /** The pipeline's options and agent. */
    Map options = [:]
    Map agentOfPipeline

    /**
     * Stages in sequence; after a failure the others are skipped. Gives the first error. {@code parent} is the stage that holds
     * them; {@code skipped} is why they are all skipped, or null.
     */
    Throwable sequence(List stages, Map parent, String skipped, Throwable before = null) {
        Throwable error = before
        for (Map stage : stages) {
            try {
                run(stage, stage.agent ?: agentOfPipeline, error, skipped)
            } catch (Throwable t) {
                error = error == null ? t : error
            }
        }
        if (skipped == null && parent != null) {
            error = post.ofStage(parent, error, parent.agent ?: agentOfPipeline)
        }
        return error
    }

    /** One stage. Throws its error, or the one before it: that is how Jenkins' flow graph has it [204]. */
    void run(Map stage, Map agent, Throwable before, String skipped) {
        script.stage(stage.name) {
            Throwable error = before
            String why = skipped ?: reason(before)
            boolean ran = false
            try {
                if (why != null) {
                    skip(stage, agent, before, why)
                } else {
                    ran = inside(stage, agent)
                    if (!ran) {
                        skip(stage, agent, before, 'when conditional')
                    }
                }
            } catch (Throwable t) {
                ran = why == null
                error = error == null ? t : error
            }
            if (ran && branches(stage) != null) {
                error = post.ofStage(stage, error, agent)
            }
            if (error != null) {
                throw error
            }
        }
    }

    private String reason(Throwable before) {
        if (before != null) {
            return 'earlier failure(s)'
        }
        return options.containsKey('skipStagesAfterUnstable') && script.currentBuild.result == 'UNSTABLE' ?
                'earlier stage(s) marking the build as unstable' : null
    }

    /** Says so; nested stages are shown as skipped too, for the same reason. */
    private void skip(Map stage, Map agent, Throwable before, String why) {
        DeclarativeBuild.log('Stage "' + stage.name + '" skipped due to ' + why)
        script.getContext()
        if (branches(stage) != null) {
            script.parallel(closures(stage, agent, before, why))
        } else if (stage.stages != null) {
            sequence(stage.stages, stage, why, before)
        }
    }

    /** Runs a stage in its surroundings; false if its when section says no. */
    private boolean inside(Map stage, Map agent) {
        Map own = around.options(stage.options)
        boolean passed = false
        cell(stage.cell) {
            if (when.passes(stage.when, 'beforeOptions')) {
                around.wrappers(stage.options) {
                    if (when.passes(stage.when, 'beforeInput')) {
                        if (branches(stage) != null) {
                            if (when.passes(stage.when)) {
                                passed = true
                                around.environment(stage) { script.parallel(closures(stage, agent, null, null)) }
                            }
                        } else if (when.passes(stage.when, 'beforeAgent')) {
                            around.agent(stage.agent, true, own) {
                                if (when.passes(stage.when)) {
                                    passed = true
                                    around.environment(stage) { content(stage, agent) }
                                }
                            }
                        }
                    }
                }
            }
        }
        return passed
    }

    private void cell(Map variables, Closure body) {
        if (!variables) {
            body()
            return
        }
        List list = []
        for (String name : variables.keySet()) {
            list << name + '=' + variables[name]
        }
        script.withEnv(list, body)
    }

    /** The stage's own steps and post, or its nested stages. */
    private void content(Map stage, Map agent) {
        Throwable error = null
        if (stage.stages != null) {
            error = sequence(stage.stages, stage, null)
        } else {
            try {
                post.steps(stage.agent ?: agent, stage.steps)
            } catch (Throwable t) {
                error = t
            }
            error = post.ofStage(stage, error, stage.agent ?: agent)
        }
        if (error != null) {
            throw error
        }
    }

    private List branches(Map stage) {
        return stage.matrix != null ? DeclarativeBuild.cells(stage.matrix) : stage.parallel
    }

    private Map closures(Map stage, Map agent, Throwable before, String why) {
        Map r = [:]
        for (Map branch : branches(stage)) {
            r[branch.name] = closure(branch, stage.agent ?: agent, before, why)
        }
        if (stage.failFast || options.containsKey('parallelsAlwaysFailFast')) {
            r.failFast = true
        }
        return r
    }

    private Closure closure(Map branch, Map agent, Throwable before, String why) {
        return { run(branch, agent, before, why) }
    }
}
