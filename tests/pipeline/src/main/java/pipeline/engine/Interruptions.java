package pipeline.engine;

import hudson.model.Result;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import jenkins.model.CauseOfInterruption;
import jenkins.model.CauseOfInterruption.UserInterruption;
import org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty.CancelledCause;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;

/** What comes from outside while a build runs: a person's aborts, a restart of the controller. */
public final class Interruptions {
    /** How long after a text has come into the log. */
    private static final long SETTLE_MILLIS = 300;

    private final Build build;
    private boolean restartDue;

    Interruptions(Build build) {
        this.build = build;
    }

    /** The pipeline starts, or goes on after a restart: sets the timers of what is to happen. */
    void begin() {
        for (Settings.Happening a : new ArrayList<>(build.state().happenings)) {
            if (a.afterMillis() != null) {
                build.state().happenings.remove(a);
                happenIn(a.afterMillis(), a.kind());
            }
        }
    }

    /** True if a restart is ordered for that call; it is then due as soon as everything waits. */
    boolean restartStrikes(String step, int nth) {
        for (Settings.Happening a : new ArrayList<>(build.state().happenings)) {
            if (a.kind().equals("restart") && step.equals(a.step()) && nth == a.nth()) {
                build.state().happenings.remove(a);
                restartDue = true;
                return true;
            }
        }
        return false;
    }

    /** The code has come to its Nth safepoint: what is ordered for it ({@code safepoint} as if it were a step's name) happens right there. */
    void atSafepoint(int nth) {
        for (Settings.Happening a : new ArrayList<>(build.state().happenings)) {
            if ("safepoint".equals(a.step()) && nth == a.nth()) {
                build.state().happenings.remove(a);
                happen(a.kind());
            }
        }
    }

    /** A step has begun. */
    void started(Call call) {
        for (Settings.Happening a : new ArrayList<>(build.state().happenings)) {
            if (call.name.equals(a.step()) && call.nth == a.nth() && a.moment() >= 0) {
                build.state().happenings.remove(a);
                happenIn(a.moment(), a.kind());
            }
        }
    }

    /** The script of that call has ended, and Jenkins has not looked yet; true if something happens then. */
    public boolean scriptEnded(Call call) {
        boolean any = false;
        for (Settings.Happening a : new ArrayList<>(build.state().happenings)) {
            if (call.name.equals(a.step()) && call.nth == a.nth() && a.moment() == Settings.GAP) {
                build.state().happenings.remove(a);
                happen(a.kind());
                any = true;
            }
        }
        return any;
    }

    /** A line has come into the log: the first abort that waits for a text may be due. */
    void seen(String line) {
        Iterator<Settings.Happening> i = build.state().happenings.iterator();
        while (i.hasNext()) {
            Settings.Happening a = i.next();
            if (a.text() != null) {
                if (a.text().startsWith("^") ? line.startsWith(a.text().substring(1)) : line.contains(a.text())) {
                    i.remove();
                    happenIn(SETTLE_MILLIS, a.kind());
                }
                return;
            }
        }
    }

    /** Leaves this process if a restart is due; a build that keeps nothing between steps does not come back from a kill [804]. */
    void restartIfDue(Runnable how) {
        if (!restartDue) {
            return;
        }
        restartDue = false;
        boolean killed = build.settings().restartKind.equals("kill");
        if (killed && build.state().notDurable) {
            build.state().execution = Result.FAILURE;
            build.state().killed = true;
            build.state().lost = true;
            build.graph().lose();
            return;
        }
        if (killed && build.state().notResumable) {
            build.console().println("java.io.IOException: Cannot resume build -- was not cleanly saved when Jenkins shut down.\n\tat "
                    + getClass().getName() + "\nERROR: Failed to load program");
            build.graph().endUnseen();
            build.state().execution = Result.FAILURE;
            build.state().killed = true;
            return;
        }
        if (!killed) {
            build.console().println("Pausing (shutting down)");
        }
        how.run();
    }

