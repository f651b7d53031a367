package pipeline.steps;

import hudson.AbortException;
import pipeline.engine.Step;

/** {@code error 'text'}: fails with an AbortException [401]; secrets in the text are masked in the exception itself [105]. */
@Step.Named(value = "error", type = "org.jenkinsci.plugins.workflow.steps.ErrorStep", sole = "message")
public final class ErrorStep extends Step {
    private static final long serialVersionUID = 1L;
    @Arg String message;

    @Override
    public void start() throws AbortException {
        throw message == null ? new AbortException() : new AbortException(message);
    }
}
