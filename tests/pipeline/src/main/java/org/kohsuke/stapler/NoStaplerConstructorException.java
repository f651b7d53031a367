package org.kohsuke.stapler;

/** Imitation: a value of the wrong shape for a step's parameter [402]. */
public final class NoStaplerConstructorException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    public NoStaplerConstructorException(String message) {
        super(message);
    }
}
