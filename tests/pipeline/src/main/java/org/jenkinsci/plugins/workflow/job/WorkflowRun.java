package org.jenkinsci.plugins.workflow.job;

import groovy.lang.GroovyObjectSupport;
import hudson.model.Result;
import java.util.List;
import pipeline.engine.Build;
import pipeline.engine.Settings;

/** Imitation of the build itself: a trusted library can hold it [493, 514, 612]; what is not here is refused by name. */
public final class WorkflowRun extends GroovyObjectSupport {
    private final Settings.Earlier earlier;

    /** A build before the current one. */
    public WorkflowRun(Settings.Earlier earlier) {
        this.earlier = earlier;
    }

    /** The build whose code asks. */
    public static WorkflowRun current() {
        return new WorkflowRun(null);
    }

    /** Of the execution one can know its result: what an abort has made of it [514, 516]. */
    public static final class Execution extends GroovyObjectSupport {
        public Result getResult() {
            return Build.current().state().execution;
        }
    }

    @Override
    public Object getProperty(String name) {
        return switch (name) {
            case "building" -> earlier == null || earlier.running();
            case "number" -> earlier == null ? Build.current().settings().number : earlier.number();
            case "execution" -> {
                if (earlier != null) {
                    throw refused(name);
                }
                yield new Execution();
            }
            default -> throw refused(name);
        };
    }

    @Override
    public Object invokeMethod(String name, Object args) {
        if (name.equals("getClass")) {
            return getClass();
        }
        throw refused(name + "()");
    }

    private static UnsupportedOperationException refused(String what) {
        return new UnsupportedOperationException("The pipeline runner does not imitate currentBuild.rawBuild." + what);
    }

    /** The lines of a log are not kept for later builds. */
    public List<String> getLog(int lines) {
        throw refused("getLog()");
    }
}
