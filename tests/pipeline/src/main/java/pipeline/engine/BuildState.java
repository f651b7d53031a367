package pipeline.engine;

import hudson.model.Result;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What Jenkins keeps of a build outside its program: log, flow graph, result, what was set through {@code env}. */
public final class BuildState implements Serializable {
    private static final long serialVersionUID = 1L;
    public final Console console = new Console();
    public final Graph graph = new Graph(console);
    public final long startedAt;
    /** When it ended; 0 while it runs. */
    public long endedAt;
    /** The build's result as {@code currentBuild.result} shows it; null until something sets it [203]. */
    public Result result;
    /** The worst that happened to the execution; becomes the build's result at its end: an abort counts here at once [421]. */
    public Result execution = Result.SUCCESS;
    public String displayName;
    public String description;
    public boolean keepLog;
    public final Map<String, String> env = new TreeMap<>();
    /** Libraries in the order they were loaded, name to version. */
    public final Map<String, String> libraries = new LinkedHashMap<>();
    /** Workspaces and executors in use. */
    public final Set<String> leases = new LinkedHashSet<>();
    /** Agents that went away. */
    public final Set<String> removedAgents = new LinkedHashSet<>();
    /** What is still to come from outside. */
    public final List<Settings.Happening> happenings = new ArrayList<>();
    /** When something last came from outside, by the build's clock; 0 if nothing did. */
    public long happenedAt;
    /** Why the build was interrupted, as already told in its log. */
    public final Set<String> told = new LinkedHashSet<>();
    /** How often each step was called. */
    public final Map<String, Integer> calls = new TreeMap<>();
    public int callCounter;
    /** How often Jenkins has looked at a process. */
    public int looks;
    /** Operations that the sandbox has intercepted. */
    public long intercepted;
    /** Those of them that read a variable of {@code env}, which cost Jenkins far more than the others. */
    public long environmentReads;
    /** Bytes of the library classes that the build has compiled or loaded. */
    public long classBytes;
    /** Bytes of the program when it was largest: what Jenkins writes to disk whenever all threads wait. */
    public int largestProgram;
    /** How many safepoints the code has passed: where an abort may strike it between two steps [431]. */
    public int safepoints;
    /** How many bytes the program took when it was saved, by the step that its newest thread waited for then; the last size stays. */
    public final Map<String, Integer> savedBytes = new TreeMap<>();
    /** Ended by force: nothing more of the pipeline runs. */
    public boolean killed;
    /** Lost with its controller: not even its last line was written [804]. */
    public boolean lost;
    /** Durability hint PERFORMANCE_OPTIMIZED [804, 809]. */
    public boolean notDurable;
    /** A {@code pipeline { }} block has begun: there may be one only. */
    public boolean declarative;
    /** Option disableResume [806]. */
    public boolean notResumable;

    BuildState(Settings settings, long now) {
        startedAt = now;
        displayName = "#" + settings.number;
        notDurable = settings.performanceOptimized;
        happenings.addAll(settings.happenings);
    }

    /** Makes the result worse, never better [207]. */
    public void worsen(Result to) {
        result = result == null ? to : result.combine(to);
    }
}
