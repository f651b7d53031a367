package org.jenkinsci.plugins.workflow.steps;

/** How a step fails that was running when the controller was restarted and cannot be resumed. Read in workflow-step-api's source, not recorded. */
public class SynchronousResumeNotSupportedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Jenkins' text goes on with advice. */
    public SynchronousResumeNotSupportedException(String step) {
        super("Step `" + step + "` is a non-blocking synchronous step; it doesn't support resume after a restart.");
    }
}
