package pipeline.steps;

import com.cloudbees.groovy.cps.Outcome;
import hudson.model.Result;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution.RemovedNodeCause;
import pipeline.engine.Agent;
import pipeline.engine.Body;
import pipeline.engine.Labels;
import pipeline.engine.Settings;
import pipeline.engine.Step;

/** {@code node('label') { }}: takes an executor and a workspace; a second one in use on the same agent is {@code <name>@2} [202]. */
@Step.Named(value = "node", type = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStep", sole = "label", block = true)
public final class Node extends Step {
    private static final long serialVersionUID = 1L;
    @Arg String label;
    private Agent agent;
    private Body body;
    private boolean told;

    @Override
    public void start() throws IOException {
        if (!take()) {
            wakeAt(build().clock().now() + 15_000, "still waiting");
        }
    }

    private boolean take() throws IOException {
        for (Settings.AgentSpec spec : build().settings().agents) {
            if (Labels.match(label, spec) && !build().state().removedAgents.contains(spec.name()) && lease(spec)) {
                call.log("Running on " + (spec.name().equals("built-in") ? "Jenkins" : spec.name()) + " in " + agent.named(agent.workspace));
                body = call.runBody(call.context().on(agent, agent.workspace));
                return true;
            }
        }
        return false;
    }

    private boolean lease(Settings.AgentSpec spec) throws IOException {
        for (int executor = 0; executor < spec.executors(); executor++) {
            if (lease(spec.name() + "#" + executor)) {
                agent = new Agent(spec.name(), spec.labels(), workspace(spec), executor, UUID.randomUUID().toString(),
                        build().settings().windowsAgents.contains(spec.name()));
                return true;
            }
        }
        return false;
    }

    private boolean lease(String what) {
        return !build().settings().isLeasedByOthers(what) && build().state().leases.add(what);
    }

    private String workspace(Settings.AgentSpec spec) throws IOException {
        Path base = spec.name().equals("built-in") ? build().settings().homePath().resolve("workspace")
                : build().settings().homePath().resolve("agents").resolve(spec.name()).resolve("workspace");
        Files.createDirectories(base);
        String name = build().settings().jobName.replace('/', '_');
        for (int n = 1; ; n++) {
            String path = base.resolve(n == 1 ? name : name + "@" + n).toString();
            if (lease(path)) {
                return path;
            }
        }
    }

    /** Its agent is removed: what runs there is interrupted, which is not an actual interruption, so a retry may repeat it. */
    private void lose() {
        call.log("Agent " + agent.name + " was deleted; cancelling node body");
        body.cancel(new FlowInterruptedException(Result.ABORTED, false, new RemovedNodeCause()));
    }

    @Override
    public void wake(String what) {
        if (agent != null && what.equals("removed " + agent.name)) {
            lose();
        }
        if (agent == null && !told && what.equals("still waiting")) {
            told = true;
            call.log("Still waiting to schedule task");
            call.log("‘Jenkins’ doesn’t have label ‘" + label + "’");
        }
    }

    /** An executor has become free. */
    void retry() throws IOException {
        if (agent == null) {
            take();
        }
    }

    @Override
    public boolean polls() {
        return agent == null;
    }

    @Override
    public void poll() throws IOException {
        retry();
    }

    /** The executor is free again; what still runs of the node's processes is stopped, unless it changed its cookie [706]. */
    private void release() {
        Processes.terminate("JENKINS_NODE_COOKIE", agent.cookie);
        build().state().leases.remove(agent.name + "#" + agent.executor);
        build().state().leases.remove(agent.workspace);
    }

    @Override
    public void bodyDone(Body body, Outcome outcome) throws Exception {
        release();
        super.bodyDone(body, outcome);
    }
}
