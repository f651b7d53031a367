package pipeline.run;

import groovy.json.JsonException;
import groovy.json.JsonSlurperClassic;
import hudson.util.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import pipeline.engine.Settings;

/** The runner's environment variables; README.md lists them. */
final class Options {
    private Options() {}

    static void apply(Pipeline p, Map<String, String> env, Path file) throws Main.Unable, IOException {
        Settings s = p.settings();
        env.forEach((k, v) -> {
            if (k.startsWith("LAST9_")) {
                p.env(k, v);
            }
        });
        s.sandbox = isOn(env, "PIPELINE_SANDBOX");
        if (isOn(env, "PIPELINE_LIBRARY_SANDBOXED")) {
            s.libraries.replaceAll((name, l) -> new Settings.LibrarySpec(l.directory(), false));
            s.sandbox = true;
        }
        json(env, "PIPELINE_CREDENTIALS").forEach(s.credentials::put);
        json(env, "PIPELINE_PARAMS").forEach((k, v) -> s.parameters.put(k, v instanceof Map<?, ?> m && m.containsKey("secret")
                ? new Secret(String.valueOf(m.get("secret"))) : v));
        s.cause = cause(env.get("PIPELINE_CAUSE"));
        s.jobName = env.getOrDefault("PIPELINE_JOB_NAME", s.jobName);
        s.scmRepository = env.get("PIPELINE_SCM");
        s.scmUrl = env.getOrDefault("PIPELINE_SCM_URL", s.scmRepository);
        s.shell = env.getOrDefault("PIPELINE_SHELL", s.shell);
        s.oldResumeMessage = isOn(env, "PIPELINE_OLD_RESUME_MESSAGE");
        aborts(s, env);
        agents(s, env.get("PIPELINE_AGENTS"));
        if (env.get("PIPELINE_KEEP") != null) {
            Path keep = Path.of(env.get("PIPELINE_KEEP")).toAbsolutePath();
            Files.createDirectories(keep);
            s.home = keep.toRealPath().toString();
        }
    }

    private static boolean isOn(Map<String, String> env, String name) {
        return List.of("1", "true", "yes").contains(env.getOrDefault(name, ""));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> json(Map<String, String> env, String name) throws Main.Unable {
        String text = env.get(name);
        if (text == null || text.isBlank()) {
            return Map.of();
        }
        try {
            return (Map<String, Object>) new JsonSlurperClassic().parseText(text);
        } catch (JsonException | ClassCastException e) {
            throw new Main.Unable(name + " must be a JSON object, it is: " + text);
        }
    }

    /** A bare word that is neither timer nor upstream is a user id. */
    private static String cause(String text) {
        if (text == null || text.isBlank()) {
            return null;
        }
        if (text.equals("upstream")) {
            return "upstream:";
        }
        return text.equals("timer") || text.startsWith("upstream:") || text.startsWith("user:") ? text : "user:" + text;
    }

    private static void aborts(Settings s, Map<String, String> env) throws Main.Unable {
        for (String seconds : list(env.get("PIPELINE_ABORT_AFTER"))) {
            try {
                s.happenings.add(new Settings.Happening("stop", Math.round(Double.parseDouble(seconds) * 1000), null, 0, null));
            } catch (NumberFormatException e) {
                throw new Main.Unable("PIPELINE_ABORT_AFTER must be seconds, or several separated by commas, it is: " + seconds);
            }
        }
        for (String at : list(env.get("PIPELINE_ABORT_AT"))) {
            s.happenings.add(new Settings.Happening("stop", null, step(at), nth(at.replaceFirst("@.*", "")), null, moment(at)));
        }
        for (String at : list(env.get("PIPELINE_TIMEOUT_AT"))) {
            s.happenings.add(new Settings.Happening("timeout", null, step(at), nth(at.replaceFirst("@.*", "")), null, moment(at)));
        }
        for (String at : list(env.get("PIPELINE_RESTART_AT"))) {
            s.happenings.add(new Settings.Happening("restart", null, step(at), nth(at), null));
        }
    }

    private static List<String> list(String text) {
        return text == null || text.isBlank() ? List.of() : List.of(text.trim().split("\\s*,\\s*"));
    }

    private static String step(String at) {
        return at.replaceFirst("[:@].*", "");
    }

    /** {@code STEP[:N]@gap} or {@code STEP[:N]@MILLISECONDS}. */
    private static long moment(String at) throws Main.Unable {
        String moment = at.contains("@") ? at.substring(at.indexOf('@') + 1) : String.valueOf(Settings.STARTED_MILLIS);
        try {
            return moment.equals("gap") ? Settings.GAP : Long.parseLong(moment);
        } catch (NumberFormatException e) {
            throw new Main.Unable("write STEP[:N]@gap or STEP[:N]@MILLISECONDS, not " + at);
        }
    }

    private static int nth(String at) throws Main.Unable {
        try {
            return at.contains(":") ? Integer.parseInt(at.substring(at.indexOf(':') + 1)) : 1;
        } catch (NumberFormatException e) {
            throw new Main.Unable("write STEP or STEP:N, not " + at);
        }
    }

    /** {@code name=label label; name=label*2; name=label!sh:2}: labels, executors after a star, after ! the step in which it goes away. */
    private static void agents(Settings s, String text) throws Main.Unable {
        if (text == null || text.isBlank()) {
            return;
        }
        List<Settings.AgentSpec> r = new ArrayList<>();
        for (String one : text.split(";")) {
            String name = one.replaceFirst("[=!].*", "").trim();
            if (one.contains("!")) {
                String at = one.substring(one.indexOf('!') + 1).trim();
                s.happenings.add(new Settings.Happening("remove " + name, null, step(at), nth(at), null));
                one = one.substring(0, one.indexOf('!'));
            }
            String labels = one.contains("=") ? one.substring(one.indexOf('=') + 1).trim() : name;
            int executors = labels.matches(".*\\*\\d+") ? Integer.parseInt(labels.substring(labels.indexOf('*') + 1)) : 2;
            if (name.isEmpty()) {
                throw new Main.Unable("PIPELINE_AGENTS is NAME=LABEL LABEL[*EXECUTORS]; NAME=…, it is: " + text);
            }
            r.add(new Settings.AgentSpec(name, labels.replaceFirst("\\*.*", "").trim(), executors));
        }
        s.agents = r;
    }
}
