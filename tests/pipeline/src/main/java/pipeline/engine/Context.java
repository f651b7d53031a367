package pipeline.engine;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the blocks around a piece of pipeline code give it: environment, node, folder, secrets to mask. Immutable: a block step
 * hands its body a changed copy, as Jenkins' context variables do.
 */
public final class Context implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Empty: the top of a pipeline. */
    public static final Context TOP = new Context();

    /** Names of the enclosing blocks, outermost first: {@code node}, {@code stage:Build}, {@code branch:a}. */
    public List<String> enclosing = List.of();
    /** Ids of the bodies this code runs in, outermost first. */
    public List<Integer> bodies = List.of();
    /** Environment changes, outermost first; {@code PATH+X} prepends [104]. */
    public List<Map<String, String>> env = List.of();
    /** Variables that hold secrets, with their values: masked in the log and warned of when interpolated [105]. */
    public Map<String, String> secrets = Map.of();
    /** The executor this code holds; null outside node. */
    public Agent agent;
    /** The folder that relative paths mean; null outside node. */
    public String folder;
    /** The call of the innermost timeout that counts from the last output, 0 without one. */
    int quietTimeout;

    /** The file on this machine that a path in pipeline code means. */
    public java.nio.file.Path file(String path) {
        return java.nio.file.Path.of(folder).resolve(agent.local(path));
    }

    private Context copy() {
        Context c = new Context();
        c.enclosing = enclosing;
        c.bodies = bodies;
        c.env = env;
        c.secrets = secrets;
        c.agent = agent;
        c.folder = folder;
        c.quietTimeout = quietTimeout;
        return c;
    }

    private static <T> List<T> plus(List<T> list, T item) {
        List<T> r = new ArrayList<>(list);
        r.add(item);
        return r;
    }

    Context inBody(int bodyId, String label) {
        Context c = copy();
        c.bodies = plus(bodies, bodyId);
        c.enclosing = plus(enclosing, label);
        return c;
    }

    /** With these variables set (or, as {@code PATH+X}, prepended). */
    public Context withEnv(Map<String, String> changes) {
        Context c = copy();
        c.env = plus(env, new LinkedHashMap<>(changes));
        return c;
    }

    /** On this agent, in this folder. */
    public Context on(Agent where, String path) {
        Context c = copy();
        c.agent = where;
        c.folder = path;
        return c;
    }

    public Context in(String path) {
        Context c = copy();
        c.folder = path;
        return c;
    }

    /** With these variables holding secrets. */
    public Context withSecrets(Map<String, String> more) {
        Context c = copy();
        c.secrets = new LinkedHashMap<>(secrets);
        c.secrets.putAll(more);
        return c;
    }

    /** Within a timeout that counts from the last output. */
    public Context withQuietTimeout(int callId) {
        Context c = copy();
        c.quietTimeout = callId;
        return c;
    }
}
