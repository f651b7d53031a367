package pipeline.engine;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.Envs;
import com.cloudbees.groovy.cps.Outcome;
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation;
import com.cloudbees.groovy.cps.sandbox.DefaultInvoker;
import com.cloudbees.groovy.cps.sandbox.Invoker;
import hudson.model.Result;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jenkinsci.plugins.workflow.cps.CpsScript;
import org.jenkinsci.plugins.workflow.cps.Safepoint;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import pipeline.library.Loaders;
import pipeline.sandbox.Sandbox;

/**
 * One build: runs its green threads in turn until each waits, saves and reads back the program, then waits for what comes next.
 * Everything happens on one thread.
 */
public final class Build {
    private static final ThreadLocal<Build> CURRENT = new ThreadLocal<>();
    @SuppressWarnings("rawtypes")
    private static final List<Class> CATEGORIES = categories();

    private final Settings settings;
    private final Clock clock;
    private final ConcurrentLinkedQueue<Runnable> events = new ConcurrentLinkedQueue<>();
    private final Environment environment = new Environment(this);
    private final Interruptions interruptions = new Interruptions(this);
    private final Sandbox sandbox;
    private BuildState state;
    private Program program = new Program();
    private Loaders loaders;
    private GreenThread running;
    private Outcome end;
    private Consumer<String> sink;

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

    /** Thrown when the build is to go on in a new process: holds what it needs. */
    public static final class Restart extends RuntimeException {
        private static final long serialVersionUID = 1L;
        public final transient byte[] saved;

        Restart(byte[] saved) {
            super("restart", null, false, false);
            this.saved = saved;
        }
    }

    public Build(Settings settings) {
        this.settings = settings;
        this.clock = new Clock(settings.virtualClock);
        this.state = new BuildState(settings, clock.now());
        this.sandbox = settings.sandbox ? new Sandbox() : null;
    }

    @SuppressWarnings("rawtypes")
    private static List<Class> categories() {
        List<Class> r = new ArrayList<>(Continuable.categories);
        r.add(SerializableViews.class);
        return r;
    }

    /** The build whose code runs on this thread. */
    public static Build current() {
        return CURRENT.get();
    }

    public Settings settings() {
        return settings;
    }

    public BuildState state() {
        return state;
    }

    public Console console() {
        return state.console;
    }

    public Graph graph() {
        return state.graph;
    }

    public Clock clock() {
        return clock;
    }

    public Loaders loaders() {
        return loaders;
    }

    Program program() {
        return program;
    }

    public GreenThread currentThread() {
        return running;
    }

    public Interruptions interruptions() {
        return interruptions;
    }

    Invoker invoker() {
        return new Invocation(sandbox != null ? sandbox.invoker() : new DefaultInvoker());
    }

    int nextCallId() {
        return ++state.callCounter;
    }

    // ---- the run

    /** Runs it from the beginning to its end; every line of the log goes to the sink. */
    public void run(Consumer<String> sink) {
        inBuild(sink, () -> {
            Ending.causes(this);
            CpsScript script = compile();
            if (script != null) {
                begin(script);
                loop();
            }
            Ending.finish(this, end);
        });
    }

    /** Goes on with a build that {@link Restart} saved. */
    public void resume(byte[] saved, Consumer<String> sink) {
        inBuild(sink, () -> {
            Saved.restore(this, saved);
            state.console.println("Resuming build at " + new java.util.Date() + " after Jenkins restart");
            state.console.println("Ready to run at " + new java.util.Date());
            for (GreenThread t : new ArrayList<>(program.threads.values())) {
                if (t.call != null) {
                    deliver(t.call.id, Step::resume);
                }
            }
            loop();
            Ending.finish(this, end);
        });
    }

    private void inBuild(Consumer<String> to, Runnable what) {
        CURRENT.set(this);
        sink = to;
        ClassLoader before = Thread.currentThread().getContextClassLoader();
        try {
            state.console.listen(sink, interruptions::seen);
            loaders = new Loaders(this);
            CpsCallableInvocation.registerMismatchHandler(this::mismatch);
            what.run();
        } finally {
            CpsCallableInvocation.registerMismatchHandler(null);
            Thread.currentThread().setContextClassLoader(before);
            CURRENT.remove();
            if (loaders != null) {
                loaders.close();
            }
        }
    }

    void restoreState(BuildState restored) {
        state = restored;
        state.console.listen(sink, interruptions::seen);
    }

    void restoreProgram(Program restored) {
        program = restored;
        interruptions.begin();
    }

    private CpsScript compile() {
        try {
            return (CpsScript) loaders.mainScript(settings.jenkinsfile);
        } catch (Exception | LinkageError e) {
            end = new Outcome(null, e);
            state.execution = state.execution.combine(Result.FAILURE);
            return null;
        }
    }

    private void begin(CpsScript script) {
        Head head = new Head(graph().nextId(), 0);
        head.node = graph().start().id;
        GreenThread t = new GreenThread(program.nextId(), head, Context.TOP, new Continuable(script, Envs.empty(invoker())));
        t.resumeWith = new Outcome(null, null);
        program.add(t);
        running = t;
        script.$initialize();
        running = null;
        interruptions.begin();
    }

