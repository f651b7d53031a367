package pipeline.steps;

import hudson.model.Result;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import org.jenkinsci.plugins.workflow.support.steps.input.Rejection;
import pipeline.engine.Step;

/** {@code input 'go?'}: waits for a person; one who says no is ordered as an abort of kind "reject" [453]. No one here says yes. */
@Step.Named(value = "input", type = "org.jenkinsci.plugins.workflow.support.steps.input.InputStep", sole = "message")
public final class Input extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String message;
    @Arg String id;
    @Arg String ok;
    @Arg String submitter;

    @Override
    public void start() {
        call.log(message + "\nProceed or Abort");
    }

    @Override
    public void stop(Throwable cause) {
        call.fail(cause);
    }

    @Override
    public void wake(String what) {
        if (what.equals("reject")) {
            call.fail(new FlowInterruptedException(Result.ABORTED, new Rejection()));
        }
    }
}
