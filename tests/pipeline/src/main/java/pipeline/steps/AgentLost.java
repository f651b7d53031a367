package pipeline.steps;

import jenkins.model.CauseOfInterruption;

/** The agent on which a step ran was removed. */
public final class AgentLost extends CauseOfInterruption {
    private static final long serialVersionUID = 1L;

    @Override
    public String getShortDescription() {
        return "Agent was removed";
    }
}
