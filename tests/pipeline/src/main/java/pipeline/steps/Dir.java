package pipeline.steps;

import pipeline.engine.Step;

/** {@code dir('path') { }}: changes only the working directory [104, 202]. */
@Step.Named(value = "dir", type = "org.jenkinsci.plugins.workflow.steps.PushdStep", sole = "path", block = true, needs = "hudson.FilePath")
public final class Dir extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String path;

    @Override
    public void start() {
        if (path == null || path.isEmpty()) {
            throw new NullPointerException("The path must not be null or empty");
        }
        String to = call.context().file(path).normalize().toString();
        call.log("Running in " + call.context().agent.named(to));
        call.runBody(call.context().in(to));
    }
}
