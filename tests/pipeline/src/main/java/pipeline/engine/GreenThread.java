package pipeline.engine;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.Outcome;
import java.io.Serializable;
import java.util.List;

/** A line of pipeline code that runs or waits for a step: one for the script and one for each body that is being run. */
public final class GreenThread implements Serializable {
    private static final long serialVersionUID = 1L;
    final int id;
    final Head head;
    final Context context;
    final Continuable code;
    /** What the code is to be resumed with; null while it waits. */
    Outcome resumeWith;
    /** The step the code waits for. */
    Call call;

    GreenThread(int id, Head head, Context context, Continuable code) {
        this.id = id;
        this.head = head;
        this.context = context;
        this.code = code;
    }

    public Context context() {
        return context;
    }

    boolean isRunnable() {
        return resumeWith != null;
    }

    boolean isAlive() {
        return code.isResumable();
    }

    /**
     * Interrupts these threads, one after the other: those steps that they wait for now. A step that ends while an earlier one's processes are being
     * ended is not interrupted any more [459, 512]. Meanwhile a virtual clock counts what an idle machine would take.
     */
    static void stopAll(List<GreenThread> threads, Throwable cause, Clock clock) {
        List<Call> waiting = threads.stream().map(t -> t.call).toList();
        clock.hold();
        for (int i = 0; i < threads.size(); i++) {
            if (threads.get(i).call == waiting.get(i)) {
                threads.get(i).stop(cause);
            }
        }
        clock.go();
    }

    /** Interrupts the step this thread waits for or, between steps, the code itself [431]. */
    private void stop(Throwable cause) {
        if (call == null) {
            resumeWith = new Outcome(null, cause);
            return;
        }
        try {
            call.step.stop(cause);
        } catch (Exception e) {
            cause.addSuppressed(e);
            call.fail(cause);
        }
    }
}
