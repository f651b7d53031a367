package pipeline.declarative;

import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.codehaus.groovy.runtime.typehandling.DefaultTypeTransformation;
import pipeline.engine.Build;

/** The {@code when} conditions that look at the environment and at values. */
public final class PlainConditions {
    private PlainConditions() {}

    /** Arguments as written: one plain value, or a map of names. */
    public static boolean holds(String type, List<?> arguments) {
        Map<?, ?> named = arguments.size() == 1 && arguments.get(0) instanceof Map<?, ?> m ? m : Map.of();
        String plain = arguments.size() == 1 && named.isEmpty() ? text(arguments.get(0)) : null;
        return switch (type) {
            case "branch" -> matches(pattern(plain, named), variable("BRANCH_NAME", "GIT_LOCAL_BRANCH"), text(named.get("comparator")));
            case "tag" -> tag(pattern(plain, named), text(named.get("comparator")));
            case "buildingTag" -> !variable("TAG_NAME").isEmpty();
            case "changeRequest" -> !variable("CHANGE_ID").isEmpty();
            case "equals" -> DefaultTypeTransformation.compareEqual(named.get("expected"), named.get("actual"));
            case "environment" -> environment(text(named.get("value")), variable(text(named.get("name"))), named.get("ignoreCase"));
            default -> throw new IllegalArgumentException(type);
        };
    }

    private static String text(Object o) {
        return o == null ? null : o.toString();
    }

    private static String pattern(String plain, Map<?, ?> named) {
        return plain != null ? plain : text(named.get("pattern"));
    }

    /** The first of them that has a value; empty if none has. */
    private static String variable(String... names) {
        Map<String, String> env = Build.current().environment();
        for (String name : names) {
            if (!Objects.requireNonNullElse(env.get(name), "").isEmpty()) {
                return env.get(name);
            }
        }
        return "";
    }

    private static boolean environment(String wanted, String value, Object ignoreCase) {
        String w = wanted == null ? "" : wanted;
        return Boolean.TRUE.equals(ignoreCase) ? w.equalsIgnoreCase(value) : w.equals(value);
    }

    private static boolean tag(String pattern, String comparator) {
        String tag = variable("TAG_NAME");
        return pattern == null || pattern.isEmpty() ? !tag.isEmpty() : matches(pattern, tag, comparator);
    }

    /** Ant-like globs by default: one star stays within a path element. */
    private static boolean matches(String pattern, String value, String comparator) {
        if (pattern == null || pattern.isEmpty() || value.isEmpty()) {
            return value.isEmpty() && (pattern == null || pattern.isEmpty());
        }
        return switch (comparator == null ? "GLOB" : comparator) {
            case "EQUALS" -> value.equals(pattern);
            case "REGEXP" -> Pattern.matches(pattern, value);
            default -> FileSystems.getDefault().getPathMatcher("glob:" + pattern).matches(Path.of(value));
        };
    }
}
