package org.jenkinsci.plugins.workflow.support.steps;

import jenkins.model.CauseOfInterruption;

/** Holds the cause that the steps on a removed agent get. Read in the plugin's source, not recorded. */
public final class ExecutorStepExecution {
    private ExecutorStepExecution() {}

    public static final class RemovedNodeCause extends CauseOfInterruption {
        private static final long serialVersionUID = 1L;

        @Override
        public String getShortDescription() {
            return "Agent was removed";
        }
    }
}
