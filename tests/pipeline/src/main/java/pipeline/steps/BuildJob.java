package pipeline.steps;

import hudson.AbortException;
import hudson.model.Result;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import org.jenkinsci.plugins.workflow.support.steps.build.DownstreamFailureCause;
import pipeline.engine.Step;

/**
 * {@code build 'job'}: the other jobs are those of {@code Settings.otherJobs}, each with the result it ends with at once; any other name fails
 * as Jenkins does then [401]. A job that does not succeed fails the step with a FlowInterruptedException that is not an actual interruption and
 * has the job's result: BuildTriggerListener of pipeline-build-step, read and not recorded. The value of a good one is not imitated.
 */
@Step.Named(value = "build", type = "org.jenkinsci.plugins.workflow.support.steps.build.BuildTriggerStep", sole = "job")
public final class BuildJob extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String job;
    @Arg Object parameters;
    @Arg boolean wait = true;
    @Arg boolean propagate = true;
    @Arg Object quietPeriod;

    @Override
    public void start() throws AbortException, FlowInterruptedException {
        String result = build().settings().otherJobs.get(job);
        if (result == null) {
            throw new AbortException("No item named " + job + " found");
        }
        call.log("Scheduling project: " + job);
        if (wait) {
            call.log("Starting building: " + job + " #1");
            call.log("Build " + job + " #1 completed: " + result);
        }
        if (wait && propagate && !result.equals("SUCCESS")) {
            throw new FlowInterruptedException(Result.fromString(result), false, new DownstreamFailureCause(job + " #1", result));
        }
        call.succeed(null);
    }
}
