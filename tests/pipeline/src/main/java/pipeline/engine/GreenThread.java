package pipeline.engine;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.Outcome;
import java.io.Serializable;

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

    /** Interrupts the step this thread waits for or, between steps, the code itself [431]. */
    void stop(Throwable cause) {
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
