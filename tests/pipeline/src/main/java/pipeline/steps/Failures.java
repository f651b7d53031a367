package pipeline.steps;

import hudson.AbortException;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import pipeline.engine.Build;
import pipeline.engine.Call;
import pipeline.engine.Ending;

/** How a step that caught an exception prints it [501-503]. */
final class Failures {
    private Failures() {}

    static void print(Call call, Throwable t, String heading) {
        if (t instanceof AbortException) {
            call.log("ERROR: " + t.getMessage());
        } else if (t instanceof FlowInterruptedException f) {
            Ending.reasons(Build.current(), f).forEach(call::log);
        } else {
            if (heading != null) {
                call.log("ERROR: " + heading);
            }
            call.log(Ending.trace(t).stripTrailing());
        }
    }
}
