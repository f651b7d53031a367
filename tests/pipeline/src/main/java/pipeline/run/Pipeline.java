package pipeline.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import pipeline.engine.Build;
import pipeline.engine.BuildState;
import pipeline.engine.Settings;
import pipeline.steps.Processes;

/**
 * One pipeline to run, for tests and the command line:
 * {@code Pipeline.of(text).library(dir).env("LAST9_DRY_RUN", "true").run().result()}.
 */
public final class Pipeline {
    private final Settings settings = new Settings();
    private Consumer<String> sink = line -> {};

    private Pipeline(String jenkinsfile) {
        settings.jenkinsfile = jenkinsfile;
        settings.virtualClock = true;
        settings.agentEnv.putAll(agentEnvironment(System.getenv()));
    }

    /** The invoking shell's environment as an agent's: without what belongs to the shell or to the runner. */
    static Map<String, String> agentEnvironment(Map<String, String> shell) {
        Map<String, String> r = new LinkedHashMap<>();
        shell.forEach((k, v) -> {
            boolean own = k.startsWith("PIPELINE_") || k.startsWith("LAST9_") || k.startsWith("GIT_") || k.startsWith("MAVEN_");
            if (!own && !List.of("_", "SHLVL", "PWD", "OLDPWD").contains(k)) {
                r.put(k, v);
            }
        });
        return r;
    }

    /** A pipeline of that Jenkinsfile text, on a virtual clock. */
    public static Pipeline of(String jenkinsfile) {
        return new Pipeline(jenkinsfile);
    }

    /** The global library {@code last9} is this checkout. */
    public Pipeline library(Path checkout) {
        return library("last9", checkout, true);
    }

    /** A library; trusted (global) or sandboxed (folder-level). */
    public Pipeline library(String name, Path checkout, boolean trusted) {
        settings.libraries.put(name, new Settings.LibrarySpec(checkout.toAbsolutePath().toString(), trusted));
        return this;
    }

    /** A variable among Jenkins' global properties. */
    public Pipeline env(String name, String value) {
        settings.globalEnv.put(name, value);
        return this;
    }

    /** A variable of the agent's environment; null takes it away. */
    public Pipeline agentEnv(String name, String value) {
        if (value == null) {
            settings.agentEnv.remove(name);
        } else {
            settings.agentEnv.put(name, value);
        }
        return this;
    }

    /** A secret text in the credentials store. */
    public Pipeline credential(String id, Object secret) {
        settings.credentials.put(id, secret);
        return this;
    }

    /** A build parameter; a {@link hudson.util.Secret} for a password parameter. */
    public Pipeline param(String name, Object value) {
        settings.parameters.put(name, value);
        return this;
    }

    public Pipeline sandbox(boolean on) {
        settings.sandbox = on;
        return this;
    }

    /** {@code timer}, {@code user:ID}, {@code upstream:JOB#N:USER}. */
    public Pipeline cause(String cause) {
        settings.cause = cause;
        return this;
    }

    /** A person presses stop while the Nth call of that step runs. */
    public Pipeline abortAt(String step, int nth) {
        settings.happenings.add(new Settings.Happening("stop", null, step, nth, null));
        return this;
    }

    /** A person presses stop so many milliseconds of the build's clock after the Nth call of that step has begun. */
    public Pipeline abortAt(String step, int nth, long millis) {
        return at("stop", step, nth, millis);
    }

    /** A person presses stop when the script of the Nth call of {@code sh} has ended and Jenkins has not looked yet. */
    public Pipeline abortInGap(String step, int nth) {
        return at("stop", step, nth, Settings.GAP);
    }

    /** The time limits around the Nth call of that step run out then: milliseconds after its beginning, or {@link Settings#GAP}. */
    public Pipeline timeoutAt(String step, int nth, long moment) {
        return at("timeout", step, nth, moment);
    }

    /** What waits in that branch of {@code parallel} fails at that moment of the Nth call of that step, in any branch. */
    public Pipeline siblingFailsAt(String branch, String step, int nth, long moment) {
        return at("fail " + branch, step, nth, moment);
    }

    /** Anything of {@link Settings.Happening}'s kinds, at that moment of the Nth call of that step. */
    public Pipeline at(String kind, String step, int nth, long moment) {
        settings.happenings.add(new Settings.Happening(kind, null, step, nth, null, moment));
        return this;
    }

    /** Anything of {@link Settings.Happening}'s kinds, once that text is in the log. */
    public Pipeline afterText(String kind, String text) {
        settings.happenings.add(new Settings.Happening(kind, null, null, 0, text));
        return this;
    }

    /** Does that, and what kinds may follow ({@code ";term"}), once that text is in the log; the build waits meanwhile, and is still running. */
    public Pipeline afterText(String text, Runnable what, String... andThen) {
        settings.callbacks.add(what);
        return afterText("call " + (settings.callbacks.size() - 1) + String.join("", andThen), text);
    }

