package last9;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import pipeline.run.Pipeline;

/**
 * What one build of {@link AgentMatrixTest} finds: a Jenkins home, an agent's environment, the program that runs its scripts, and Last9 as it is reached
 * from there. {@link OddAgent} says what is odd about it; all of it goes away with {@link #close}.
 */
final class AgentPlace implements AutoCloseable {
    /** Mounts need a capability that many containers lack, even root's. */
    private static final boolean MAY_MOUNT = run("unshare", "--mount", "true") == 0;
    static final boolean IS_ROOT = run("sh", "-c", "[ \"$(id -u)\" = 0 ] && setpriv --reuid=54321 --clear-groups --inh-caps=+dac_override --ambient-caps=+dac_override true") == 0;

    private final Deque<AutoCloseable> toClose = new ArrayDeque<>();
    /** Outside of the home: programs, and the command line as its install.sh lays it out. */
    final Path folder;
    final Path home;
    final Path userHome;
    final Path temporary;
    FakeLast9 last9;
    String url;
    /** The agent's whole environment. */
    final Map<String, String> environment = new TreeMap<>();
    /** Jenkins' global properties. */
    final Map<String, String> global = new TreeMap<>();
    /** What the administrator's shell does before it runs a script, {@code "$@"}, and how it runs it. */
    String before = "";
    String runs = "exec sh \"$@\"";
    /** Groovy that fails the build if the agent is not what it is said to be. */
    String proof = "";
    /** The steps are done once for each of them, with the variable {@code AS}. */
    List<String> turns = List.of("");
    /** Looked at after the build. */
    Runnable afterwards = () -> {};

    AgentPlace(FakeLast9 last9) throws IOException {
        this.last9 = last9;
        url = last9.url;
        folder = folder(Files.createTempDirectory("agent-").toRealPath(), "rwxr-xr-x");
        toClose.push(() -> Pipeline.delete(folder));
        home = folder(Files.createDirectory(folder.resolve("jenkins")), "rwxr-xr-x");
        userHome = folder(Files.createDirectory(folder.resolve("home")), "rwxrwxrwx");
        temporary = folder(Files.createDirectory(folder.resolve("tmp")), "rwxrwxrwx");
        Path tools = Files.createDirectory(folder.resolve("last9"));
        Files.copy(LibraryTest.CHECKOUT.resolve("examples/freestyle/last9-markers"), tools.resolve("last9-markers"));
        Files.copy(LibraryTest.CHECKOUT.resolve("resources/last9/last9-markers.pyz"), tools.resolve("last9-markers.pyz"));
        folder(tools.resolve("last9-markers"), "rwxr-xr-x");
        environment.putAll(Map.of("PATH", System.getenv("PATH"), "HOME", userHome.toString(), "TMPDIR", temporary.toString()));
    }

    private static Path folder(Path path, String mode) throws IOException {
        return Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(mode));
    }

    /** The pipeline of these steps on that agent, called bare; another one with the label equipped is like any. */
    Pipeline pipeline(String steps) throws IOException {
        String everyTurn = "for (who in ['" + String.join("', '", turns) + "']) { withEnv([\"AS=$who\"]) { " + steps + "\n } }";
        Pipeline p = LibraryTest.pipeline("node('bare') {\n" + proof + "\n" + everyTurn + "\n}").agent("bare", "bare", 1).agent("equipped", "equipped", 1);
        p.settings().agentEnv.clear();
        p.settings().agentEnv.putAll(environment);
        p.settings().home = home.toString();
        global.forEach(p::env);
        return p.env("LAST9_API_BASE_URL", url).env("LAST9_ORG_SLUG", "acme").credential("last9-refresh-token", last9.refreshToken)
                .shell(program("bin/shell", before + "\n" + runs).toString());
    }

    /** A shell script of that name in the folder. */
    Path program(String name, String body) throws IOException {
        Path path = folder.resolve(name);
        Files.createDirectories(path.getParent());
        Files.writeString(path, "#!/bin/sh\n" + body + "\n");
        return folder(path, "rwxr-xr-x");
    }

    /** A file of that name in the folder. */
    Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    /** Has that closed in the end. */
    <T extends AutoCloseable> T with(T what) {
        toClose.push(what);
        return what;
    }

    /** Mounts an empty file system there; false if this machine does not allow it. */
    boolean mount(Path at, String option) {
        if (!MAY_MOUNT || run("mount", "-t", "tmpfs", "-o", option, "tmpfs", at.toString()) != 0) {
            return false;
        }
        toClose.push(() -> run("umount", "-l", at.toString()));
        return true;
    }

    /** Whether a script may be run among mounts of its own; then {@code what} is how, with {@code "$@"} after it. */
    boolean mountsAround(String what) {
        runs = "exec unshare --mount" + (MAY_MOUNT ? "" : " --map-root-user") + " sh -c '" + what + " && exec sh \"$@\"' sh \"$@\"";
        return MAY_MOUNT || run("unshare", "--mount", "--map-root-user", "true") == 0;
    }

    /** Has an address swallow every attempt at Last9's port: a listener whose queue is full, and that accepts no connection. */
    void swallow(String address) throws IOException {
        InetSocketAddress at = new InetSocketAddress(InetAddress.getByName(address), last9.port());
        ServerSocket listener = with(new ServerSocket());
        listener.bind(at, 1);
        for (int i = 0; i < 16; i++) {
            SocketChannel filler = with(SocketChannel.open());
            filler.configureBlocking(false);
            filler.connect(at);
        }
        try (Socket attempt = new Socket()) {
            attempt.connect(at, 300);
            throw new IllegalStateException(address + " answers");
        } catch (SocketTimeoutException e) {
            return; // as it should be
        }
    }

    /** What the build has left in files, each by its path: in the workspaces, in HOME and in TMPDIR. */
    List<String> left() throws IOException {
        List<String> left = new ArrayList<>();
        for (Path place : List.of(home, userHome, temporary)) {
            try (Stream<Path> files = Files.walk(place)) {
                files.filter(f -> !Files.isDirectory(f)).forEach(f -> left.add(folder.relativize(f).toString()));
            }
        }
        return left;
    }

    /** The exit status of a program, and nothing of what it says. */
    static int run(String... command) {
        try {
            ProcessBuilder b = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
            return b.start().waitFor();
        } catch (IOException e) {
            return 127;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws IOException {
        for (AutoCloseable each : toClose) {
            try {
                each.close();
            } catch (IOException | RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IOException(e);
            }
        }
    }
}
