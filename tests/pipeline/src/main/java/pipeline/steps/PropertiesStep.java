package pipeline.steps;

import java.util.List;
import pipeline.engine.Described;
import pipeline.engine.Step;

/** {@code properties([..])}: the job's properties; only the durability hint has an effect here [452, 804]. */
@Step.Named(value = "properties", type = "org.jenkinsci.plugins.workflow.multibranch.JobPropertyStep", sole = "properties")
public final class PropertiesStep extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) List<Object> properties;

    @Override
    public void start() {
        for (Object p : properties) {
            if (p instanceof Described d && d.symbol().equals("durabilityHint")) {
                build().state().notDurable = d.arguments().containsValue("PERFORMANCE_OPTIMIZED");
            }
        }
        call.succeed(null);
    }
}