    /** The administrator's shell for scripts without a {@code #!} line: a program, as its name or path. */
    public Pipeline shell(String program) {
        settings.shell = program;
        return this;
    }

    /** A person presses stop once that text is in the log; several are taken in turn. */
    public Pipeline abortAfterText(String text) {
        settings.happenings.add(new Settings.Happening("stop", null, null, 0, text));
        return this;
    }

    /** A person presses stop after that time of the build's clock. */
    public Pipeline abortAfter(long millis) {
        settings.happenings.add(new Settings.Happening("stop", millis, null, 0, null));
        return this;
    }

    /** An agent beside those there are; the first call of this replaces the built-in node. */
    public Pipeline agent(String name, String labels, int executors) {
        settings.agents.removeIf(a -> a.name().equals("built-in"));
        settings.agents.add(new Settings.AgentSpec(name, labels, executors));
        return this;
    }

    /** A Windows agent: {@code bat} runs Wine's cmd, set up as {@code tools/windows_agent.py} says. */
    public Pipeline windowsAgent(String name, String labels, Map<String, String> wine) {
        settings.windowsAgents.add(name);
        settings.wine.putAll(wine);
        return agent(name, labels, 1);
    }

    /** That agent goes away while the Nth call of that step runs. */
    public Pipeline agentLostAt(String name, String step, int nth) {
        settings.happenings.add(new Settings.Happening("remove " + name, null, step, nth, null));
        return this;
    }

    /** That agent goes away once that text is in the log. */
    public Pipeline agentLostAfterText(String name, String text) {
        settings.happenings.add(new Settings.Happening("remove " + name, null, null, 0, text));
        return this;
    }

    /** The controller is restarted, in a new JVM process, while the Nth call of that step runs. */
    public Pipeline restartAt(String step, int nth) {
        settings.happenings.add(new Settings.Happening("restart", null, step, nth, null));
        return this;
    }

    /** Real time instead of a clock that jumps over sleeps. */
    public Pipeline realTime() {
        settings.virtualClock = false;
        return this;
    }

    /** Each line of the log as it comes. */
    public Pipeline log(Consumer<String> to) {
        sink = to;
        return this;
    }

    /** Everything else that can be set. */
    public Settings settings() {
        return settings;
    }

    /** Runs it; its home (workspaces) stays until {@link Run#close}. */
    public Run run() {
        return run(build -> {});
    }

    /** The same; the build is shown before it begins. */
    Run run(Consumer<Build> shown) {
        boolean ownHome = settings.home == null;
        try {
            if (ownHome) {
                settings.home = Files.createTempDirectory("jenkins-").toRealPath().toString();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Build build = new Build(settings);
        shown.accept(build);
        BuildState state;
        try {
            build.run(sink);
            state = build.state();
        } catch (Build.Restart r) {
            state = NewProcess.goOn(settings, r.saved, sink);
        }
        return new Run(state, settings.homePath(), ownHome);
    }

    /** What came of a build. */
    public record Run(BuildState state, Path home, boolean temporary) implements AutoCloseable {
        /** SUCCESS, UNSTABLE, FAILURE, NOT_BUILT or ABORTED. */
        public String result() {
            return state.result.toString();
        }

        /** The log, line by line. */
        public List<String> console() {
            return state.console.lines();
        }

        /** The log as one text. */
        public String log() {
            return String.join("\n", console()) + "\n";
        }

        /** The flow graph's steps, in the shape of the recordings. */
        public List<Map<String, Object>> steps() {
            return state.graph.entries();
        }

        /** The size of the saved program while that step was waited for, the last time. */
        public int savedBytes(String step) {
            return state.savedBytes.getOrDefault(step, 0);
        }

        /** What the build cost: flow nodes by kind, Jenkins' looks at processes, operations that the sandbox has intercepted, how many of these read {@code env}, bytes of library classes. */
        public Map<String, Object> cost() {
            Map<String, Object> r = new LinkedHashMap<>();
            r.put("flowNodes", flowNodes());
            r.put("nodes", state.graph.counts());
            r.put("looks", state.looks);
            r.put("intercepted", state.intercepted);
            r.put("environmentReads", state.environmentReads);
            r.put("classBytes", state.classBytes);
            return r;
        }

        public int flowNodes() {
            return state.graph.size();
        }

        /** The folder that holds all workspaces of the built-in node. */
        public Path workspaces() {
            return home.resolve("workspace");
        }

        /** Ends what still runs of the build's processes and removes the home folder, unless it was given. */
        @Override
        public void close() {
            Processes.kill("JENKINS_HOME", home.toString());
            if (temporary) {
                delete(home);
            }
        }
    }

    /** Removes a folder with all that is in it. */
    public static void delete(Path folder) {
        try (Stream<Path> s = Files.walk(folder)) {
            for (Path p : s.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(p);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
