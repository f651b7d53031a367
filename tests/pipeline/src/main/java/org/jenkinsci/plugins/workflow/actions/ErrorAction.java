package org.jenkinsci.plugins.workflow.actions;

/** Holds the mark that Jenkins adds, as a suppressed exception, to every error that ended a step [401]. */
public final class ErrorAction {
    private ErrorAction() {}

    public static final class ErrorId extends Exception {
        private static final long serialVersionUID = 1L;

        public ErrorId() {
            super(java.util.UUID.randomUUID().toString(), null, false, false);
        }
    }
}
