package org.jenkinsci.plugins.scriptsecurity.sandbox;

/** Imitation: the sandbox refused a call; the signature is in the message [407]. */
public final class RejectedAccessException extends SecurityException {
    private static final long serialVersionUID = 1L;

    public RejectedAccessException(String message) {
        super(message);
    }

    /** Of a kind ("method", "staticMethod", "new", "field", ...) and the signature's text. */
    public RejectedAccessException(String kind, String details) {
        super("Scripts not permitted to use " + kind + " " + details);
    }
}
