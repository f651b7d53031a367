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
import pipeline.run.Pipeline;

/** Runs a recorded pipeline as it was recorded and tells where the runner does otherwise. */
final class Replay {
    private final Recording recording;
    private final Path folder;

    Replay(Recording recording, Path folder) {
        this.recording = recording;
        this.folder = folder.toAbsolutePath();
    }

    /** Nothing, if the recording holds. */
    List<String> differences() throws IOException, InterruptedException {
        List<String> r = new ArrayList<>();
        List<Settings.Earlier> earlier = new ArrayList<>();
        Path library = folder.resolve("library");
        boolean hasLibrary = recording.writeLibrary(library);
        for (Recording.Outcome build : recording.builds()) {
            Pipeline p = pipeline(build, earlier);
            if (hasLibrary) {
                p.library("rec", library, recording.trusted());
            }
            try {
                List<String> d = compare(build, p);
                d.forEach(one -> r.add("build " + build.number() + ": " + one));
            } catch (RuntimeException | Error e) {
                r.add("build " + build.number() + ": the runner failed: " + e + at(e));
            }
            Pipeline.delete(p.settings().homePath());
            earlier.add(new Settings.Earlier(build.number(), build.result()));
        }
        return r;
    }

    private static String at(Throwable e) {
        return e.getStackTrace().length == 0 ? "" : " at " + e.getStackTrace()[0];
    }

    private List<String> compare(Recording.Outcome build, Pipeline p) throws IOException {
        try (Pipeline.Run run = p.run()) {
            if (System.getProperty("recordings.log") != null) {
                Files.writeString(Path.of(System.getProperty("recordings.log"), recording + "-" + build.number() + ".log"), run.log());
            }
            Comparison c = new Comparison(new Normal(p.settings().home, sources()));
            c.result(build.result(), run.result());
            c.console(build.console(), run.console());
            c.steps(build.steps(), run.steps());
            c.flowNodes(build.flowNodes(), run.flowNodes());
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

    private Pipeline pipeline(Recording.Outcome build, List<Settings.Earlier> earlier) throws IOException, InterruptedException {
        Pipeline p = Pipeline.of(recording.jenkinsfile()).sandbox(recording.is("sandbox"));
        Settings s = p.settings();
        s.home = home();
        s.number = build.number();
        s.earlier.addAll(earlier);
        s.parameters.putAll(build.parameters());
        s.agentEnv.clear();
        s.agentEnv.putAll(Map.of("HOME", s.home, "LANG", "C.UTF-8", "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
        s.credentials.putAll(Map.of("rec-token", "dummy-secret-value-1", "rec-token2", "dummy-secret-value-2", "rec-login",
                Map.of("kind", "usernamePassword", "username", "dummyuser", "password", "dummy-password-1"), "rec-file",
                Map.of("kind", "file", "name", "dummy.txt", "content", "dummy file content\n")));
        if (recording.is("from_scm")) {
            s.scmRepository = repository().toString();
            s.scmUrl = "https://git.example.test/team/demo.git";
        }
        Events.apply(recording.number(), s);
        return p;
    }

    /** Paths as long as the recorded ones were, since some recordings cut them off [707]. */
    private String home() throws IOException {
        Path p;
        do {
            p = Path.of(String.format("/tmp/r%03d%04x", recording.number(), ThreadLocalRandom.current().nextInt(0x10000)));
        } while (Files.exists(p));
        return Files.createDirectory(p).toString();
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
