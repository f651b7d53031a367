package pipeline.steps;

import java.io.IOException;
import pipeline.engine.Step;

/** {@code bat 'script'}: there are no Windows agents here, so it fails as on any other Unix agent [401]. */
@Step.Named(value = "bat", type = "org.jenkinsci.plugins.workflow.steps.durable_task.BatchScriptStep", sole = "script", needs = "hudson.FilePath")
public final class Bat extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String script;
    @Arg boolean returnStdout;
    @Arg boolean returnStatus;
    @Arg String encoding;
    @Arg String label;

    @Override
    public void start() throws IOException {
        throw new IOException("Batch scripts can only be run on Windows nodes");
    }
}
