package pipeline.recordings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import pipeline.engine.Settings;
import pipeline.run.Job;
import pipeline.run.Pipeline;

/** Runs a recorded pipeline as it was recorded and tells where the runner does otherwise. */
final class Replay {
    private final Recording recording;
    private final Path folder;
    private int done;

    Replay(Recording recording, Path folder) {
        this.recording = recording;
        this.folder = folder.toAbsolutePath();
    }

    /** Nothing, if the recording holds. */
    List<String> differences() throws IOException, InterruptedException {
        List<String> r = new ArrayList<>();
        Path library = folder.resolve("library");
        boolean hasLibrary = recording.writeLibrary(library);
        List<Recording.Outcome> builds = recording.builds();
        Path home = home();
        Mounts mounts = new Mounts(home.resolve("mnt"), recording.jenkinsfile());
        try (mounts; Job job = new Job("demo", home)) {
            for (int i = 0; i < builds.size() && done < builds.size(); i++) {
                if (i == builds.size() - 1 && i > 0) {
                    job.delete(Events.deleted(recording.number()));
                }
                if (done == i) {
                    build(builds, i, job, hasLibrary ? library : null, r);
                }
            }
        }
        Pipeline.delete(home);
        return r;
    }

    /** One build; the next one within it, if that was recorded so. */
    private void build(List<Recording.Outcome> builds, int i, Job job, Path library, List<String> differences) throws IOException {
        done = i + 1;
        Recording.Outcome build = builds.get(i);
        try {
            Pipeline p = pipeline(build, job);
            if (library != null) {
                p.library("rec", library, recording.trusted());
            }
            p.settings().callbacks.add(() -> {
                try {
                    build(builds, i + 1, job, library, differences);
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            compare(build, p, job).forEach(one -> differences.add("build " + build.number() + ": " + one));
        } catch (RuntimeException | Error | InterruptedException e) {
            Throwable why = e.getCause() == null ? e : e.getCause();
            differences.add("build " + build.number() + ": the runner failed: " + why + at(why));
        }
    }

    private static String at(Throwable e) {
        return e.getStackTrace().length == 0 ? "" : " at " + e.getStackTrace()[0];
    }

    private List<String> compare(Recording.Outcome build, Pipeline p, Job job) throws IOException {
        try (Pipeline.Run run = job.run(p)) {
            if (System.getProperty("recordings.log") != null) {
                Files.writeString(Path.of(System.getProperty("recordings.log"), recording + "-" + build.number() + ".log"), run.log());
            }
            Comparison c = new Comparison(new Normal(p.settings().home, sources()));
            c.result(build.result(), run.result());
            c.console(build.console(), run.console());
            c.steps(build.steps(), run.steps());
            c.flowNodes(build, run.flowNodes(), run.console());
            return c.differences();
        }
    }

    /** Names of the recording's own sources: frames of these stay in traces. */
    private List<String> sources() throws IOException {
        List<String> r = new ArrayList<>(List.of("WorkflowScript"));
        if (Files.isDirectory(folder.resolve("library"))) {
            try (Stream<Path> s = Files.walk(folder.resolve("library"))) {
                s.filter(f -> f.toString().endsWith(".groovy")).forEach(f -> r.add(f.getFileName().toString().replace(".groovy", "")));
            }
        }
        return r;
    }

    private Pipeline pipeline(Recording.Outcome build, Job job) throws IOException, InterruptedException {
        Path home = job.workspaces().getParent();
        Pipeline p = Pipeline.of(recording.jenkinsfile().replace("/mnt/", home + "/mnt/")).sandbox(recording.is("sandbox"));
        Settings s = p.settings();
        s.home = home.toString();
        s.number = build.number();
        job.nextNumber(build.number());
        s.parameters.putAll(build.parameters());
        s.agentEnv.clear();
        s.agentEnv.putAll(Map.of("HOME", s.home, "LANG", "C.UTF-8", "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
        s.credentials.putAll(Map.of("rec-token", "dummy-secret-value-1", "rec-token2", "dummy-secret-value-2", "rec-login",
                Map.of("kind", "usernamePassword", "username", "dummyuser", "password", "dummy-password-1"), "rec-file",
                Map.of("kind", "file", "name", "dummy.txt", "content", "dummy file content\n")));
        s.credentials.putAll(Map.of("secret-text", "dummy-secret-text", "blank", "", "spaces", "   ", "user-and-password",
                Map.of("kind", "usernamePassword", "username", "dummyuser", "password", "dummy-password-1"), "secret-file",
                Map.of("kind", "file", "name", "dummy.txt", "content", "dummy file content\n")));
        if (recording.is("from_scm")) {
            s.scmRepository = repository().toString();
            s.scmUrl = "https://git.example.test/team/demo.git";
        }
        Events.apply(recording.number(), s);
        return p;
    }

    /** Paths as long as the recorded ones were, since some recordings cut them off [707]. */
    private Path home() throws IOException {
        Path p;
        do {
            p = Path.of(String.format("/tmp/r%03d%04x", recording.number(), ThreadLocalRandom.current().nextInt(0x10000)));
        } while (Files.exists(p));
        return Files.createDirectory(p);
    }

    private Path repository() throws IOException, InterruptedException {
        Path repo = folder.resolve("repository");
        Files.createDirectories(repo);
        Files.writeString(repo.resolve("Jenkinsfile"), recording.jenkinsfile());
        Files.writeString(repo.resolve("README"), "demo\n");
        String script = "git init -q -b main && git add . && git -c user.name=x -c user.email=x@example.test commit -q -m 'first commit'";
        Process p = new ProcessBuilder("sh", "-c", script).directory(repo.toFile()).inheritIO().start();
        if (p.waitFor() != 0) {
            throw new IOException("git could not make the repository");
        }
        return repo;
    }
}
