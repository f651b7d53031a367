package pipeline.engine;

import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** All that is decided before a build starts: the job, what the administrator set up, and what is done to it while it runs. */
public final class Settings implements Serializable {
    private static final long serialVersionUID = 1L;

    /** An agent: its labels in one text, separated by blanks; how many builds at once. */
    public record AgentSpec(String name, String labels, int executors) implements Serializable {}

    /** A shared library: where its checkout lies; trusted (global) or sandboxed (folder). */
    public record LibrarySpec(String directory, boolean trusted) implements Serializable {}

    /**
     * A build before this one, as {@code currentBuild.previousBuild} shows it [490-499]. A running one has a result as soon as something has set
     * one [498]; variables are what {@code env.X =} has set, nothing else [496].
     */
    public record Earlier(int number, String result, boolean running, long startedAt, long duration, String displayName, String description,
            boolean keepLog, Map<String, String> variables) implements Serializable {
        /** One that is over, of which nothing else is known. */
        public Earlier(int number, String result) {
            this(number, result, false, System.currentTimeMillis() - 60_000, 1000, "#" + number, null, false, Map.of());
        }
    }

    /**
     * Something that comes from outside, such as stop being pressed: after so many milliseconds, while the Nth call of a step runs, or once a text is in
     * the log ({@code ^} in front: a line begins with it). Kind: stop, term, kill, superseded, reject, restart, or
     * {@code remove NAME} for an agent that goes away, {@code timeout} (the time limits around waiting steps run out), {@code fail BRANCH} (what
     * waits in that branch fails), {@code skip MILLIS} (the clock jumps), {@code call N} (the Nth of {@link #callbacks}). With a step, {@code moment}
     * says when: so many milliseconds after it has begun, or {@link #GAP}.
     */
    public record Happening(String kind, Long afterMillis, String step, int nth, String text, long moment) implements Serializable {
        /** Where a step runs: its process, if it has one, is surely there. */
        public Happening(String kind, Long afterMillis, String step, int nth, String text) {
            this(kind, afterMillis, step, nth, text, STARTED_MILLIS);
        }
    }

    /** How long a started step is left alone before something happens to it, unless the moment is given. */
    public static final long STARTED_MILLIS = 120;
    /** Between the end of an {@code sh}'s script and Jenkins' next look at it. */
    public static final long GAP = -1;

    public String jenkinsfile = "";
    public String jobName = "demo";
    public int number = 1;
    public boolean sandbox;
    public boolean virtualClock;
    public Map<String, Object> parameters = new LinkedHashMap<>();
    public Map<String, String> globalEnv = new LinkedHashMap<>();
    public Map<String, String> agentEnv = new LinkedHashMap<>();
    /** Id to a text (secret text), or to a map with {@code kind}: usernamePassword, file. */
    public Map<String, Object> credentials = new LinkedHashMap<>();
    /** user:ID, timer, upstream:JOB#N[:USER]; null as the recordings have it: an anonymous person. */
    public String cause;
    /** Who presses stop, as id and full name. */
    public String abortUserId = "anonymous";
    public String abortUserName = "unknown";
    public List<AgentSpec> agents = new ArrayList<>(List.of(new AgentSpec("built-in", "built-in", 1000)));
    /** Which of them are Windows agents, and Wine's set-up there: wine (the program), prefix, path (more folders on PATH). */
    public java.util.Set<String> windowsAgents = new java.util.LinkedHashSet<>();
    public Map<String, String> wine = new LinkedHashMap<>();
    public Map<String, LibrarySpec> libraries = new LinkedHashMap<>();
    public List<Happening> happenings = new ArrayList<>();
    /** How the controller is restarted: kill, or term for an orderly stop [809]. */
    public String restartKind = "kill";
    /** How long the controller is down then. */
    public long downMillis;
    public List<Earlier> earlier = new ArrayList<>();
    /** Asks anew for the builds before this one whenever the pipeline does; null: {@link #earlier} is all there is. */
    public transient java.util.function.Supplier<List<Earlier>> history;
    /** Executors and workspaces that other builds hold. */
    public transient java.util.function.Supplier<java.util.Set<String>> leasedByOthers;
    /** No earlier than then does the build go on, by its clock: the clocks of the builds of a job agree. */
    public transient java.util.function.LongSupplier notBefore;
    /** What tests do while a build waits. */
    public transient List<Runnable> callbacks = new ArrayList<>();
    /** The administrator's "Shell executable", which runs scripts without a {@code #!} line. */
    public String shell = "sh";
    /** Whether the message of a step that cannot be resumed is the one of workflow-step-api before February 2025. */
    public boolean oldResumeMessage;
    /**
     * As an older workflow-durable-task-step had it, with which some recordings were made: an interruption wins over every exit code, and nothing is
     * printed. The present one loses it to a 0 [456-469].
     */
    public boolean interruptionsAlwaysWin;
    /** The job's durability hint is PERFORMANCE_OPTIMIZED. */
    public boolean performanceOptimized;
    /** Jobs that a {@code build} step finds, with the result that each ends with. */
    public Map<String, String> otherJobs = new LinkedHashMap<>();
    /** A local git repository that {@code checkout scm} clones; null: there is no scm. */
    public String scmRepository;
    /** How the repository's address is shown; null: its path. */
    public String scmUrl;
    /** The folder that holds home and workspaces. */
    public String home;

    /** The builds of this job before this one, in order of number. */
    public List<Earlier> earlierBuilds() {
        return history == null ? earlier : history.get();
    }

    /** Whether another build holds that executor or workspace. */
    public boolean isLeasedByOthers(String what) {
        return leasedByOthers != null && leasedByOthers.get().contains(what);
    }

    public Path homePath() {
        return Path.of(home);
    }
}
