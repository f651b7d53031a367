package pipeline.steps;

import com.cloudbees.groovy.cps.Outcome;
import pipeline.engine.Body;
import pipeline.engine.Durations;
import pipeline.engine.Step;

/** {@code waitUntil { condition }}: returns null [434, 510]. */
@Step.Named(value = "waitUntil", type = "org.jenkinsci.plugins.workflow.support.steps.WaitUntilStep", block = true)
public final class WaitUntil extends Step {
    private static final long serialVersionUID = 1L;
    private static final double BACK_OFF = 1.2;
    private static final long LONGEST_MILLIS = 15_000;

    @Arg long initialRecurrencePeriod = 250;
    @Arg boolean quiet;
    private long pause;
    private Throwable stopped;

    @Override
    public void start() {
        pause = initialRecurrencePeriod;
        call.runBody(call.context());
    }

    @Override
    public void bodyDone(Body body, Outcome outcome) throws Exception {
        if (outcome.isFailure()) {
            super.bodyDone(body, outcome);
        } else if (!(outcome.getNormal() instanceof Boolean done)) {
            call.fail(new ClassCastException("body return value " + outcome.getNormal() + " is not boolean"));
        } else if (done) {
            call.succeed(null);
        } else {
            if (!quiet) {
                call.log("Will try again after " + Durations.text(pause));
            }
            wakeAt(build().clock().now() + pause, "again");
            pause = Math.min((long) (pause * BACK_OFF), LONGEST_MILLIS);
        }
    }

    @Override
    public void wake(String what) {
        if (stopped == null) {
            call.runBody(call.context());
        }
    }

    @Override
    public void stop(Throwable cause) throws Exception {
        stopped = cause;
        super.stop(cause);
    }

    @Override
    public void resume() {
        wakeAt(build().clock().now() + pause, "again");
    }
}
