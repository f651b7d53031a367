package pipeline.steps;

import com.cloudbees.groovy.cps.Outcome;
import hudson.model.Result;
import java.util.concurrent.TimeUnit;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import org.jenkinsci.plugins.workflow.steps.TimeoutStepExecution.ExceededTimeout;
import pipeline.engine.Body;
import pipeline.engine.Durations;
import pipeline.engine.Step;

/** {@code timeout(time: 5, unit: 'SECONDS') { }} [401, 502-505]; counts on through a restart [805]. */
@Step.Named(value = "timeout", type = "org.jenkinsci.plugins.workflow.steps.TimeoutStep", sole = "time", block = true)
public final class Timeout extends Step {
    private static final long serialVersionUID = 1L;
    /** A body that does not end is killed by force after this long. */
    private static final long GRACE_MILLIS = 60_000;

    @Arg int time;
    @Arg String unit = "MINUTES";
    @Arg boolean activity;
    private long until;
    private Body body;
    private boolean expired;
    private boolean forced;

    @Override
    public void start() {
        long millis = TimeUnit.valueOf(unit).toMillis(time);
        until = build().clock().now() + millis;
        body = call.runBody(activity ? call.context().withQuietTimeout(call.id()) : call.context());
        arm(millis);
    }

    private void arm(long millis) {
        String left = Durations.text(Math.max(0, millis));
        call.log(activity ? "Timeout set to expire after " + left + " without activity" : "Timeout set to expire in " + left);
        wakeAt(until, "expired");
    }

    @Override
    public void wake(String what) {
        if (what.equals("now")) {
            until = build().clock().now();
            what = "expired";
        }
        if (what.equals("activity")) {
            until = build().clock().now() + TimeUnit.valueOf(unit).toMillis(time);
            wakeAt(until, "expired");
        } else if (what.equals("expired") && build().clock().now() >= until && !expired) {
            expired = true;
            call.log("Cancelling nested steps due to timeout");
            FlowInterruptedException cause = new FlowInterruptedException(Result.ABORTED, new ExceededTimeout(call.id()));
            body.cancel(cause);
            wakeAt(build().clock().now() + GRACE_MILLIS, "grace is over");
        } else if (what.equals("grace is over") && !forced) {
            forced = true;
            call.log("Body did not finish within grace period; terminating with extreme prejudice");
            body.force(new FlowInterruptedException(Result.ABORTED, new ExceededTimeout(call.id())));
        }
    }

    @Override
    public void resume() {
        arm(until - build().clock().now());
    }

    /** What this timeout interrupted is not an actual interruption further out: retry repeats it [503]. */
    @Override
    public void bodyDone(Body b, Outcome outcome) throws Exception {
        if (outcome.getAbnormal() instanceof FlowInterruptedException f
                && f.getCauses().stream().anyMatch(c -> c instanceof ExceededTimeout t && t.isOf(call.id()))) {
            f.setActualInterruption(false);
        }
        super.bodyDone(b, outcome);
    }
}
