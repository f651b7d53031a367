package pipeline.steps;

import pipeline.engine.Step;

/** {@code warnError('text') { }}: catchError that makes the build unstable [501, 502]. */
@Step.Named(value = "warnError", type = "org.jenkinsci.plugins.workflow.steps.WarnErrorStep", sole = "message", block = true)
public final class WarnError extends CatchError {
    private static final long serialVersionUID = 1L;

    public WarnError() {
        buildResult = "UNSTABLE";
        stageResult = "UNSTABLE";
    }
}
