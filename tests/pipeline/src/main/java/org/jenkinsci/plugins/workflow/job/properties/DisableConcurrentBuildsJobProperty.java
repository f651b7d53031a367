package org.jenkinsci.plugins.workflow.job.properties;

import jenkins.model.CauseOfInterruption;

/** Holds the cause that a build gets whose place a newer one takes [452]. */
public final class DisableConcurrentBuildsJobProperty {
    private DisableConcurrentBuildsJobProperty() {}

    public static final class CancelledCause extends CauseOfInterruption {
        private static final long serialVersionUID = 1L;
        private final int by;

        public CancelledCause(int by) {
            this.by = by;
        }

        @Override
        public String getShortDescription() {
            return "Superseded by #" + by;
        }
    }
}
