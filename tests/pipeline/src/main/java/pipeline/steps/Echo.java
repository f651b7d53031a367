package pipeline.steps;

import pipeline.engine.Step;

/** {@code echo 'text'} [402]. */
@Step.Named(value = "echo", type = "org.jenkinsci.plugins.workflow.steps.EchoStep", sole = "message")
public final class Echo extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String message;

    @Override
    public void start() {
        call.log(message == null ? "null" : message);
        call.succeed(null);
    }
}
