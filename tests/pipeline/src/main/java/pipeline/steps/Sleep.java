package pipeline.steps;

import java.util.concurrent.TimeUnit;
import pipeline.engine.Durations;
import pipeline.engine.Step;

/** {@code sleep 5}: after a restart the rest of the time is slept [802]. */
@Step.Named(value = "sleep", type = "org.jenkinsci.plugins.workflow.steps.SleepStep", sole = "time")
public final class Sleep extends Step {
    private static final long serialVersionUID = 1L;
    @Arg int time;
    @Arg String unit = "SECONDS";
    private long until;

    @Override
    public void start() {
        long millis = TimeUnit.valueOf(unit).toMillis(time);
        until = build().clock().now() + millis;
        go(millis);
    }

    private void go(long left) {
        if (left <= 0) {
            call.log("No need to sleep any longer");
            call.succeed(null);
            return;
        }
        call.log("Sleeping for " + Durations.text(left));
        wakeAt(until, "slept");
    }

    @Override
    public void wake(String what) {
        call.succeed(null);
    }

    @Override
    public void resume() {
        go(until - build().clock().now());
    }
}
