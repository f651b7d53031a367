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

    /** A build before this one. */
    public record Earlier(int number, String result) implements Serializable {}

    /**
     * Something that comes from outside, such as stop being pressed: after so many milliseconds, while the Nth call of a step runs, or once a text is in
     * the log ({@code ^} in front: a line begins with it). Kind: stop, term, kill, superseded, reject, restart, or
     * {@code remove NAME} for an agent that goes away.
     */
    public record Happening(String kind, Long afterMillis, String step, int nth, String text) implements Serializable {}

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
    /** Jobs that a {@code build} step finds, with the result that each ends with. */
    public Map<String, String> otherJobs = new LinkedHashMap<>();
    /** A local git repository that {@code checkout scm} clones; null: there is no scm. */
    public String scmRepository;
    /** How the repository's address is shown; null: its path. */
    public String scmUrl;
    /** The folder that holds home and workspaces. */
    public String home;

    public Path homePath() {
        return Path.of(home);
    }
}
