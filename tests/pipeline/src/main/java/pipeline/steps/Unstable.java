package pipeline.steps;

import hudson.model.Result;
import java.lang.reflect.InvocationTargetException;
import java.util.Map;
import pipeline.engine.Step;

/** {@code unstable 'text'} [203, 501]. */
@Step.Named(value = "unstable", type = "org.jenkinsci.plugins.workflow.steps.UnstableStep", sole = "message")
public final class Unstable extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String message;

    @Override
    public void start() {
        if (message == null || message.isEmpty()) {
            throw uninstantiable(new InvocationTargetException(new IllegalArgumentException("A non-empty message is required")));
        }
        call.log("WARNING: " + message);
        call.node().warning = Map.of("result", "UNSTABLE", "message", message);
        build().state().worsen(Result.UNSTABLE);
        call.succeed(null);
    }
}
