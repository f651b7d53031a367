package pipeline.engine;

import java.util.Map;
import java.util.TreeMap;

/** Computes the environment that {@code env} and processes see [101, 104, 201, 202]. */
final class Environment {
    static final String JENKINS_URL = "http://jenkins.example.test/";
    private final Build build;

    Environment(Build build) {
        this.build = build;
    }

    /**
     * The build's variables, what was set through {@code env}, the agent's, then the enclosing blocks'. Names that differ only in case are one
     * variable, as in core's EnvVars: spelled as first written, with the last value.
     */
    Map<String, String> of(Context context) {
        Map<String, String> e = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        if (context.agent != null) {
            e.putAll(build.settings().agentEnv);
            agent(e, context.agent);
        }
        e.putAll(ofBuild());
        overlay(e, build.state().env);
        for (Map<String, String> changes : context.env) {
            overlay(e, changes);
        }
        return e;
    }

    private static void agent(Map<String, String> e, Agent a) {
        e.put("NODE_NAME", a.name);
        e.put("NODE_LABELS", a.labels);
        e.put("EXECUTOR_NUMBER", String.valueOf(a.executor));
        e.put("WORKSPACE", a.named(a.workspace));
        e.put("WORKSPACE_TMP", a.named(a.workspace + "@tmp"));
        e.put("JENKINS_NODE_COOKIE", a.cookie);
        e.put("HUDSON_COOKIE", a.cookie);
    }

    private Map<String, String> ofBuild() {
        Settings s = build.settings();
        Map<String, String> e = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        s.parameters.forEach((k, v) -> e.put(k, String.valueOf(v)));
        // A global property wins over a parameter of the same name, in upper or lower case.
        e.putAll(s.globalEnv);
        String job = JENKINS_URL + "job/" + s.jobName.replace("/", "/job/") + "/";
        String run = job + s.number + "/";
        e.put("BUILD_DISPLAY_NAME", build.state().displayName);
        e.put("BUILD_ID", String.valueOf(s.number));
        e.put("BUILD_NUMBER", String.valueOf(s.number));
        e.put("BUILD_TAG", "jenkins-" + s.jobName.replace('/', '-') + "-" + s.number);
        e.put("BUILD_URL", run);
        e.put("CI", "true");
        e.put("HUDSON_HOME", s.home);
        e.put("HUDSON_SERVER_COOKIE", "0123456789abcdef");
        e.put("HUDSON_URL", JENKINS_URL);
        e.put("JENKINS_HOME", s.home);
        e.put("JENKINS_SERVER_COOKIE", "0123456789abcdef");
        e.put("JENKINS_URL", JENKINS_URL);
        e.put("JOB_BASE_NAME", s.jobName.substring(s.jobName.lastIndexOf('/') + 1));
        e.put("JOB_DISPLAY_URL", job + "display/redirect");
        e.put("JOB_NAME", s.jobName);
        e.put("JOB_URL", job);
        String display = run + "display/redirect";
        e.put("RUN_ARTIFACTS_DISPLAY_URL", display + "?page=artifacts");
        e.put("RUN_CHANGES_DISPLAY_URL", display + "?page=changes");
        e.put("RUN_DISPLAY_URL", display);
        e.put("RUN_TESTS_DISPLAY_URL", display + "?page=tests");
        build.state().libraries.forEach((name, version) -> e.put("library." + name + ".version", version));
        return e;
    }

    /** {@code PATH+X} prepends, entries of one list in list order [104]; an empty value takes the variable away [473, 481]; all else replaces. */
    private static void overlay(Map<String, String> e, Map<String, String> changes) {
        Map<String, String> prepend = new java.util.LinkedHashMap<>();
        changes.forEach((k, v) -> {
            int plus = k.indexOf('+');
            if (plus > 0) {
                prepend.merge(k.substring(0, plus), v, (a, b) -> a + ":" + b);
            } else if (v == null || v.isEmpty()) {
                e.remove(k);
            } else {
                e.put(k, v);
            }
        });
        prepend.forEach((k, v) -> e.merge(k, v, (old, front) -> front + ":" + old));
    }
}
