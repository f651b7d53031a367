package pipeline.steps;

import com.cloudbees.groovy.cps.Outcome;
import groovy.lang.Closure;
import hudson.AbortException;
import hudson.model.Result;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jenkins.model.CauseOfInterruption;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import pipeline.engine.Body;
import pipeline.engine.Step;

/** {@code parallel a: { }, b: { }}: all branches run to their end; the first failure is thrown, the others suppressed in it [506-509]. */
@Step.Named(value = "parallel", type = "org.jenkinsci.plugins.workflow.cps.steps.ParallelStep", block = true, free = true)
public final class Parallel extends Step {
    private static final long serialVersionUID = 1L;
    private final Map<String, Outcome> outcomes = new LinkedHashMap<>();
    private final Set<Throwable> failures = new LinkedHashSet<>();
    private final List<Body> running = new ArrayList<>();
    private boolean failFast;
    private boolean stopSent;

    /** The branches and {@code failFast}, as given: any name may be a branch. */
    @Override
    protected void arguments(Map<String, Object> args) {
        for (Map.Entry<String, Object> e : args.entrySet()) {
            if (e.getKey().equals("failFast") && e.getValue() instanceof Boolean b) {
                failFast = b;
            } else if (!(e.getValue() instanceof Closure)) {
                throw new IllegalArgumentException("Expected a closure or failFast but found " + e.getKey() + "=" + e.getValue());
            } else {
                outcomes.put(e.getKey(), null);
            }
        }
        for (String name : outcomes.keySet()) {
            running.add(call.runBody((Closure<?>) args.get(name), call.context(), null, name));
        }
    }

    @Override
    public void start() {
        if (outcomes.isEmpty()) {
            call.log("No branches to run");
            call.succeed(new HashMap<>());
        }
    }

    @Override
    public void bodyDone(Body body, Outcome outcome) {
        outcomes.put(body.branch, outcome);
        if (outcome.isFailure()) {
            call.log("Failed in branch " + body.branch);
            failures.add(outcome.getAbnormal());
        }
        if (outcomes.containsValue(null)) {
            if (outcome.isFailure() && failFast && !stopSent) {
                stopSent = true;
                stop(new FlowInterruptedException(Result.ABORTED, true, new FailFastCause(body.branch)));
            }
            return;
        }
        finish();
    }

    private void finish() {
        if (failures.isEmpty()) {
            Map<String, Object> values = new HashMap<>();
            outcomes.forEach((name, o) -> values.put(name, o.getNormal()));
            call.succeed(values);
            return;
        }
        List<Throwable> all = new ArrayList<>(failures);
        if (!failFast) {
            all.sort(Comparator.comparingInt(Parallel::severity).thenComparingInt(new ArrayList<>(failures)::indexOf));
        }
        Throwable first = all.get(0);
        all.subList(1, all.size()).forEach(first::addSuppressed);
        call.fail(first);
    }

    /** Without failFast an interruption counts less than an AbortException, and that less than anything else. */
    private static int severity(Throwable t) {
        if (t instanceof FlowInterruptedException f) {
            return 10 - f.getResult().ordinal;
        }
        return t instanceof AbortException ? 1 : 0;
    }

    @Override
    public void stop(Throwable cause) {
        running.forEach(b -> b.cancel(cause));
    }

    /** Why a sibling of a failed branch was interrupted. */
    public static final class FailFastCause extends CauseOfInterruption {
        private static final long serialVersionUID = 1L;
        private final String branch;

        FailFastCause(String branch) {
            this.branch = branch;
        }

        @Override
        public String getShortDescription() {
            return "Failed in branch " + branch;
        }
    }
}
