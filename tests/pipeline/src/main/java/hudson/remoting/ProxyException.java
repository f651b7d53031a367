package hudson.remoting;

import java.io.IOException;

/** Imitation: what the flow graph keeps of an exception that cannot be serialized. */
public final class ProxyException extends IOException {
    private static final long serialVersionUID = 1L;

    public ProxyException(Throwable cause) {
        super(cause.toString());
        setStackTrace(cause.getStackTrace());
    }
}
