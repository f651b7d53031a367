package pipeline.steps;

import pipeline.engine.Step;

/** {@code pwd()}, {@code pwd(tmp: true)} [104, 202]. */
@Step.Named(value = "pwd", type = "org.jenkinsci.plugins.workflow.steps.PwdStep", needs = "hudson.FilePath")
public final class Pwd extends Step {
    private static final long serialVersionUID = 1L;
    @Arg boolean tmp;

    @Override
    public void start() {
        call.succeed(call.context().agent.named(call.context().folder + (tmp ? "@tmp" : "")));
    }
}
