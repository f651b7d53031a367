package pipeline.steps;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/** A shell script that outlives whoever started it: files in {@code <folder>@tmp/durable-ID} tell how it goes [707]. */
final class DurableTask implements Serializable {
    private static final long serialVersionUID = 1L;
    private final String control;
    private final String cookie;
    private long read;

    DurableTask(Path folder, String script, Map<String, String> environment, boolean capture) throws IOException {
        byte[] id = new byte[4];
        ThreadLocalRandom.current().nextBytes(id);
        Path dir = Path.of(folder + "@tmp").resolve("durable-" + HexFormat.of().formatHex(id));
        control = dir.toString();
        cookie = "durable-" + HexFormat.of().formatHex(id) + HexFormat.of().toHexDigits(System.nanoTime());
        Files.createDirectories(folder);
        Files.createDirectories(dir);
        Files.writeString(dir.resolve("script.sh"), script);
        Map<String, String> env = new TreeMap<>(environment);
        env.put("JENKINS_SERVER_COOKIE", cookie);
        launch(folder, dir, interpreter(script, dir), capture, env);
    }

    /** Without a {@code #!} first line it is {@code sh -xe}; else the script itself is executed [702]. */
    private static String interpreter(String script, Path dir) {
        String copy = quote(dir.resolve("script.sh.copy").toString());
        return script.startsWith("#!") ? copy : "sh -xe " + copy;
    }

    private static String quote(String s) {
        return "'" + s.replace("'", "'\\''") + "'";
    }

    private void launch(Path folder, Path dir, String command, boolean capture, Map<String, String> env) throws IOException {
        String d = quote(dir.toString());
        String out = capture ? d + "/output.txt 2> " + d + "/jenkins-log.txt" : d + "/jenkins-log.txt 2>&1";
        // The wrapper must not carry the cookie by which processes are told to stop: it writes the exit status.
        String wrapper = "cp " + d + "/script.sh " + d + "/script.sh.copy; chmod 700 " + d + "/script.sh.copy; : > " + d
                + "/jenkins-log.txt; ( JENKINS_SERVER_COOKIE=$LAUNCH_COOKIE; export JENKINS_SERVER_COOKIE; unset LAUNCH_COOKIE; " + command
                + " > " + out + "; echo $? > " + d + "/jenkins-result.tmp; mv " + d + "/jenkins-result.tmp " + d
                + "/jenkins-result.txt ) < /dev/null > /dev/null 2>&1 &";
        ProcessBuilder b = new ProcessBuilder("setsid", "sh", "-c", wrapper).directory(folder.toFile());
        b.redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD);
        b.environment().clear();
        b.environment().putAll(env);
        b.environment().put("LAUNCH_COOKIE", env.get("JENKINS_SERVER_COOKIE"));
        b.environment().put("JENKINS_SERVER_COOKIE", "the wrapper is spared");
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

    /** SIGTERM to every process of this script, children first, as Jenkins' process tree killer does. */
    void terminate() {
        List<ProcessHandle> found = new ArrayList<>();
        for (ProcessHandle p : ProcessHandle.allProcesses().toList()) {
            if (carriesCookie(p.pid())) {
                found.add(p);
            }
        }
        found.sort(Comparator.comparingInt(DurableTask::depth).reversed());
        found.forEach(ProcessHandle::destroy);
    }

    private static int depth(ProcessHandle p) {
        return p.parent().map(q -> 1 + depth(q)).orElse(0);
    }

    private boolean carriesCookie(long pid) {
        try {
            String environ = new String(Files.readAllBytes(Path.of("/proc/" + pid + "/environ")), StandardCharsets.ISO_8859_1);
            return environ.contains("JENKINS_SERVER_COOKIE=" + cookie + "\0");
        } catch (IOException e) {
            return false;
        }
    }
}
