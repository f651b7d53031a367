package pipeline.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.sf.json.JSONArray;
import net.sf.json.JSONObject;

/** Why a build was started, as {@code currentBuild.getBuildCauses()} and the log's first line tell it [203]. */
public final class Causes {
    private static final String USER = "hudson.model.Cause$UserIdCause";
    private static final String TIMER = "hudson.triggers.TimerTrigger$TimerTriggerCause";
    private static final String UPSTREAM = "hudson.model.Cause$UpstreamCause";

    private Causes() {}

    static String firstLine(Settings s) {
        if (s.cause == null) {
            return "Started by user unknown or anonymous";
        }
        if (s.cause.equals("timer")) {
            return "Started by timer";
        }
        if (s.cause.startsWith("upstream:")) {
            String[] p = upstream(s.cause);
            return "Started by upstream project \"" + p[0] + "\" build number " + p[1] + "\noriginally caused by:\n Started by user " + p[2];
        }
        return "Started by user " + s.cause.substring(s.cause.indexOf(':') + 1);
    }

    private static String[] upstream(String cause) {
        String[] p = cause.substring("upstream:".length()).split("[#:]");
        return new String[] {p[0].isEmpty() ? "upstream-job" : p[0], p.length > 1 ? p[1] : "7", p.length > 2 ? p[2] : "alice"};
    }

    public static JSONArray of(Settings s, String className) {
        List<JSONObject> all = List.of(cause(s));
        List<JSONObject> r = new ArrayList<>(all);
        r.removeIf(c -> className != null && !className.equals(c.get("_class")));
        return new JSONArray(r);
    }

    private static JSONObject cause(Settings s) {
        if (s.cause == null) {
            return user(null, "anonymous");
        }
        if (s.cause.equals("timer")) {
            return new JSONObject(Map.of("_class", TIMER, "shortDescription", "Started by timer"));
        }
        if (s.cause.startsWith("upstream:")) {
            String[] p = upstream(s.cause);
            Map<String, Object> m = new LinkedHashMap<>();
            m.put("_class", UPSTREAM);
            m.put("shortDescription", "Started by upstream project \"" + p[0] + "\" build number " + p[1]);
            m.put("upstreamBuild", Integer.valueOf(p[1]));
            m.put("upstreamProject", p[0]);
            m.put("upstreamUrl", "job/" + p[0] + "/");
            m.put("upstreamCauses", new JSONArray(List.of(user(p[2], p[2]))));
            return new JSONObject(m);
        }
        String id = s.cause.substring(s.cause.indexOf(':') + 1);
        return user(id, id);
    }

    private static JSONObject user(String id, String name) {
        Map<String, Object> m = new LinkedHashMap<>();
        m.put("_class", USER);
        m.put("shortDescription", "Started by user " + name);
        m.put("userId", id);
        m.put("userName", name);
        return new JSONObject(m);
    }
}
