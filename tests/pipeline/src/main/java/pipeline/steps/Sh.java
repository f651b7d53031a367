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
 *
 * <p>Jenkins looks at these files after 250 ms, then at intervals that grow by a fifth up to 15 s and are 250 ms again whenever a look has found
 * output (DurableTaskStep of workflow-durable-task-step; with one line of output at once: 0.25, 0.5, 0.8, 1.16, 1.59, 2.11 s …). Only a look shows
 * output or hands the end over: until then the step runs, as far as interruptions and time limits are concerned.
 */
@Step.Named(value = "sh", type = "org.jenkinsci.plugins.workflow.steps.durable_task.ShellStep", sole = "script", needs = "hudson.FilePath")
public class Sh extends Step {
    private static final long serialVersionUID = 1L;
    private static final long FIRST_LOOK_MILLIS = 250;
    private static final long LONGEST_PAUSE_MILLIS = 15_000;
    private static final float SLOWER = 1.2f;
    /** How long Jenkins waits for a process that was signalled to stop [446]. */
    private static final long PATIENCE_MILLIS = 20_000;
    /** How long after its launch a script may still have no process that a signal finds; and when to try again. */
    private static final long LAUNCH_MILLIS = 500;
    private static final long SIGNAL_AGAIN_MILLIS = 50;

    @Arg(required = true) String script;
    @Arg boolean returnStdout;
    @Arg boolean returnStatus;
    @Arg String encoding;
    @Arg String label;
    private DurableTask task;
    private long launchedAt;
    private long pause;
    /** The script has ended; Jenkins has not looked yet. */
    private boolean ended;
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
        launchedAt = build().clock().now();
        lookIn(FIRST_LOOK_MILLIS);
    }

    DurableTask launch(Path folder, Map<String, String> env) throws IOException {
        if (call.context().agent.windows) { // durable-task's launcher script has no interpreter there (read, not recorded)
            throw new IOException("Cannot run program \"nohup\": CreateProcess error=2, The system cannot find the file specified");
        }
        return new DurableTask(folder, script, env, returnStdout, build().settings().shell);
    }

    private void lookIn(long millis) {
        pause = millis;
        lookAt(build().clock().now() + millis);
    }

    /** While it runs, time is real; between its end and the next look a virtual clock may jump. */
    @Override
    public boolean polls() {
        return !ended;
    }

    @Override
    public void poll() throws IOException {
        if (task.exitStatus() != null) {
            hasEnded();
        }
    }

    /** True if something was to happen just then: what comes of it comes before the next look. */
    private boolean hasEnded() {
        boolean first = !ended;
        ended = true;
        return first && build().interruptions().scriptEnded(call);
    }

    private Charset charset() {
        return encoding == null ? StandardCharsets.UTF_8 : Charset.forName(encoding);
    }

    /** Shows what output there is; false if there is none. */
    private boolean show(boolean toEnd) throws IOException {
        String text = new String(task.newOutput(toEnd), charset());
        if (!text.isEmpty()) {
            build().logRaw(call.context(), text);
        }
        return !text.isEmpty();
    }

    private void look() throws IOException {
        build().state().looks++;
        long next = show(false) ? FIRST_LOOK_MILLIS : Math.min((long) (pause * SLOWER), LONGEST_PAUSE_MILLIS);
        Integer status = task.exitStatus();
        if (status == null) {
            lookIn(next);
            return;
        }
        if (hasEnded()) {
            lookAt(build().clock().now());
            return;
        }
        show(true);
        handOver(status);
    }

    /** A script that ended with 0 is a success, even if it was interrupted; any other end of an interrupted one is the interruption [456-469, 531-533]. */
    private void handOver(int status) throws IOException {
        build().console().finishLine();
        String out = returnStdout ? new String(task.stdout(), charset()) : null;
        task.cleanUp();
        if (interrupted != null && build().settings().interruptionsAlwaysWin) {
            call.fail(interrupted);
            return;
        }
        if (returnStatus && interrupted == null || status == 0) {
            call.succeed(returnStatus ? (Object) status : out);
            return;
        }
        if (returnStdout && !out.isEmpty()) {
            build().logRaw(call.context(), out);
            build().console().finishLine();
        }
        if (interrupted == null) {
            call.fail(new AbortException("script returned exit code " + status));
        } else {
            call.log("script returned exit code " + status);
            call.fail(interrupted);
        }
    }

    /**
     * All processes of scripts of this folder are ended, which holds up all else in the pipeline, but not Jenkins' looks; the step goes on
     * waiting for its own, 20 s at most, counted from the first abort [441-448, 455, 511, 512].
     */
    @Override
    public void stop(Throwable cause) throws IOException {
        boolean first = interrupted == null;
        interrupted = cause;
        if (cause instanceof FlowInterruptedException f && f.getCauses().stream().anyMatch(RemovedNodeCause.class::isInstance)) {
            call.log("Could not connect to " + call.context().agent.name + " to send interrupt signal to process");
            task.terminate(new Looking());
            call.fail(cause);
            return;
        }
        call.log("Sending interrupt signal to process");
        if (first) {
            wakeAt(build().clock().now() + PATIENCE_MILLIS, "patience");
        }
        signal();
    }

    /** A script that was started a moment ago may have no process yet: then once more. */
    private void signal() throws IOException {
        build().clock().hold();
        task.terminate(new Looking());
        build().clock().go();
        if (task.exitStatus() == null && build().clock().now() - launchedAt < LAUNCH_MILLIS) {
            wakeAt(build().clock().now() + SIGNAL_AGAIN_MILLIS, "signal");
        }
    }

    /** Jenkins' looks go on; a virtual clock stands still where only the machine is slow. */
    private final class Looking implements Processes.Meanwhile {
        @Override
        public void look() {
            build().looksMeanwhile();
        }

        @Override
        public void spent(long millis) {
            build().clock().spend(millis);
        }
    }

    @Override
    public void wake(String what) throws IOException {
        switch (what) {
            case "look" -> look();
            case "signal" -> signal();
            default -> {
                call.log("After 20s process did not stop");
                call.fail(interrupted);
            }
        }
    }

    /** A new controller knows nothing of an interruption before it. */
    @Override
    public void resume() {
        interrupted = null;
        lookIn(FIRST_LOOK_MILLIS);
    }
}
