package pipeline.engine;

import com.cloudbees.groovy.cps.Continuable;
import com.cloudbees.groovy.cps.Envs;
import com.cloudbees.groovy.cps.impl.CpsCallableInvocation;
import com.cloudbees.groovy.cps.sandbox.DefaultInvoker;
import com.cloudbees.groovy.cps.sandbox.Invoker;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jenkinsci.plugins.workflow.cps.CpsScript;
import pipeline.library.Loaders;
import pipeline.library.Spread;
import pipeline.sandbox.Sandbox;

/** One build, from its first line of log to its last, and what its steps and scripts ask of it. Everything happens on one thread. */
public final class Build {
    /**
     * Steps that a restart of the controller does not resume but fails: SynchronousNonBlockingStepExecution, and GeneralNonBlockingStepExecution
     * before its body, of workflow-step-api (read in the source of these steps' plugins, not recorded).
     */
    private static final Set<String> NON_BLOCKING = Set.of("fileExists", "writeFile", "readFile", "withCredentials");
    private static final ThreadLocal<Build> CURRENT = new ThreadLocal<>();

    private final Settings settings;
    private final Clock clock;
    private final Environment environment = new Environment(this);
    private final Interruptions interruptions = new Interruptions(this);
    private final Sandbox sandbox;
    private final Scheduler scheduler;
    private BuildState state;
    private Loaders loaders;
    private Consumer<String> sink;

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
        agreeOnTime();
        this.state = new BuildState(settings, clock.now());
        this.sandbox = settings.sandbox ? new Sandbox() : null;
        this.scheduler = new Scheduler(this, sandbox);
    }

    /** The clock is not behind what other builds of the job have seen. */
    void agreeOnTime() {
        if (settings.notBefore != null) {
            clock.advanceTo(settings.notBefore.getAsLong());
        }
    }

    /** The build whose code runs on this thread. */
    public static Build current() {
        return CURRENT.get();
    }

    /** The operations of sandboxed code that were intercepted so far are counted in the state. */
    public void countIntercepted(long operations) {
        state.intercepted += operations;
    }

    /** A class of a library was compiled, or loaded as it was compiled before. */
    public void countClass(int bytes) {
        state.classBytes += bytes;
    }

    /** One of them has read a variable of {@code env}. */
    public void countEnvironmentRead() {
        state.environmentReads++;
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

    Scheduler scheduler() {
        return scheduler;
    }

    Program program() {
        return scheduler.program();
    }

    public GreenThread currentThread() {
        return scheduler.running();
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

    /** Runs it from the beginning to its end; every line of the log goes to the sink. */
    public void run(Consumer<String> to) {
        inBuild(to, () -> {
            Ending.causes(this);
            CpsScript script = compile();
            if (script != null) {
                begin(script);
                scheduler.loop();
            }
            Ending.finish(this, scheduler.end());
        });
    }

    /** Goes on with a build that {@link Restart} saved. */
    public void resume(byte[] saved, Consumer<String> to) {
        inBuild(to, () -> {
            Saved.restore(this, saved);
            state.console.println("Resuming build at " + new java.util.Date() + " after Jenkins restart");
            state.console.println("Ready to run at " + new java.util.Date());
            scheduler.waiting().forEach(t -> scheduler.deliver(t, Step::readBack));
            scheduler.loop();
            Ending.finish(this, scheduler.end());
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
        scheduler.restore(restored);
        interruptions.begin();
    }

    private CpsScript compile() {
        try {
            return (CpsScript) loaders.mainScript(settings.jenkinsfile);
        } catch (Exception | LinkageError e) {
            scheduler.endWith(e);
            return null;
        }
    }

    private void begin(CpsScript script) {
        Head head = new Head(graph().nextId(), 0);
        head.node = graph().start().id;
        Continuable code = new Continuable(script, Envs.empty(invoker()));
        scheduler.begin(new GreenThread(program().nextId(), head, Context.TOP, code), script::$initialize);
        interruptions.begin();
    }

    /**
     * A restart is to strike while this call of a non-blocking synchronous step runs. Here such steps are done at once, so this one is not
     * even begun: it waits until the program has been read back, and then it fails.
     */
    boolean isCutByRestart(Call call) {
        int nth = state.calls.getOrDefault(call.name, 0) + 1;
        if (!NON_BLOCKING.contains(call.name) || !interruptions.restartStrikes(call.name, nth)) {
            return false;
        }
        state.calls.put(call.name, nth);
        call.step.cut = true;
        return true;
    }

    void stepStarted(Call call) {
        call.nth = state.calls.merge(call.name, 1, Integer::sum);
        interruptions.started(call);
    }

    /** Looks at processes that are due while the pipeline's own thread is held up. */
    public void looksMeanwhile() {
        clock.takeDueLooks().forEach(Runnable::run);
    }

    /** The environment as code sees it here: {@code env.X}. */
    public Map<String, String> environment() {
        return environment.of(currentThread() == null ? Context.TOP : currentThread().context);
    }

    /** The environment of a process started in that context. */
    public Map<String, String> environment(Context context) {
        return environment.of(context);
    }

    /** A line in the log, secrets masked. */
    public void log(Context context, String line) {
        state.console.println(Masks.apply(context, line));
        activity(context);
    }

    /** Text in the log as a process gave it, secrets masked. */
    public void logRaw(Context context, String text) {
        state.console.print(Masks.apply(context, text));
        activity(context);
    }

    /** Tells a timeout that counts from the last output [504]. */
    private void activity(Context context) {
        if (context.quietTimeout != 0) {
            scheduler.deliver(context.quietTimeout, s -> s.wake("activity"));
        }
    }

    public boolean hasGlobal(String name) {
        return Globals.has(this, name);
    }

    public Object global(String name, CpsScript script) {
        return Globals.get(this, name, script);
    }

    public Object evaluate(String script) {
        return loaders.evaluate(script);
    }

    private void mismatch(Object expected, String expectedMethod, Object actual, String actualMethod) {
        if (expected == Spread.class) {
            return;
        }
        state.console.println("expected to call " + className(expected) + expectedMethod + " but wound up catching "
                + className(actual) + actualMethod + "; see: https://jenkins.io/redirect/pipeline-cps-method-mismatches/");
    }

    private static String className(Object o) {
        return o == null ? "" : (o instanceof Class<?> c ? c : o.getClass()).getName() + ".";
    }
}
