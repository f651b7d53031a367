package pipeline.engine;

import com.cloudbees.groovy.cps.Continuable;
import groovy.lang.Closure;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jenkinsci.plugins.workflow.steps.MissingContextVariableException;

/** All steps that the runner has, and how one is called from pipeline code. */
public final class Steps {
    private static final Map<String, StepType> TYPES = new TreeMap<>();

    static {
        for (ServiceLoader.Provider<Step> p : ServiceLoader.load(Step.class, Steps.class.getClassLoader()).stream().toList()) {
            StepType t = new StepType(p.type());
            TYPES.put(t.name(), t);
        }
    }

    private Steps() {}

    /** The unit by which code tells the engine that it waits: thrown through {@link Continuable#suspend}. */
    record Waiting(Call call) {}

    /** The names of a step's arguments; empty if any name goes, or if there is no such step. */
    public static Set<String> parameters(String step) {
        StepType type = TYPES.get(step);
        return type == null ? Set.of() : type.parameterNames();
    }

    public static boolean isStep(String name) {
        return TYPES.containsKey(name);
    }

    /** Calls a step by name: returns its value, throws its exception, or suspends the code until it ends. */
    public static Object invoke(String name, Object args) {
        StepType type = TYPES.get(name);
        if (type == null) {
            return notAStep(name, args);
        }
        Arguments a = Arguments.parse(args, type);
        if (a.closure == null && type.needsBlock()) {
            throw new IllegalStateException(name + " step must be called with a body");
        }
        Call call = begin(type, a);
        if (call.isCompleted()) {
            call.end();
            if (call.outcome.isFailure()) {
                throw Errors.thrown(call.outcome.getAbnormal());
            }
            return call.outcome.getNormal();
        }
        Continuable.suspend(name, new Waiting(call));
        throw new AssertionError();
    }

    private static Call begin(StepType type, Arguments a) {
        Build build = Build.current();
        GreenThread thread = build.currentThread();
        FlowNode node = build.graph().step(type.name(), type.takesBlock(), thread.context.enclosing);
        thread.head.node = node.id;
        Call call = new Call(build.nextCallId(), type.name(), thread, node, a.closure);
        thread.call = call;
        if (type.showsArguments()) {
            node.args = Masks.arguments(thread.context, a.named);
        }
        try {
            warnOfSecrets(call, a);
            checkContext(type, thread.context);
            Step step = type.bind(a.named, call);
            if (!build.isCutByRestart(call)) {
                step.start();
                build.stepStarted(call);
            }
        } catch (Exception e) {
            call.fail(e);
        }
        return call;
    }

    /** A removed agent's steps fail as ExecutorStepDynamicContext of workflow-durable-task-step lets them (read, not recorded). */
    private static void checkContext(StepType type, Context context) throws MissingContextVariableException, IOException {
        if (type.needs().isEmpty()) {
            return;
        }
        if (context.agent == null) {
            throw new MissingContextVariableException(type.needs(), type.name());
        }
        if (Build.current().state().removedAgents.contains(context.agent.name)) {
            throw new IOException("Unable to create live FilePath for " + context.agent.name);
        }
    }

    /** workflow-cps warns when a flattened GString holds the value of a secret variable [105]. */
    private static void warnOfSecrets(Call call, Arguments a) {
        List<String> found = new ArrayList<>();
        Map<String, String> secrets = call.context().secrets;
        // In a HashSet's order, as Jenkins names them [106].
        new HashSet<>(secrets.keySet()).forEach(variable -> {
            String value = secrets.get(variable);
            if (!value.isEmpty() && a.interpolated.stream().anyMatch(s -> s.contains(value))) {
                found.add(variable);
            }
        });
        if (!found.isEmpty()) {
            call.log("Warning: A secret was passed to \"" + call.name() + "\" using Groovy String interpolation, which is insecure."
                    + "\n\t\t Affected argument(s) used the following variable(s): " + found
                    + "\n\t\t See https://jenkins.io/redirect/groovy-string-interpolation for details.");
        }
    }

    private static Object notAStep(String name, Object args) {
        if (Symbols.NESTED.contains(name)) {
            return Arguments.describe(name, args);
        }
        if (Symbols.NOT_IMITATED.contains(name)) {
            throw new UnsupportedOperationException("The pipeline runner does not imitate the step '" + name
                    + "'. See tests/pipeline/README.md for the steps it has and how to add one.");
        }
        throw new NoSuchMethodError("No such DSL method '" + name + "' found among steps " + TYPES.keySet() + " or symbols "
                + new TreeSet<>(Symbols.NESTED) + " or globals " + Globals.names(Build.current()));
    }
}
