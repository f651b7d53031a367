package hudson;

import java.io.IOException;

/** Imitation of Jenkins' exception for failures that need no stack trace: the log shows {@code ERROR: message} [403]. */
public class AbortException extends IOException {
    private static final long serialVersionUID = 1L;

    public AbortException() {}

    public AbortException(String message) {
        super(message);
    }
}
