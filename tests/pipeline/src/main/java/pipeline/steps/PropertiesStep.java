package pipeline.steps;

import java.util.List;
import pipeline.engine.Step;

/** {@code properties([..])}: the job's properties; there is no job to change, so it does nothing [452]. */
@Step.Named(value = "properties", type = "org.jenkinsci.plugins.workflow.multibranch.JobPropertyStep", sole = "properties")
public final class PropertiesStep extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) List<Object> properties;

    @Override
    public void start() {
        call.succeed(null);
    }
}