    boolean isRestartDue() {
        return restartDue;
    }

    /** At that moment by a virtual clock, even where a busy machine comes to it late; but what a test does meanwhile takes its time. */
    private void happenIn(long millis, String kinds) {
        long due = build.clock().now() + millis;
        build.clock().at(due, () -> {
            if (kinds.startsWith("call ")) {
                happen(kinds);
                return;
            }
            build.clock().holdAt(due);
            happen(kinds);
            build.clock().go();
        });
    }

    private void happen(String kinds) {
        build.state().happenedAt = build.clock().now();
        for (String kind : kinds.split(";")) {
            one(kind);
        }
    }

    private void one(String kind) {
        if (kind.startsWith("remove ")) {
            remove(kind.substring("remove ".length()));
            return;
        }
        if (kind.startsWith("fail ")) {
            fail(kind.substring("fail ".length()));
            return;
        }
        if (kind.startsWith("skip ")) {
            build.clock().skip(Long.parseLong(kind.substring("skip ".length())));
            return;
        }
        if (kind.startsWith("call ")) {
            build.settings().callbacks.get(Integer.parseInt(kind.substring("call ".length()))).run();
            build.agreeOnTime();
            return;
        }
        switch (kind) {
            case "restart" -> restartDue = true;
            case "kill" -> {
                build.console().println("Hard kill!");
                build.state().execution = Result.ABORTED;
                build.state().killed = true;
                build.graph().lose();
            }
            case "term" -> terminate();
            case "timeout" -> build.scheduler().waiting().stream().filter(t -> t.call.name.equals("timeout")).toList().forEach(
                    t -> build.scheduler().deliver(t, s -> s.wake("now")));
            case "reject" -> reject();
            case "superseded" -> superseded();
            default -> stop();
        }
    }

    /** A person presses stop: every innermost waiting step is interrupted, the build will end ABORTED [420-425]. */
    private void stop() {
        UserInterruption who = new UserInterruption(build.settings().abortUserId, build.settings().abortUserName);
        build.console().println(who.logLine());
        interrupt(new FlowInterruptedException(Result.ABORTED, who));
    }

    /** An agent goes away: the node blocks on it are interrupted. */
    private void remove(String agent) {
        build.state().removedAgents.add(agent);
        build.scheduler().waiting().stream().filter(t -> t.call.name.equals("node")).toList().forEach(
                t -> build.scheduler().deliver(t, s -> s.wake("removed " + agent)));
    }

    /** What waits in that branch of a parallel block fails. */
    private void fail(String branch) {
        for (GreenThread t : build.program().innermost()) {
            if (t.call != null && t.context.enclosing.contains("branch:" + branch)) {
                t.call.fail(new hudson.AbortException("failed from outside"));
            }
        }
    }

    /** Waiting steps end at once, their processes are not told [426]. */
    private void terminate() {
        for (GreenThread t : build.program().innermost()) {
            if (t.call != null) {
                build.console().println("Terminating " + t.call.name);
                t.call.fail(new FlowInterruptedException(Result.ABORTED));
            }
        }
    }

    /** A person says no to a step that waits for an answer [453]. */
    private void reject() {
        build.scheduler().waiting().stream().filter(t -> t.call.name.equals("input")).toList().forEach(
                t -> build.scheduler().deliver(t, s -> s.wake("reject")));
    }

    /** A newer build of the job takes this one's place [452]. */
    private void superseded() {
        CauseOfInterruption why = new CancelledCause(build.settings().number + 1);
        build.console().println(why.getShortDescription());
        interrupt(new FlowInterruptedException(Result.NOT_BUILT, why));
    }

    /** Interrupts the build with that exception; its result counts for the end at once. */
    public void interrupt(FlowInterruptedException cause) {
        build.state().execution = build.state().execution.combine(cause.getResult());
        cause.getCauses().forEach(c -> build.state().told.add(c.getShortDescription()));
        List<GreenThread> threads = build.program().innermost();
        GreenThread.stopAll(threads, cause, build.clock());
    }
}
