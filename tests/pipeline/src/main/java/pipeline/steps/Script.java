package pipeline.steps;

import pipeline.engine.Step;

/** {@code script { }}: scripted code within Declarative steps. */
@Step.Named(value = "script", type = "org.jenkinsci.plugins.pipeline.modeldefinition.steps.ScriptStep", block = true)
public final class Script extends Step {
    private static final long serialVersionUID = 1L;

    @Override
    public void start() {
        call.runBody(call.context());
    }
}
