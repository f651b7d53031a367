package pipeline.engine;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.Outcome;
import hudson.model.Result;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jenkinsci.plugins.workflow.cps.Safepoint;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import pipeline.sandbox.Sandbox;

/**
 * Runs the green threads of a program in turn until each waits, saves the program and reads it back, waits for what comes next, and
 * so on to the end. Code between two steps is never interrupted but at safepoints, as in Jenkins.
 */
final class Scheduler {
    @SuppressWarnings("rawtypes")
    private static final List<Class> CATEGORIES = categories();
    /** Longest pause between two looks at running processes. */
    private static final long LONGEST_POLL_MILLIS = 25;

    private final Build build;
    private final Sandbox sandbox;
    private Program program = new Program();
    private GreenThread running;
    private Outcome end;

    /** What a step does when something it waited for has come. */
    interface Delivery {
        void to(Step step) throws Exception;
    }

    /** Says where the program could not be saved: the place in the code that waits. */
    private static final class Unsaved extends Throwable {
        private static final long serialVersionUID = 1L;

        Unsaved(GreenThread t) {
            super("an exception which occurred:\n\tin object Thread #" + t.id + t.code.getStackTrace().stream().limit(1)
                    .map(f -> " @" + f).reduce("", String::concat), null, false, false);
        }

        @Override
        public String toString() {
            return getMessage();
        }
    }

    Scheduler(Build build, Sandbox sandbox) {
        this.build = build;
        this.sandbox = sandbox;
    }

    @SuppressWarnings("rawtypes")
    private static List<Class> categories() {
        List<Class> r = new ArrayList<>(Continuable.categories);
        r.add(SerializableViews.class);
        return r;
    }

    Program program() {
        return program;
    }

    void restore(Program saved) {
        program = saved;
    }

    /** The thread whose code runs; null between chunks. */
    GreenThread running() {
        return running;
    }

    /** How the pipeline's script ended; null if it was ended by force. */
    Outcome end() {
        return end;
    }

    /** Ends the program before its first step. */
    void endWith(Throwable error) {
        end = new Outcome(null, error);
        build.state().execution = build.state().execution.combine(Result.FAILURE);
    }

    /** Adds the script's own thread; what is to be done before its first chunk is done as that thread. */
    void begin(GreenThread main, Runnable first) {
        main.resumeWith = new Outcome(null, null);
        program.add(main);
        running = main;
        first.run();
        running = null;
    }

    /** Runs to the end. */
    void loop() {
        while (!program.threads.isEmpty() && !build.state().killed) {
            boolean ran = false;
            for (GreenThread t : new ArrayList<>(program.threads.values())) {
                if (t.isRunnable()) {
                    runChunk(t);
                    ran = true;
                }
            }
            for (Runnable e; (e = build.clock().takeDue(false)) != null; ) {
                e.run();
            }
            if (!anyRunnable() && !program.threads.isEmpty()) {
                if (ran || build.interruptions().isRestartDue()) {
                    saveAndReadBack();
                }
                if (!anyRunnable() && !build.state().killed) {
                    await();
                }
            }
        }
    }

    private boolean anyRunnable() {
        return program.threads.values().stream().anyMatch(GreenThread::isRunnable);
    }

    /** Runs one thread until it waits, yields or ends. */
    private void runChunk(GreenThread t) {
        running = t;
        Outcome resume = t.resumeWith;
        t.resumeWith = null;
        Outcome o = run(t, resume);
        if (o != null) {
            if (t.isAlive() && o.getNormal() == Safepoint.HERE) {
                t.resumeWith = new Outcome(null, null);
                build.interruptions().atSafepoint(++build.state().safepoints);
            } else if (t.isAlive() && o.getNormal() instanceof Steps.Waiting w) {
                startWaiting(t, w.call());
            } else if (o.isFailure()) {
                failed(t, o.getAbnormal());
            }
            if (!t.isAlive()) {
                program.threads.remove(t.id);
                end = program.threads.isEmpty() ? o : end;
            }
        }
        running = null;
    }

    /** One chunk of code; an error of the interpreter itself ends the build at once, no catch or finally sees it: null then [616]. */
    private Outcome run(GreenThread t, Outcome resume) {
        try {
            return sandbox == null ? t.code.run0(resume, CATEGORIES) : sandbox.run(() -> t.code.run0(resume, CATEGORIES));
        } catch (RuntimeException | Error e) {
            program.threads.clear();
            endWith(e);
            return null;
        }
    }

    private static void startWaiting(GreenThread t, Call call) {
        call.launchBodies();
        if (call.isCompleted()) {
            call.end();
            t.resumeWith = call.outcome;
        } else {
            call.await();
        }
    }

    /** The script's exception belongs to the node at its head too [405, 430]. */
    private void failed(GreenThread t, Throwable error) {
        Result r = error instanceof FlowInterruptedException f ? f.getResult() : Result.FAILURE;
        build.state().execution = build.state().execution.combine(r);
        build.graph().node(t.head.node).failed(error);
        Errors.mark(error);
    }

    /** Saves the whole program, throws it away and reads it back; what cannot be saved fails the newest thread [408, 409]. */
    private void saveAndReadBack() {
        try {
            byte[] saved = Pickle.write(program);
            build.state().largestProgram = Math.max(build.state().largestProgram, saved.length);
            Call waiting = program.threads.lastEntry().getValue().call;
            build.state().savedBytes.merge(waiting == null ? "" : waiting.name, saved.length, Math::max);
            program = (Program) Pickle.read(saved, build.loaders().scriptLoader());
        } catch (IOException | RuntimeException e) {
            GreenThread newest = program.threads.lastEntry().getValue();
            newest.call = null;
            if (e.getCause() == null) {
                e.initCause(new Unsaved(newest));
            }
            newest.resumeWith = new Outcome(null, e);
            return;
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException("The program cannot be read back", e);
        }
        build.interruptions().restartIfDue(() -> {
            throw new Build.Restart(Saved.save(build));
        });
    }

    /** Waits until something happens that may let a thread go on. */
    private void await() {
        long pause = 1;
        while (true) {
            boolean polled = pollSteps();
            Runnable due = build.clock().takeDue(!polled);
            if (due != null) {
                due.run();
            }
            if (due != null || anyRunnable() || build.state().killed) {
                return;
            }
            if (!polled && !build.clock().hasTimers()) {
                throw new IllegalStateException("The pipeline waits for something that cannot come: "
                        + program.threads.values().stream().filter(t -> t.call != null).map(t -> t.call.name).toList());
            }
            sleep(Math.max(1, build.clock().untilNext(polled ? pause : 1000)));
            pause = Math.min(pause * 2, LONGEST_POLL_MILLIS);
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private boolean pollSteps() {
        boolean any = false;
        for (GreenThread t : waiting()) {
            if (t.call != null && t.call.step.polls()) {
                any = true;
                deliver(t, Step::poll);
            }
        }
        return any;
    }

    /** The threads that wait for a step. */
    List<GreenThread> waiting() {
        return program.threads.values().stream().filter(t -> t.call != null).toList();
    }

    /** Does that with the step the thread waits for, if it still waits. */
    void deliver(GreenThread t, Delivery what) {
        if (t.call != null) {
            deliver(t.call.id, what);
        }
    }

    /** Does that with the step of that call, if it still waits. */
    void deliver(int callId, Delivery what) {
        Call call = program.call(callId);
        if (call == null) {
            return;
        }
        try {
            what.to(call.step);
        } catch (Exception e) {
            call.fail(e);
        }
    }
}
