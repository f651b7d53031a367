package pipeline.steps;

import hudson.AbortException;
import pipeline.engine.Step;

/** {@code build 'job'}: there is no other job, so it fails as Jenkins does then [401]. */
@Step.Named(value = "build", type = "org.jenkinsci.plugins.workflow.support.steps.build.BuildTriggerStep", sole = "job")
public final class BuildJob extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String job;
    @Arg Object parameters;
    @Arg boolean wait = true;
    @Arg boolean propagate = true;
    @Arg Object quietPeriod;

    @Override
    public void start() throws AbortException {
        throw new AbortException("No item named " + job + " found");
    }
}
