package pipeline.steps;

import java.util.Map;
import pipeline.engine.Step;

/** {@code ws('path') { }}: another workspace on the same agent [510]. */
@Step.Named(value = "ws", type = "org.jenkinsci.plugins.workflow.support.steps.WorkspaceStep", sole = "dir", block = true, needs = "hudson.FilePath")
public final class Ws extends Step {
    private static final long serialVersionUID = 1L;
    @Arg String dir;

    @Override
    public void start() {
        String to = dir == null ? call.context().folder + "@2" : call.context().file(dir).normalize().toString();
        String shown = call.context().agent.named(to);
        call.log("Running in " + shown);
        call.runBody(call.context().in(to).withEnv(Map.of("WORKSPACE", shown, "WORKSPACE_TMP", shown + "@tmp")));
    }
}
