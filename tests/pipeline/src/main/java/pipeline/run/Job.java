package pipeline.run;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import pipeline.engine.Build;
import pipeline.engine.BuildState;
import pipeline.engine.Settings;
import pipeline.steps.Processes;

/**
 * A job whose builds know of each other [490-499]: {@code try (Job job = new Job("demo")) { job.run(p1); job.run(p2); }}. They share workspaces and
 * executors, and their clocks agree. A build may run while another waits: {@code p1.afterText("started", () -> job.run(p2))}.
 */
public final class Job implements AutoCloseable {
    private final Path home;
    private final boolean temporary;
    private final TreeMap<Integer, Entry> builds = new TreeMap<>();
    private String name;
    private int next = 1;

    /** A build: as it is while it runs, and what became of it. */
    private static final class Entry {
        private Build build;
        private BuildState ended;

        private BuildState state() {
            return ended != null ? ended : build == null ? null : build.state();
        }
    }

    /** In a folder of its own. */
    public Job(String name) {
        this(name, newHome(), true);
    }

    /** In that folder, which stays. */
    public Job(String name, Path home) {
        this(name, home, false);
    }

    private Job(String name, Path home, boolean temporary) {
        this.name = name;
        this.home = home;
        this.temporary = temporary;
    }

    private static Path newHome() {
        try {
            return Files.createTempDirectory("jenkins-").toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs the job's next build to its end; in a thread of its own, since another build may be on this one. */
    public Pipeline.Run run(Pipeline p) {
        return start(p).join();
    }

    /** Starts the job's next build; use {@link Pipeline#realTime} if it is to run beside another. */
    public CompletableFuture<Pipeline.Run> start(Pipeline p) {
        Entry entry = new Entry();
        int number;
        synchronized (this) {
            number = next++;
            builds.put(number, entry);
        }
        Settings s = p.settings();
        s.jobName = name;
        s.home = home.toString();
        s.number = number;
        s.earlier = before(number);
        s.history = () -> before(number);
        s.leasedByOthers = () -> leasedBeside(number);
        s.notBefore = this::latest;
        CompletableFuture<Pipeline.Run> result = new CompletableFuture<>();
        Thread t = new Thread(() -> {
            try {
                Pipeline.Run run = p.run(build -> show(entry, build));
                synchronized (this) {
                    entry.ended = run.state();
                }
                result.complete(run);
            } catch (RuntimeException | Error e) {
                result.completeExceptionally(e);
            }
        }, name + " #" + number);
        t.setDaemon(true);
        t.start();
        return result;
    }

    private synchronized void show(Entry entry, Build build) {
        entry.build = build;
    }

    /** The number of the next build. */
    public synchronized void nextNumber(int number) {
        next = number;
    }

    /** Someone deletes a build: no later one sees it [495]. */
    public synchronized void delete(int number) {
        builds.remove(number);
    }

    /** Someone renames the job: from then on, earlier builds show the new name. */
    public synchronized void rename(String to) {
        name = to;
    }

    private synchronized List<Settings.Earlier> before(int number) {
        List<Settings.Earlier> r = new ArrayList<>();
        builds.headMap(number).forEach((n, entry) -> {
            BuildState s = entry.state();
            if (s != null) {
                boolean running = entry.ended == null;
                long until = running ? entry.build.clock().now() : s.endedAt;
                r.add(new Settings.Earlier(n, s.result == null ? null : s.result.toString(), running, s.startedAt, Math.max(1, until - s.startedAt),
                        s.displayName, s.description, s.keepLog, new TreeMap<>(s.env)));
            }
        });
        return r;
    }

    private synchronized Set<String> leasedBeside(int number) {
        Set<String> r = new TreeSet<>();
        builds.forEach((n, entry) -> {
            if (n != number && entry.ended == null && entry.build != null) {
                r.addAll(entry.build.state().leases);
            }
        });
        return r;
    }

    private synchronized long latest() {
        long r = 0;
        for (Entry e : builds.values()) {
            r = Math.max(r, e.ended != null ? e.ended.endedAt : e.build == null ? 0 : e.build.clock().now());
        }
        return r;
    }

    /** The workspaces of the built-in node. */
    public Path workspaces() {
        return home.resolve("workspace");
    }

    /** Ends what still runs of the builds' processes and removes the home folder, unless it was given. */
    @Override
    public void close() {
        Processes.kill("JENKINS_HOME", home.toString());
        if (temporary) {
            Pipeline.delete(home);
        }
    }
}
