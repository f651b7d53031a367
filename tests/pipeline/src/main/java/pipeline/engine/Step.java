package pipeline.engine;

import com.cloudbees.groovy.cps.Outcome;
import java.io.Serializable;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.jenkinsci.plugins.workflow.steps.SynchronousResumeNotSupportedException;

/**
 * A step. One object for each call; its {@link Arg} fields are bound from the call's arguments, all its fields are saved with the
 * program. It either completes its {@link Call} in {@link #start} or lets the pipeline wait.
 */
public abstract class Step implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Describes a step to the engine. */
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.TYPE)
    public @interface Named {
        String value();

        /** The class that Jenkins names in its error texts. */
        String type() default "";

        /** The argument that may be given without its name: the parameter of Jenkins' constructor. */
        String sole() default "";

        boolean block() default false;

        /** True if any name may be an argument: {@link Step#arguments} gets them all. */
        boolean free() default false;

        /** Required context class, "" for none: hudson.FilePath, hudson.Launcher. */
        String needs() default "";
    }

    /** A parameter of the step. */
    @Retention(RetentionPolicy.RUNTIME)
    @Target(ElementType.FIELD)
    public @interface Arg {
        boolean required() default false;
    }

    /** The call this object serves. */
    protected Call call;
    /** A restart has struck while it ran. */
    boolean cut;
    /** The arguments as they were given. */
    java.util.Map<String, Object> given;

    /** All arguments, for a step that takes any name. */
    protected void arguments(java.util.Map<String, Object> named) throws Exception {}

    /** Begins. What it throws is how the step fails. */
    public abstract void start() throws Exception;

    /** Interrupted: by default the bodies are, or the step fails with the cause. */
    public void stop(Throwable cause) throws Exception {
        boolean passed = false;
        for (Body b : call.bodies) {
            if (!b.isDone()) {
                b.cancel(cause);
                passed = true;
            }
        }
        if (!passed) {
            call.fail(cause);
        }
    }

    /** A body has ended: by default the step ends with its value or exception. */
    public void bodyDone(Body body, Outcome outcome) throws Exception {
        if (outcome.isSuccess()) {
            call.succeed(outcome.getNormal());
        } else {
            call.fail(outcome.getAbnormal());
        }
    }

    /** Lets a step replace the exception that leaves its body. */
    public Throwable translate(Throwable leaving) {
        return leaving;
    }

    /** Asked every few milliseconds while {@link #polls}: look whether what the step waits for has happened. */
    public void poll() throws Exception {}

    /** True while something outside (a process) must be looked at. */
    public boolean polls() {
        return false;
    }

    /** A timer that this step has set has come. */
    public void wake(String what) throws Exception {}

    /** The program was read back in a new process: what cannot be resumed fails. */
    final void readBack() throws Exception {
        if (cut) {
            throw new SynchronousResumeNotSupportedException(call.name(), build().settings().oldResumeMessage);
        }
        resume();
    }

    /** The program was read back in a new process: set timers again, find processes again. */
    public void resume() throws Exception {}

    /** Wakes this step with that word at that moment of the build's clock. */
    protected void wakeAt(long epochMillis, String what) {
        int id = call.id();
        Build build = Build.current();
        build.clock().at(epochMillis, () -> build.scheduler().deliver(id, step -> step.wake(what)));
    }

    /** Wakes this step with the word {@code look} at that moment, also while the pipeline's own thread is busy ending processes. */
    protected void lookAt(long epochMillis) {
        int id = call.id();
        Build build = Build.current();
        build.clock().lookAt(epochMillis, () -> build.scheduler().deliver(id, step -> step.wake("look")));
    }

    /** How Jenkins tells that a step cannot be made from its arguments [104, 501, 701]. */
    protected IllegalArgumentException uninstantiable(Exception cause) {
        return new StepType(getClass()).uninstantiable(given, cause);
    }

    /** The build this step runs in. */
    protected Build build() {
        return Build.current();
    }
}
