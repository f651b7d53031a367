package pipeline.steps;

import pipeline.engine.Step;

/** {@code isUnix()} [401]. */
@Step.Named(value = "isUnix", type = "org.jenkinsci.plugins.workflow.steps.IsUnixStep", needs = "hudson.Launcher")
public final class IsUnix extends Step {
    private static final long serialVersionUID = 1L;

    @Override
    public void start() {
        call.succeed(!call.context().agent.windows);
    }
}
