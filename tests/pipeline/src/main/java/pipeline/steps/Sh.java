package pipeline.steps;

import hudson.AbortException;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution.RemovedNodeCause;
import pipeline.engine.Step;

/**
 * {@code sh 'script'}: runs a real shell in the workspace [701-707]. The process is detached and seen only through its files, so it
 * goes on while the controller is down and is found again afterwards [801, 803].
 */
@Step.Named(value = "sh", type = "org.jenkinsci.plugins.workflow.steps.durable_task.ShellStep", sole = "script", needs = "hudson.FilePath")
public class Sh extends Step {
    private static final long serialVersionUID = 1L;
    /** How long Jenkins waits for a process that was told to stop [446]. */
    private static final long PATIENCE_MILLIS = 20_000;
    private static final long SIGNAL_AGAIN_MILLIS = 50;

    @Arg(required = true) String script;
    @Arg boolean returnStdout;
    @Arg boolean returnStatus;
    @Arg String encoding;
    @Arg String label;
    private DurableTask task;
    private Throwable interrupted;

    @Override
    public void start() throws IOException {
        if (script == null) {
            throw uninstantiable(new InvocationTargetException(new IllegalArgumentException("script is null")));
        }
        if (script.isEmpty()) {
            call.log("Warning: was asked to run an empty script");
        }
        if (label != null && !label.isBlank()) {
            call.node().label = label;
        }
        task = launch(Path.of(call.context().folder), build().environment(call.context()));
    }

    DurableTask launch(Path folder, Map<String, String> env) throws IOException {
        return new DurableTask(folder, script, env, returnStdout);
    }

    @Override
    public boolean polls() {
        return true;
    }

    private Charset charset() {
        return encoding == null ? StandardCharsets.UTF_8 : Charset.forName(encoding);
    }

    @Override
    public void poll() throws IOException {
        Integer status = task.exitStatus();
        String text = new String(task.newOutput(status != null), charset());
        if (!text.isEmpty()) {
            build().logRaw(call.context(), text);
        }
        if (status != null) {
            ended(status);
        }
    }

    private void ended(int status) throws IOException {
        build().console().finishLine();
        String out = returnStdout ? new String(task.stdout(), charset()) : null;
        task.cleanUp();
        if (interrupted != null) {
            call.fail(interrupted);
        } else if (returnStatus) {
            call.succeed(status);
        } else if (status != 0) {
            if (returnStdout && !out.isEmpty()) {
                build().logRaw(call.context(), out);
                build().console().finishLine();
            }
            call.fail(new AbortException("script returned exit code " + status));
        } else {
            call.succeed(out);
        }
    }

    /** The process gets SIGTERM and time to finish; the step waits for it, 20 s at most, counted from the first abort [441-448]. */
    @Override
    public void stop(Throwable cause) throws IOException {
        if (cause instanceof FlowInterruptedException f && f.getCauses().stream().anyMatch(RemovedNodeCause.class::isInstance)) {
            call.log("Could not connect to " + call.context().agent.name + " to send interrupt signal to process");
            task.terminate();
            call.fail(cause);
            return;
        }
        call.log("Sending interrupt signal to process");
        boolean first = interrupted == null;
        interrupted = cause;
        signal();
        if (first) {
            wakeAt(build().clock().now() + PATIENCE_MILLIS, "patience");
        }
    }

    /** A script that was started a moment ago may have no process yet: then once more. */
    private void signal() {
        if (!task.terminate()) {
            wakeAt(build().clock().now() + SIGNAL_AGAIN_MILLIS, "signal");
        }
    }

    @Override
    public void wake(String what) {
        if (what.equals("signal")) {
            signal();
            return;
        }
        call.log("After 20s process did not stop");
        call.fail(interrupted);
    }
}
