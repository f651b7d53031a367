package pipeline.declarative;

import hudson.util.Secret;
import java.util.List;
import java.util.Map;
import pipeline.engine.Build;

/**
 * {@code parameters { }}: what was not given to the build has its default, as in every build after the first, which is what made
 * the parameters known to Jenkins.
 */
public final class ParameterDefaults {
    private ParameterDefaults() {}

    public static void declare(String type, List<?> arguments) {
        if (arguments.size() != 1 || !(arguments.get(0) instanceof Map<?, ?> named)) {
            throw new UnsupportedOperationException("The pipeline runner knows parameters with named arguments only, not " + type + arguments);
        }
        Object preset = named.get("defaultValue");
        Object value = switch (type) {
            case "booleanParam" -> preset != null && Boolean.parseBoolean(preset.toString());
            case "choice" -> choice(named.get("choices"));
            case "password" -> new Secret(preset == null ? "" : preset.toString());
            default -> preset == null ? "" : preset.toString();
        };
        Build.current().settings().parameters.putIfAbsent(String.valueOf(named.get("name")), value);
    }

    /** The first one: a list, or lines of a text. */
    private static String choice(Object choices) {
        List<?> all = choices instanceof List<?> list ? list : List.of(String.valueOf(choices).split("\n"));
        return all.isEmpty() ? "" : String.valueOf(all.get(0));
    }
}
