package pipeline.steps;

import hudson.AbortException;
import jenkins.model.CauseOfInterruption;
import org.jenkinsci.plugins.workflow.actions.ErrorAction;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import pipeline.engine.Call;
import pipeline.engine.Ending;

/** How a step that caught an exception prints it [501-503]. */
final class Failures {
    private Failures() {}

    static void print(Call call, Throwable t, String heading) {
        if (t instanceof AbortException) {
            call.log("ERROR: " + t.getMessage());
        } else if (t instanceof FlowInterruptedException f) {
            for (CauseOfInterruption c : f.getCauses()) {
                if (!(c instanceof CauseOfInterruption.UserInterruption)) {
                    call.log(c.getShortDescription());
                }
            }
            for (Throwable s : t.getSuppressed()) {
                if (s instanceof ErrorAction.ErrorId) {
                    call.log(s.toString());
                }
            }
        } else {
            if (heading != null) {
                call.log("ERROR: " + heading);
            }
            call.log(Ending.trace(t).stripTrailing());
        }
    }
}
