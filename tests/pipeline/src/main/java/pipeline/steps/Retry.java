package pipeline.steps;

import com.cloudbees.groovy.cps.Outcome;
import java.util.List;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution.RemovedNodeCause;
import pipeline.engine.Body;
import pipeline.engine.Described;
import pipeline.engine.Step;

/** {@code retry(3) { }}: not after an actual interruption; with conditions, only if one of them holds [434, 503]. */
@Step.Named(value = "retry", type = "org.jenkinsci.plugins.workflow.steps.RetryStep", sole = "count", block = true)
public final class Retry extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) int count;
    @Arg List<Object> conditions = List.of();
    private int left;

    @Override
    public void start() {
        for (Object c : conditions) {
            if (!(c instanceof Described d) || !List.of("agent", "nonresumable").contains(d.symbol())) {
                throw new UnsupportedOperationException("The pipeline runner does not imitate the retry condition " + c);
            }
        }
        left = count;
        call.runBody(call.context());
    }

    @Override
    public void bodyDone(Body body, Outcome outcome) throws Exception {
        Throwable t = outcome.getAbnormal();
        left--;
        if (t == null || left <= 0 || !repeats(t)) {
            super.bodyDone(body, outcome);
            return;
        }
        Failures.print(call, t, "Execution failed");
        call.log("Retrying");
        call.runBody(call.context());
    }

    private boolean repeats(Throwable t) {
        boolean interrupted = t instanceof FlowInterruptedException f && f.isActualInterruption();
        boolean agentLost = t instanceof FlowInterruptedException f && f.getCauses().stream().anyMatch(RemovedNodeCause.class::isInstance);
        if (conditions.isEmpty()) {
            return !interrupted;
        }
        return agentLost && conditions.stream().anyMatch(c -> ((Described) c).symbol().equals("agent"));
    }
}
