package pipeline.engine;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Replaces secrets by {@code ****}: the text itself, also in quotes, and its Base64 form, nothing else [105]. */
public final class Masks {
    /** Longer arguments are not kept in the flow graph. */
    private static final int LONGEST_ARGUMENT = 1024;

    private Masks() {}

    /** An exception without secrets in its text: itself, or what the credentials-binding plugin puts in its place [105]. */
    public static Throwable exception(Context context, Throwable t) {
        String text = String.valueOf(t);
        if (context.secrets.isEmpty() || apply(context, text).equals(text)) {
            return t;
        }
        org.jenkinsci.plugins.credentialsbinding.impl.MaskedException m =
                new org.jenkinsci.plugins.credentialsbinding.impl.MaskedException(apply(context, t.getMessage()));
        m.setStackTrace(t.getStackTrace());
        return m;
    }

    private static List<String> patterns(Context context) {
        List<String> r = new ArrayList<>();
        for (String secret : context.secrets.values()) {
            if (!secret.isBlank()) {
                r.add(secret);
                r.add("'" + secret + "'");
                r.add(Base64.getEncoder().encodeToString(secret.getBytes(StandardCharsets.UTF_8)));
                r.add(Base64.getEncoder().withoutPadding().encodeToString(secret.getBytes(StandardCharsets.UTF_8)));
            }
        }
        r.sort(Comparator.comparingInt(String::length).reversed());
        return r;
    }

    public static String apply(Context context, String text) {
        if (text == null || context.secrets.isEmpty()) {
            return text;
        }
        for (String p : patterns(context)) {
            text = text.replace(p, "****");
        }
        return text;
    }

    /** The arguments as the flow graph keeps them: secrets by the name of their variable. */
    static Map<String, Object> arguments(Context context, Map<String, Object> args) {
        Map<String, Object> r = new LinkedHashMap<>();
        args.forEach((k, v) -> {
            Object shown = shown(context, v);
            if (shown != null) {
                r.put(k, shown);
            }
        });
        return r;
    }

    private static Object shown(Context context, Object v) {
        if (v instanceof String s) {
            for (Map.Entry<String, String> e : context.secrets.entrySet()) {
                if (!e.getValue().isEmpty()) {
                    s = s.replace(e.getValue(), "${" + e.getKey() + "}");
                }
            }
            return s.length() > LONGEST_ARGUMENT ? null : s;
        }
        if (v instanceof List<?> list) {
            return list.stream().map(i -> shown(context, i)).map(i -> i == null ? "null" : i).toList();
        }
        if (v instanceof Described d) {
            Map<String, Object> inside = new LinkedHashMap<>();
            d.shown().forEach((name, value) -> inside.put(name, value == null ? null : shown(context, value)));
            return Map.of("$" + d.symbol(), inside);
        }
        if (v instanceof hudson.plugins.git.GitSCM git) {
            return git.described();
        }
        return v == null || v instanceof Number || v instanceof Boolean ? v : v.toString();
    }
}
