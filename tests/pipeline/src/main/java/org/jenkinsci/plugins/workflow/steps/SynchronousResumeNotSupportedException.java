package org.jenkinsci.plugins.workflow.steps;

/** How a step fails that was running when the controller was restarted and cannot be resumed. Read in workflow-step-api's source, not recorded. */
public class SynchronousResumeNotSupportedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** The text that workflow-step-api has since February 2025, or the one before. */
    public SynchronousResumeNotSupportedException(String step, boolean old) {
        super(old ? "Step `" + step + "` is a non-blocking synchronous step; it doesn't support resume after a restart."
                : "The Pipeline step `" + step + "` cannot be resumed after a controller restart. In Scripted syntax, you may wrap its containing `node` block"
                        + " within `retry(conditions: [nonresumable()], count: 2) {...}`, or, in Declarative syntax, use the `retries` option to an `agent`"
                        + " directive to allow the stage to be retried.");
    }
}
