package pipeline.engine;

import java.io.Serializable;

/** One executor of an agent, held by a {@code node} block: name, labels, workspace (its path on this machine). */
public final class Agent implements Serializable {
    private static final long serialVersionUID = 1L;
    public final String name;
    public final String labels;
    public final String workspace;
    public final int executor;
    public final String cookie;
    public final boolean windows;

    public Agent(String name, String labels, String workspace, int executor, String cookie, boolean windows) {
        this.name = name;
        this.labels = labels;
        this.workspace = workspace;
        this.executor = executor;
        this.cookie = cookie;
        this.windows = windows;
    }

    /** A file of this machine as the agent's programs name it: a Windows agent is Wine's, which has all of this machine on drive Z. */
    public String named(String path) {
        return windows ? "Z:" + path.replace('/', '\\') : path;
    }

    /** A path that pipeline code gave, as one of this machine. Windows takes both kinds of slashes. */
    public String local(String path) {
        if (!windows) {
            return path;
        }
        String slashes = path.replace('\\', '/');
        return slashes.startsWith("Z:") ? slashes.substring(2) : slashes;
    }
}
