package org.jenkinsci.plugins.workflow.steps;

import jenkins.model.CauseOfInterruption;

/** Holds the cause that a timeout gives [401]. */
public final class TimeoutStepExecution {
    private TimeoutStepExecution() {}

    public static final class ExceededTimeout extends CauseOfInterruption {
        private static final long serialVersionUID = 1L;
        private final int callId;

        public ExceededTimeout(int callId) {
            this.callId = callId;
        }

        /** Whether that call of timeout gave this cause. */
        public boolean isOf(int id) {
            return callId == id;
        }

        @Override
        public String getShortDescription() {
            return "Timeout has been exceeded";
        }
    }
}
