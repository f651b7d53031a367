package pipeline.steps;

import com.cloudbees.groovy.cps.Outcome;
import hudson.model.Result;
import java.lang.reflect.InvocationTargetException;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import pipeline.engine.Body;
import pipeline.engine.Step;

/** {@code catchError { }}: returns null always; around an interruption it sets that one's result [435, 501, 502]. */
@Step.Named(value = "catchError", type = "org.jenkinsci.plugins.workflow.steps.CatchErrorStep", block = true)
public class CatchError extends Step {
    private static final long serialVersionUID = 1L;
    @Arg String message;
    @Arg String buildResult = "FAILURE";
    @Arg String stageResult;
    @Arg boolean catchInterruptions = true;

    @Override
    public void start() {
        check(buildResult);
        check(stageResult);
        call.runBody(call.context());
    }

    private void check(String result) {
        if (result != null && !Result.isKnown(result)) {
            throw uninstantiable(new InvocationTargetException(new IllegalArgumentException("invalid result: " + result)));
        }
    }

    @Override
    public void bodyDone(Body body, Outcome outcome) {
        Throwable t = outcome.getAbnormal();
        if (t == null) {
            call.succeed(null);
            return;
        }
        Result to = buildResult == null ? Result.SUCCESS : Result.fromString(buildResult);
        if (t instanceof FlowInterruptedException f) {
            if (!catchInterruptions && f.isActualInterruption()) {
                call.fail(t);
                return;
            }
            to = f.getResult();
        }
        if (message != null) {
            call.log("ERROR: " + message);
        }
        if (stageResult != null) {
            call.node().stageResult = t instanceof FlowInterruptedException f ? f.getResult() : Result.fromString(stageResult);
        }
        Failures.print(call, t, null);
        Result now = build().state().result;
        if (to.isWorseThan(now == null ? Result.SUCCESS : now)) {
            call.log("Setting overall build result to " + to);
            build().state().worsen(to);
        }
        call.succeed(null);
    }
}
