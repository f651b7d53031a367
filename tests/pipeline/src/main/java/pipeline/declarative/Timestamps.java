package pipeline.declarative;

import pipeline.engine.Step;

/** {@code options { timestamps() }}: the block that Jenkins shows, without the times before each line. */
@Step.Named(value = "timestamps", type = "hudson.plugins.timestamper.pipeline.TimestamperStep", block = true)
public final class Timestamps extends Step {
    private static final long serialVersionUID = 1L;

    @Override
    public void start() {
        call.runBody(call.context());
    }
}
