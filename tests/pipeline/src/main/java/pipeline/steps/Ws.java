package pipeline.steps;

import java.nio.file.Path;
import java.util.Map;
import pipeline.engine.Step;

/** {@code ws('path') { }}: another workspace on the same agent [510]. */
@Step.Named(value = "ws", type = "org.jenkinsci.plugins.workflow.support.steps.WorkspaceStep", sole = "dir", block = true, needs = "hudson.FilePath")
public final class Ws extends Step {
    private static final long serialVersionUID = 1L;
    @Arg String dir;

    @Override
    public void start() {
        String to = dir == null ? call.context().folder + "@2" : Path.of(call.context().folder).resolve(dir).normalize().toString();
        call.log("Running in " + to);
        call.runBody(call.context().in(to).withEnv(Map.of("WORKSPACE", to, "WORKSPACE_TMP", to + "@tmp")));
    }
}
