package pipeline.steps;

import java.lang.reflect.InvocationTargetException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import pipeline.engine.Step;

/** {@code withEnv(['A=b']) { }}: values are taken literally [104]. */
@Step.Named(value = "withEnv", type = "org.jenkinsci.plugins.workflow.steps.EnvStep", sole = "overrides", block = true)
public final class WithEnv extends Step {
    private static final long serialVersionUID = 1L;
    @Arg List<Object> overrides = List.of();

    @Override
    public void start() {
        Map<String, String> changes = new LinkedHashMap<>();
        for (Object o : overrides) {
            int eq = o == null ? -1 : o.toString().indexOf('=');
            if (eq < 0) {
                throw uninstantiable(new InvocationTargetException(new IllegalArgumentException(String.valueOf(o))));
            }
            changes.put(o.toString().substring(0, eq), o.toString().substring(eq + 1));
        }
        call.runBody(call.context().withEnv(changes));
    }
}
