package pipeline.engine;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.Continuation;
import com.cloudbees.groovy.cps.Next;
import com.cloudbees.groovy.cps.Outcome;
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation;
import com.cloudbees.groovy.cps.impl.FunctionCallEnv;
import com.cloudbees.groovy.cps.impl.TryBlockEnv;
import groovy.lang.Closure;
import java.io.Serializable;
import java.util.List;

/** One run of a step's block: a green thread of its own, as in Jenkins. */
public final class Body implements Serializable {
    private static final long serialVersionUID = 1L;
    public final int index;
    public final String branch;
    private final Call call;
    private final Closure<?> closure;
    private final Context context;
    private final String label;
    private final int id = Build.current().graph().nextBodyId();
    private Throwable stopped;
    private boolean launched;
    private boolean done;
    private String ended;

    Body(Call call, int index, Closure<?> closure, Context context, String label, String branch) {
        this.call = call;
        this.index = index;
        this.closure = closure;
        this.context = context;
        this.label = label;
        this.branch = branch;
    }

    public boolean isDone() {
        return done;
    }

    void launch(Head head) {
        launched = true;
        Build build = Build.current();
        FlowNode n = build.graph().body(call.name, label, branch, call.context().enclosing);
        head.node = n.id;
        String shown = branch != null ? "branch:" + branch : label != null ? call.name + ":" + label : call.name;
        Context inside = context.inBody(id, shown);
        ended = shown;
        try {
            Object value = closure.call();
            end(head, new Outcome(value, null));
        } catch (CpsCallableInvocation e) {
            GreenThread t = new GreenThread(build.program().nextId(), head, inside, continuable(e, head, build));
            t.resumeWith = new Outcome(null, stopped);
            build.program().add(t);
        } catch (Throwable t) {
            end(head, new Outcome(null, t));
        }
    }

    private Continuable continuable(CpsCallableInvocation invocation, Head head, Build build) {
        FunctionCallEnv caller = new FunctionCallEnv(null, new End(this, head, true), null, null);
        caller.setInvoker(build.invoker());
        TryBlockEnv env = new TryBlockEnv(caller, null);
        env.addHandler(Throwable.class, new End(this, head, false));
        return new Continuable(invocation.invoke(env, null, new End(this, head, true)));
    }

    private void end(Head head, Outcome o) {
        FlowNode n = Build.current().graph().bodyEnd(ended);
        head.node = n.id;
        done = true;
        if (o.isFailure()) {
            Throwable t = call.step.translate(o.getAbnormal());
            o = new Outcome(null, t);
            n.failed(t);
            Errors.mark(t);
        }
        try {
            call.step.bodyDone(this, o);
        } catch (Exception e) {
            call.fail(e);
        }
    }

    /** Interrupts the innermost steps in this body, youngest first. */
    public void cancel(Throwable cause) {
        if (done) {
            return;
        }
        stopped = cause;
        if (launched) {
            List<GreenThread> inside = Build.current().program().innermost().stream().filter(t -> t.context.bodies.contains(id)).toList();
            GreenThread.stopAll(inside, cause, Build.current().clock());
        }
    }

    /** Ends the innermost steps in this body at once, without telling them: the code in it goes on with that exception [465]. */
    public void force(Throwable cause) {
        for (GreenThread t : Build.current().program().innermost()) {
            if (t.context.bodies.contains(id) && t.call != null) {
                t.call.fail(cause);
            }
        }
    }

    /** Where the body's code goes when it returns or throws. */
    private static final class End implements Continuation {
        private static final long serialVersionUID = 1L;
        private final Body body;
        private final Head head;
        private final boolean normal;

        End(Body body, Head head, boolean normal) {
            this.body = body;
            this.head = head;
            this.normal = normal;
        }

        @Override
        public Next receive(Object o) {
            body.end(head, normal ? new Outcome(o, null) : new Outcome(null, (Throwable) o));
            return Next.terminate(null);
        }
    }
}