    private void loop() {
        while (!program.threads.isEmpty() && !state.killed) {
            boolean ran = false;
            for (GreenThread t : new ArrayList<>(program.threads.values())) {
                if (t.isRunnable()) {
                    runChunk(t);
                    ran = true;
                }
            }
            for (Runnable e; (e = events.poll()) != null || (e = clock.takeDue(false)) != null; ) {
                e.run();
            }
            if (!anyRunnable() && !program.threads.isEmpty()) {
                if (ran || interruptions.isRestartDue()) {
                    saveAndReadBack();
                }
                if (!anyRunnable() && !state.killed) {
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
        if (o == null) {
            return;
        }
        if (t.isAlive() && o.getNormal() == Safepoint.HERE) {
            t.resumeWith = new Outcome(null, null);
        } else if (t.isAlive() && o.getNormal() instanceof Steps.Waiting w) {
            wait(t, w.call());
        } else if (o.isFailure()) {
            failed(t, o.getAbnormal());
        }
        if (!t.isAlive()) {
            program.threads.remove(t.id);
            if (program.threads.isEmpty()) {
                end = o;
            }
        }
        running = null;
    }

    private void wait(GreenThread t, Call call) {
        call.launchBodies();
        if (call.isCompleted()) {
            call.end(true);
            t.resumeWith = call.outcome;
        } else {
            call.await();
        }
    }

    /** One chunk of code; an error of the interpreter itself ends the build at once, no catch or finally sees it: null then [616]. */
    private Outcome run(GreenThread t, Outcome resume) {
        try {
            return sandbox == null ? t.code.run0(resume, CATEGORIES) : sandbox.run(() -> t.code.run0(resume, CATEGORIES));
        } catch (RuntimeException | Error e) {
            program.threads.clear();
            end = new Outcome(null, e);
            state.execution = state.execution.combine(Result.FAILURE);
            running = null;
            return null;
        }
    }

    /** The script's exception belongs to the node at its head too [405, 430]. */
    private void failed(GreenThread t, Throwable error) {
        Result r = error instanceof FlowInterruptedException f ? f.getResult() : Result.FAILURE;
        state.execution = state.execution.combine(r);
        graph().node(t.head.node).failed(error);
        Errors.mark(error);
    }

    // ---- what Jenkins does at every waiting step

    /** Saves the whole program, throws it away and reads it back; what cannot be saved fails the newest thread [408, 409]. */
    private void saveAndReadBack() {
        byte[] saved;
        try {
            saved = Pickle.write(program);
            program = (Program) Pickle.read(saved, loaders.scriptLoader());
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
        interruptions.restartIfDue(() -> {
            throw new Restart(Saved.save(this));
        });
    }

    private void await() {
        long pause = 1;
        while (true) {
            boolean polled = pollSteps();
            Runnable e = events.poll();
            if (e == null) {
                e = clock.takeDue(!polled);
            }
            if (e != null) {
                e.run();
            }
            if (e != null || anyRunnable() || state.killed) {
                return;
            }
            if (!polled && !clock.hasTimers()) {
                throw new IllegalStateException("The pipeline waits for something that cannot come: "
                        + program.threads.values().stream().filter(t -> t.call != null).map(t -> t.call.name).toList());
            }
            try {
                Thread.sleep(polled ? Math.max(1, clock.untilNext(pause)) : Math.max(1, clock.untilNext(1000)));
            } catch (InterruptedException x) {
                throw new IllegalStateException(x);
            }
            pause = Math.min(pause * 2, 25);
        }
    }

    private boolean pollSteps() {
        boolean any = false;
        for (GreenThread t : new ArrayList<>(program.threads.values())) {
            if (t.call != null && t.call.step != null && t.call.step.polls()) {
                any = true;
                deliver(t.call.id, Step::poll);
            }
        }
        return any;
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

    /** Runs it on the build's thread, before anything else. */
    public void post(Runnable what) {
        events.add(what);
    }

    /** Wakes every waiting step of that name. */
    void wakeAll(String step, String what) {
        for (GreenThread t : new ArrayList<>(program.threads.values())) {
            if (t.call != null && t.call.name.equals(step)) {
                deliver(t.call.id, s -> s.wake(what));
            }
        }
    }

    void stepStarted(Call call) {
        int n = state.calls.merge(call.name, 1, Integer::sum);
        interruptions.started(call.name, n);
    }

    // ---- what steps and scripts ask for

    /** The environment as code sees it here: {@code env.X}. */
    public Map<String, String> environment() {
        return environment.of(running == null ? Context.TOP : running.context);
    }

    /** The environment of a process started in that context. */
    public Map<String, String> environment(Context context) {
        return environment.of(context);
    }

    public void log(Context context, String line) {
        state.console.println(Masks.apply(context, line));
        activity(context);
    }

    public void logRaw(Context context, String text) {
        state.console.print(Masks.apply(context, text));
        activity(context);
    }

    /** Tells a timeout that counts from the last output [504]. */
    private void activity(Context context) {
        if (context.quietTimeout != 0) {
            deliver(context.quietTimeout, s -> s.wake("activity"));
        }
    }

    Map<String, Object> masked(Context context, Map<String, Object> args) {
        return Masks.arguments(context, args);
    }

    public boolean hasGlobal(String name) {
        return Globals.has(this, name);
    }

    public Object global(String name, CpsScript script) {
        return Globals.get(this, name, script);
    }

    List<String> globals() {
        return Globals.names(this);
    }

    public Object evaluate(String script) {
        return loaders.evaluate(script);
    }

    private void mismatch(Object expected, String expectedMethod, Object actual, String actualMethod) {
        state.console.println("expected to call " + className(expected) + expectedMethod + " but wound up catching "
                + className(actual) + actualMethod + "; see: https://jenkins.io/redirect/pipeline-cps-method-mismatches/");
    }

    private static String className(Object o) {
        return o == null ? "" : (o instanceof Class<?> c ? c : o.getClass()).getName() + ".";
    }

    /** The same as pressing "terminate" in Jenkins: waiting steps end at once [426]. */
    void terminate() {
        for (GreenThread t : program.innermost()) {
            if (t.call != null) {
                state.console.println("Terminating " + t.call.name);
                t.call.fail(new FlowInterruptedException(Result.ABORTED));
            }
        }
    }
}
