package org.jenkinsci.plugins.workflow.support.steps.build;

import groovy.lang.MissingPropertyException;
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

/** Stand-in of {@code currentBuild} and of the builds before it [203-207]. */
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
        return isCurrent() ? state().result : Result.fromString(earlier().result());
    }

    private Settings.Earlier earlier() {
        return settings().earlier.stream().filter(e -> e.number() == number).findFirst().orElseThrow();
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
        return isCurrent() ? state().displayName : "#" + number;
    }

    public void setDisplayName(String name) {
        writable("displayName").displayName = name;
    }

    public String getDescription() {
        return isCurrent() ? state().description : null;
    }

    public void setDescription(String text) {
        writable("description").description = text;
    }

    public boolean isKeepLog() {
        return isCurrent() && state().keepLog;
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
        return state().startedAt;
    }

    public long getStartTimeInMillis() {
        return state().startedAt;
    }

    public long getDuration() {
        return isCurrent() ? Math.max(1, Build.current().clock().now() - state().startedAt) : 1000;
    }

    public String getDurationString() {
        return pipeline.engine.Durations.text(getDuration()) + (isCurrent() ? " and counting" : "");
    }

    private RunWrapper before(Predicate<Settings.Earlier> which) {
        List<Settings.Earlier> all = settings().earlier;
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
        return before(e -> true);
    }

    public RunWrapper getPreviousBuiltBuild() {
        return before(e -> !e.result().equals("NOT_BUILT"));
    }

    public RunWrapper getPreviousSuccessfulBuild() {
        return before(e -> e.result().equals("SUCCESS"));
    }

    public RunWrapper getPreviousFailedBuild() {
        return before(e -> e.result().equals("FAILURE"));
    }

    public RunWrapper getPreviousNotFailedBuild() {
        return before(e -> e.result().equals("SUCCESS") || e.result().equals("UNSTABLE"));
    }

    public RunWrapper getPreviousBuildInProgress() {
        return null;
    }

    public RunWrapper getNextBuild() {
        return null;
    }

    public Map<String, Object> getBuildVariables() {
        return Map.copyOf(state().env);
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
        return new org.jenkinsci.plugins.workflow.job.WorkflowRun();
    }

    public Object propertyMissing(String name) {
        throw new MissingPropertyException("No such field found: field " + RunWrapper.class.getName() + " " + name);
    }
}
