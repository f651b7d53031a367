package pipeline.declarative;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jenkinsci.plugins.credentialsbinding.impl.CredentialNotFoundException;
import pipeline.engine.Build;
import pipeline.engine.Ending;

/** What the interpreter needs of the build beside steps. */
public final class DeclarativeBuild {
    private static final String BINDING = "org.jenkinsci.plugins.credentialsbinding.impl.";

    private DeclarativeBuild() {}

    /** A second {@code pipeline { }} in one build is an error, wherever it comes from. */
    public static void begin() {
        if (Build.current().state().declarative) {
            throw new IllegalStateException("Only one pipeline { ... } block can be executed in a single run.");
        }
        Build.current().state().declarative = true;
    }

    /** A line that belongs to no step. */
    public static void log(String line) {
        Build build = Build.current();
        build.log(build.currentThread().context(), line);
    }

    /** The stack trace and an empty line [308]. */
    public static void logTrace(Throwable t) {
        log(Ending.trace(t).stripTrailing() + "\n");
    }

    /** Options that change what a restart does to the build [804, 806]. */
    public static void durability(Map<String, List<?>> options) {
        Build.current().state().notResumable = options.containsKey("disableResume");
        List<?> hint = options.getOrDefault("durabilityHint", List.of());
        Build.current().state().notDurable |= hint.toString().contains("PERFORMANCE_OPTIMIZED");
    }

    /** Whether an option is a step around what it belongs to. */
    public static boolean isWrapper(String option) {
        return Sections.WRAPPERS.contains(option);
    }

    public static boolean hasScm() {
        return Build.current().settings().scmRepository != null;
    }

    /** Names in the order in which a HashMap holds them. */
    public static List<String> unordered(Collection<String> names) {
        return new ArrayList<>(new HashSet<>(names));
    }

    /**
     * The bindings for {@code X = credentials('id')}: by what is stored under the id, a text, a file, or user and password as X,
     * X_USR and X_PSW of which X_USR is not a secret [106]; a missing one fails at once, its id being all the text [107].
     */
    public static List<Map<String, Object>> bindings(Map<String, String> ids) throws CredentialNotFoundException {
        List<Map<String, Object>> r = new ArrayList<>();
        for (Map.Entry<String, String> e : ids.entrySet()) {
            Object stored = Build.current().settings().credentials.get(e.getValue());
            if (stored == null) {
                throw new CredentialNotFoundException(e.getValue());
            }
            String kind = stored instanceof Map<?, ?> m ? String.valueOf(m.get("kind")) : "string";
            String name = e.getKey();
            switch (kind) {
                case "string" -> r.add(binding("StringBinding", e.getValue(), "variable", name));
                case "file" -> r.add(binding("FileBinding", e.getValue(), "variable", name));
                case "usernamePassword" -> {
                    r.add(binding("UsernamePasswordBinding", e.getValue(), "variable", name));
                    r.add(binding("UsernamePasswordMultiBinding", e.getValue(), "usernameVariable", name + "_USR", "passwordVariable", name + "_PSW"));
                }
                default -> throw new UnsupportedOperationException("The pipeline runner does not imitate credentials() of the kind " + kind);
            }
        }
        return r;
    }

    private static Map<String, Object> binding(String type, String id, String... variables) {
        Map<String, Object> r = new TreeMap<>();
        r.put("$class", BINDING + type);
        for (int i = 0; i < variables.length; i += 2) {
            r.put(variables[i], variables[i + 1]);
        }
        r.put("credentialsId", id);
        return r;
    }

    /** The cells of a matrix as stages: each named by its values and having all that the matrix has. */
    @SuppressWarnings("unchecked")
    public static List<Map<String, Object>> cells(Map<String, Object> matrix) {
        List<Map<String, Object>> r = new ArrayList<>();
        for (Map<String, String> cell : (List<Map<String, String>>) matrix.get("cells")) {
            Map<String, Object> stage = new LinkedHashMap<>(matrix);
            stage.remove("cells");
            stage.put("cell", cell);
            stage.put("name", "Matrix - " + cell.entrySet().stream().map(e -> e.getKey() + " = '" + e.getValue() + "'")
                    .collect(Collectors.joining(", ")));
            r.add(stage);
        }
        return r;
    }
}
