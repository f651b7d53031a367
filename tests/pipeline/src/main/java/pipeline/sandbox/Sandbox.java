package pipeline.sandbox;

import com.cloudbees.groovy.cps.sandbox.Invoker;
import com.cloudbees.groovy.cps.sandbox.SandboxInvoker;
import java.util.function.Supplier;

/** Runs sandboxed code: every call of it is held against the approved signatures. */
public final class Sandbox {
    private final Approvals approvals = new Approvals();

    public Invoker invoker() {
        return new SandboxInvoker();
    }

    /** Runs one chunk of pipeline code under the interceptor. */
    public <T> T run(Supplier<T> chunk) {
        approvals.register();
        try {
            return chunk.get();
        } finally {
            approvals.unregister();
        }
    }
}
