package pipeline.engine;

import org.jenkinsci.plugins.workflow.actions.ErrorAction;

/** What Jenkins does with an exception that ends a step. */
public final class Errors {
    private Errors() {}

    /** Adds the suppressed ErrorId once, as Jenkins does to every error that it writes to the flow graph [401]. */
    static void mark(Throwable error) {
        if (!isMarked(error, 0)) {
            error.addSuppressed(new ErrorAction.ErrorId());
        }
    }

    public static boolean isMarked(Throwable error, int depth) {
        if (error == null || depth > 20) {
            return false;
        }
        for (Throwable s : error.getSuppressed()) {
            if (s instanceof ErrorAction.ErrorId || isMarked(s, depth + 1)) {
                return true;
            }
        }
        return isMarked(error.getCause(), depth + 1);
    }

    /** The error as the flow graph keeps it: a ProxyException where Jenkins' class filter lets a class in it not through [104, 401]. */
    static Throwable forGraph(Throwable error) {
        for (Throwable t = error; t != null; t = t.getCause()) {
            String type = t.getClass().getName();
            if (type.startsWith("java.lang.reflect.") || type.startsWith("java.nio.file.")) {
                return new hudson.remoting.ProxyException(error);
            }
        }
        return error;
    }

    /** An exception as Groovy hands it on without wrapping, checked or not. */
    static RuntimeException thrown(Throwable t) {
        if (t instanceof Error) {
            throw (Error) t;
        }
        return t instanceof RuntimeException r ? r : new org.codehaus.groovy.runtime.InvokerInvocationException(t);
    }
}
