package pipeline.engine;

import com.cloudbees.groovy.cps.Outcome;
import hudson.AbortException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import jenkins.model.CauseOfInterruption;
import org.jenkinsci.plugins.workflow.actions.ErrorAction;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;

/** The first and the last lines of a build's log, and its result [403-406]. */
public final class Ending {
    private Ending() {}

    static void causes(Build build) {
        build.console().println(Causes.firstLine(build.settings()));
        if (build.settings().scmRepository != null) {
            build.console().println("Obtained Jenkinsfile from git " + build.settings().scmUrl);
        }
    }

    static void finish(Build build, Outcome end) {
        BuildState state = build.state();
        Throwable error = end == null ? null : end.getAbnormal();
        boolean compiled = state.graph.size() > 0;
        if (compiled && !state.killed) {
            FlowNode n = state.graph.end();
            if (error != null) {
                n.failed(error);
                Errors.mark(error);
            }
        }
        if (error != null) {
            report(build, error, compiled);
        }
        state.worsen(state.execution);
        state.endedAt = build.clock().now();
        if (!state.lost) {
            state.console.println("Finished: " + state.result);
        }
    }

    /** One line for an ordinary failure of Jenkins, a stack trace for everything else. */
    private static void report(Build build, Throwable error, boolean compiled) {
        Console c = build.console();
        if (error instanceof AbortException) {
            c.println("ERROR: " + error.getMessage());
        } else if (error instanceof FlowInterruptedException f) {
            reasons(build, f).forEach(c::println);
        } else {
            c.println(trace(error).stripTrailing());
        }
    }

    /** What the log says of an interruption: its causes, unless they were logged when it came, and its mark. */
    public static List<String> reasons(Build build, FlowInterruptedException error) {
        List<String> r = new ArrayList<>();
        for (CauseOfInterruption cause : error.getCauses()) {
            if (!build.state().told.contains(cause.getShortDescription())) {
                r.add(cause.getShortDescription());
            }
        }
        for (Throwable s : error.getSuppressed()) {
            if (s instanceof ErrorAction.ErrorId) {
                r.add(s.toString());
            }
        }
        return r;
    }

    /** Innermost cause first, as Jenkins prints traces [406]; suppressed ones before it as {@code Also:}. */
    public static String trace(Throwable t) {
        StringWriter w = new StringWriter();
        trace(t, new PrintWriter(w), "");
        return w.toString();
    }

    private static void trace(Throwable t, PrintWriter out, String prefix) {
        Throwable cause = t.getCause();
        if (cause != null) {
            trace(cause, out, prefix);
        }
        for (Throwable s : t.getSuppressed()) {
            StringWriter w = new StringWriter();
            trace(s, new PrintWriter(w), "");
            out.print(prefix + "Also:   " + w.toString().replace("\n", "\n" + prefix + "    ").stripTrailing() + "\n");
        }
        out.print(prefix + (cause == null ? "" : "Caused: ") + t + "\n");
        for (StackTraceElement e : t.getStackTrace()) {
            if (e.getClassName().equals("___cps")) {
                continue;
            }
            out.print(prefix + "\tat " + e + "\n");
        }
    }
}
