package pipeline.engine;

import java.io.Serializable;

/** One executor of an agent, held by a {@code node} block: name, labels, workspace. */
public final class Agent implements Serializable {
    private static final long serialVersionUID = 1L;
    public final String name;
    public final String labels;
    public final String workspace;
    public final int executor;
    public final String cookie;

    public Agent(String name, String labels, String workspace, int executor, String cookie) {
        this.name = name;
        this.labels = labels;
        this.workspace = workspace;
        this.executor = executor;
        this.cookie = cookie;
    }
}
