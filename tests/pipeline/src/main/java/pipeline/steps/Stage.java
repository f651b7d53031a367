package pipeline.steps;

import java.util.Map;
import pipeline.engine.Step;

/** {@code stage('name') { }}: sets STAGE_NAME [201]. */
@Step.Named(value = "stage", type = "org.jenkinsci.plugins.workflow.support.steps.StageStep", sole = "name", block = true)
public final class Stage extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String name;
    @Arg Integer concurrency;

    @Override
    public void start() {
        call.runBody(call.closure(), call.context().withEnv(Map.of("STAGE_NAME", name)), name, null);
    }
}
