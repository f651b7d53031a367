package pipeline.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jenkinsci.plugins.workflow.cps.CpsScript;
import org.jenkinsci.plugins.workflow.cps.EnvActionImpl;
import org.jenkinsci.plugins.workflow.support.steps.build.RunWrapper;

/** The global variables of a pipeline: Jenkins' own and one for each var of a loaded library. */
final class Globals {
    private static final Set<String> OWN = Set.of("currentBuild", "env", "params", "pipeline", "scm");

    private Globals() {}

    static boolean has(Build build, String name) {
        return OWN.contains(name) || build.loaders().isVar(name);
    }

    static List<String> names(Build build) {
        Set<String> r = new TreeSet<>(OWN);
        r.addAll(build.loaders().vars());
        return new ArrayList<>(r);
    }

    static Object get(Build build, String name, CpsScript script) {
        return switch (build.loaders().isVar(name) ? "" : name) {
            case "env" -> new EnvActionImpl();
            case "currentBuild" -> new RunWrapper(build.settings().number);
            case "params" -> Parameters.of(build);
            case "scm" -> Scm.of(build);
            case "pipeline" -> build.loaders().declarative(script);
            default -> instance(build, name, script);
        };
    }

    /** A var is one instance for each calling script: it lives in that script's binding [604]. */
    private static Object instance(Build build, String name, CpsScript script) {
        if (script.getBinding().hasVariable(name)) {
            return script.getBinding().getVariable(name);
        }
        Object instance = build.loaders().newVar(name);
        script.getBinding().setVariable(name, instance);
        return instance;
    }
}
