package org.jenkinsci.plugins.workflow.support.steps.build;

import jenkins.model.CauseOfInterruption;

/** Why a {@code build} step fails whose job did not end well. Read in the source of pipeline-build-step, not recorded. */
public final class DownstreamFailureCause extends CauseOfInterruption {
    private static final long serialVersionUID = 1L;
    private final String description;

    public DownstreamFailureCause(String build, String result) {
        description = build + " completed with status " + result + " (propagate: false to ignore)";
    }

    @Override
    public String getShortDescription() {
        return description;
    }
}
