package pipeline.engine;

import java.io.Serializable;

/** The growing end of the flow graph that one line of execution has; the threads of nested bodies share it. */
final class Head implements Serializable {
    private static final long serialVersionUID = 1L;
    final int id;
    int node;

    Head(int id, int node) {
        this.id = id;
        this.node = node;
    }
}
