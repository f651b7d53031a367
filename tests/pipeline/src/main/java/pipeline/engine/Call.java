package pipeline.engine;

import com.cloudbees.groovy.cps.Outcome;
import groovy.lang.Closure;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** One call of a step: where it was made and how it ends. A step completes it once, at once or later. */
public final class Call implements Serializable {
    private static final long serialVersionUID = 1L;
    final int id;
    final String name;
    final GreenThread thread;
    final int nodeId;
    final boolean block;
    final Closure<?> closure;
    Step step;
    /** The how manyth call of its step this is in the build; 0 while it starts. */
    int nth;
    Outcome outcome;
    private boolean waiting;
    private boolean silent;
    final List<Body> bodies = new ArrayList<>();

    Call(int id, String name, GreenThread thread, FlowNode node, Closure<?> closure) {
        this.id = id;
        this.name = name;
        this.thread = thread;
        this.nodeId = node.id;
        this.block = node.kind == FlowNode.Kind.BLOCK;
        this.closure = closure;
    }

    public int id() {
        return id;
    }

    public String name() {
        return name;
    }

    public Context context() {
        return thread.context;
    }

    public Closure<?> closure() {
        return closure;
    }

    public FlowNode node() {
        return Build.current().graph().node(nodeId);
    }

    public void succeed(Object value) {
        complete(new Outcome(value, null));
    }

    public void fail(Throwable t) {
        complete(new Outcome(null, Masks.exception(context(), t)));
    }

    /** Fails without the error being written to the flow graph (so it gets no ErrorId), as some do [401]. */
    public void failUnrecorded(Throwable t) {
        silent = true;
        complete(new Outcome(null, t));
    }

    private void complete(Outcome o) {
        if (outcome != null) {
            return;
        }
        outcome = o;
        if (waiting) {
            end();
            thread.resumeWith = o;
        }
    }

    boolean isCompleted() {
        return outcome != null;
    }

    /** From now on the pipeline waits for this call. */
    void await() {
        waiting = true;
    }

    /** Writes the end to the flow graph; the code goes on. */
    void end() {
        Graph graph = Build.current().graph();
        if (block && !silent) {
            FlowNode from = graph.blockEnd(name);
            thread.head.node = from.id;
        }
        if (outcome.isFailure() && !silent) {
            graph.node(thread.head.node).failed(outcome.getAbnormal());
            Errors.mark(outcome.getAbnormal());
        }
        thread.call = null;
    }

    /** A line in the log, secrets masked. */
    public void log(String line) {
        Build.current().log(context(), line);
    }

    /** Runs the step's own block in that context. */
    public Body runBody(Context in) {
        return runBody(closure, in, null, null);
    }

    /** Runs a block as a body of this call; {@link Step#bodyDone} hears of its end. */
    public Body runBody(Closure<?> what, Context in, String label, String branch) {
        Body b = new Body(this, bodies.size(), what, in, label, branch);
        bodies.add(b);
        if (waiting) {
            b.launch(thread.head);
        }
        return b;
    }

    /** Starts the bodies that were asked for while the step started; each but the first grows a head of its own. */
    void launchBodies() {
        List<Body> first = new ArrayList<>(bodies);
        List<Head> heads = new ArrayList<>();
        Graph graph = Build.current().graph();
        for (int i = 0; i < first.size(); i++) {
            heads.add(i == 0 ? thread.head : new Head(graph.nextId(), thread.head.node));
        }
        for (int i = 0; i < first.size(); i++) {
            first.get(i).launch(heads.get(i));
        }
    }
}
