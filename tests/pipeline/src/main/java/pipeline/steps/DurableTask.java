package pipeline.steps;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/** A shell script that outlives its parent: files in {@code <folder>@tmp/durable-ID} hold its state [707]. */
final class DurableTask implements Serializable {
    private static final long serialVersionUID = 1L;
    private final String control;
    private final String cookie;
    private long read;

    /** Starts it; without a {@code #!} first line, that shell runs the script. */
    DurableTask(Path folder, String script, Map<String, String> environment, boolean capture, String shell) throws IOException {
        byte[] id = new byte[4];
        ThreadLocalRandom.current().nextBytes(id);
        Path dir = Path.of(folder + "@tmp").resolve("durable-" + HexFormat.of().formatHex(id));
        control = dir.toString();
        cookie = cookie(folder);
        Files.createDirectories(folder);
        Files.createDirectories(dir);
        Path file = dir.resolve("script.sh");
        Files.writeString(file, script);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        launch(folder, dir, script.startsWith("#!") ? "" : quote(shell) + " -xe ", capture, environment);
    }

    /** By this Jenkins finds processes: the same for all scripts of one folder, of every step and build [511, 512, 515]. */
    private static String cookie(Path folder) {
        try {
            return "durable-" + HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(folder.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String quote(String s) {
        return "'" + s.replace("'", "'\\''") + "'";
    }

    /**
     * Starts a shell in the background that runs the script, its messages in the same log, and writes the exit status. Without a
     * {@code #!} first line the script is run by {@code sh -xe}, else it is executed itself [470, 702, 703, 707].
     */
    private void launch(Path folder, Path dir, String interpreter, boolean capture, Map<String, String> env) throws IOException {
        String copy = quote(dir.resolve("script.sh.copy").toString());
        String log = quote(dir.resolve("jenkins-log.txt").toString());
        String result = quote(dir.resolve("jenkins-result.txt").toString());
        String run = "JENKINS_SERVER_COOKIE=" + cookie + " " + interpreter + copy;
        String redirected = capture ? "{ " + run + " > " + quote(dir.resolve("output.txt").toString()) + "; } > " + log + " 2>&1"
                : "{ " + run + "; } > " + log + " 2>&1";
        String wrapper = "(cp " + quote(dir.resolve("script.sh").toString()) + " " + copy + "; " + redirected + "; echo $? > " + result
                + ".tmp; mv " + result + ".tmp " + result + ") < /dev/null > /dev/null 2>&1 &";
        ProcessBuilder b = new ProcessBuilder("nohup", "sh", "-c", wrapper).directory(folder.toFile());
        b.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD);
        b.environment().clear();
        b.environment().putAll(env);
        // The wrapper must not carry the cookie by which the script's processes are stopped.
        b.environment().put("JENKINS_SERVER_COOKIE", "spared");
        b.start();
    }

    /** The script's exit status, or null while it runs. */
    Integer exitStatus() throws IOException {
        Path p = Path.of(control, "jenkins-result.txt");
        if (!Files.exists(p)) {
            return null;
        }
        return Integer.valueOf(Files.readString(p).trim());
    }

    /** What the log has got since the last call; unless at the end, whole characters only. */
    byte[] newOutput(boolean toEnd) throws IOException {
        Path log = Path.of(control, "jenkins-log.txt");
        if (!Files.exists(log) || Files.size(log) == read) {
            return new byte[0];
        }
        try (RandomAccessFile f = new RandomAccessFile(log.toFile(), "r")) {
            byte[] bytes = new byte[(int) (f.length() - read)];
            f.seek(read);
            f.readFully(bytes);
            int end = toEnd ? bytes.length : lastNewline(bytes);
            read += end;
            return java.util.Arrays.copyOf(bytes, end);
        }
    }

    private static int lastNewline(byte[] bytes) {
        int end = bytes.length;
        while (end > 0 && bytes[end - 1] != '\n') {
            end--;
        }
        return end;
    }

    byte[] stdout() throws IOException {
        return Files.readAllBytes(Path.of(control, "output.txt"));
    }

    void cleanUp() throws IOException {
        try (Stream<Path> s = Files.walk(Path.of(control))) {
            for (Path p : s.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(p);
            }
        }
    }

    /** Ends every process that a script in this folder has started and that is still there: as {@link Processes#terminate}. */
    void terminate(Processes.Meanwhile meanwhile) {
        Processes.terminate("JENKINS_SERVER_COOKIE", cookie, meanwhile);
    }
}
