package org.jenkinsci.plugins.workflow.support.steps.build;

import hudson.model.Result;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import net.sf.json.JSONArray;
import pipeline.engine.Build;
import pipeline.engine.BuildState;
import pipeline.engine.Causes;
import pipeline.engine.Settings;

/** Imitation of {@code currentBuild} and of the builds before it [203-207]. */
public final class RunWrapper implements Serializable {
    private static final long serialVersionUID = 1L;
    private final int number;

    public RunWrapper(int number) {
        this.number = number;
    }

    private boolean isCurrent() {
        return number == settings().number;
    }

    private static Settings settings() {
        return Build.current().settings();
    }

    private static BuildState state() {
        return Build.current().state();
    }

    private BuildState writable(String property) {
        if (!isCurrent()) {
            throw new SecurityException("can only set the " + property + " property on the current build");
        }
        return state();
    }

    private Result resultNow() {
        return isCurrent() ? state().result : shown().result() == null ? null : Result.fromString(shown().result());
    }

    /** A build other than the current one, as it is now. */
    private Settings.Earlier shown() {
        return settings().earlierBuilds().stream().filter(e -> e.number() == number).findFirst().orElseThrow(
                () -> new IllegalStateException("build #" + number + " has been deleted"));
    }

    public String getResult() {
        return resultNow() == null ? null : resultNow().toString();
    }

    public String getCurrentResult() {
        return resultNow() == null ? "SUCCESS" : resultNow().toString();
    }

    /** The result only gets worse; an unknown name is FAILURE, null a NullPointerException [207]. */
    public void setResult(String result) {
        writable("result").worsen(Result.fromString(result));
    }

    public boolean resultIsBetterOrEqualTo(String other) {
        return Result.fromString(getCurrentResult()).isBetterOrEqualTo(Result.fromString(other));
    }

    public boolean resultIsWorseOrEqualTo(String other) {
        return Result.fromString(getCurrentResult()).isWorseOrEqualTo(Result.fromString(other));
    }

    public int getNumber() {
        return number;
    }

    public String getId() {
        return String.valueOf(number);
    }

    public String getDisplayName() {
        return isCurrent() ? state().displayName : shown().displayName();
    }

    public void setDisplayName(String name) {
        writable("displayName").displayName = name;
    }

    public String getDescription() {
        return isCurrent() ? state().description : shown().description();
    }

    public void setDescription(String text) {
        writable("description").description = text;
    }

    public boolean isKeepLog() {
        return isCurrent() ? state().keepLog : shown().keepLog();
    }

    public void setKeepLog(boolean keep) {
        writable("keepLog").keepLog = keep;
    }

    public String getFullDisplayName() {
        return getFullProjectName().replace("/", " » ") + " " + getDisplayName();
    }

    public String getProjectName() {
        String job = settings().jobName;
        return job.substring(job.lastIndexOf('/') + 1);
    }

    public String getFullProjectName() {
        return settings().jobName;
    }

    public String getAbsoluteUrl() {
        return "http://jenkins.example.test/job/" + settings().jobName.replace("/", "/job/") + "/" + number + "/";
    }

    public long getTimeInMillis() {
        return getStartTimeInMillis();
    }

    public long getStartTimeInMillis() {
        return isCurrent() ? state().startedAt : shown().startedAt();
    }

    public long getDuration() {
        return isCurrent() ? Math.max(1, Build.current().clock().now() - state().startedAt) : shown().duration();
    }

    public String getDurationString() {
        return pipeline.engine.Durations.text(getDuration()) + (isCurrent() || shown().running() ? " and counting" : "");
    }

    private RunWrapper before(Predicate<Settings.Earlier> which) {
        List<Settings.Earlier> all = settings().earlierBuilds();
        for (int i = all.size() - 1; i >= 0; i--) {
            if (all.get(i).number() < number && which.test(all.get(i))) {
                return new RunWrapper(all.get(i).number());
            }
        }
        return null;
    }

    public RunWrapper getPreviousBuild() {
        return before(e -> true);
    }

    public RunWrapper getPreviousCompletedBuild() {
        return before(e -> !e.running());
    }

    public RunWrapper getPreviousBuiltBuild() {
        return before(e -> !e.running() && !e.result().equals("NOT_BUILT"));
    }

    public RunWrapper getPreviousSuccessfulBuild() {
        return before(e -> !e.running() && (e.result().equals("SUCCESS") || e.result().equals("UNSTABLE")));
    }

    public RunWrapper getPreviousFailedBuild() {
        return before(e -> !e.running() && e.result().equals("FAILURE"));
    }

    public RunWrapper getPreviousNotFailedBuild() {
        return before(e -> !e.running() && !e.result().equals("FAILURE"));
    }

    public RunWrapper getPreviousBuildInProgress() {
        return before(Settings.Earlier::running);
    }

    public RunWrapper getNextBuild() {
        List<Integer> numbers = new java.util.ArrayList<>(settings().earlierBuilds().stream().map(Settings.Earlier::number).toList());
        numbers.add(settings().number);
        return numbers.stream().filter(n -> n > number).min(Integer::compare).map(RunWrapper::new).orElse(null);
    }

    /** What {@code env.X =} has set, nothing else; it cannot be changed here [496]. */
    public Map<String, Object> getBuildVariables() {
        return java.util.Collections.unmodifiableMap(new java.util.TreeMap<>(isCurrent() ? state().env : shown().variables()));
    }

    public List<Object> getChangeSets() {
        return List.of();
    }

    public List<RunWrapper> getUpstreamBuilds() {
        return List.of();
    }

    public JSONArray getBuildCauses() {
        return Causes.of(settings(), null);
    }

    /** Those of one class; empty for a class that is not there or not known [203]. */
    public JSONArray getBuildCauses(String className) {
        return Causes.of(settings(), className);
    }

    public Object getRawBuild() {
        return isCurrent() ? org.jenkinsci.plugins.workflow.job.WorkflowRun.current() : new org.jenkinsci.plugins.workflow.job.WorkflowRun(shown());
    }
}
