package pipeline.steps;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Finds processes by a variable of their environment and ends them, as Jenkins' process tree killer does (hudson.util.ProcessTree of core). */
public final class Processes {
    /** How long a process tree has to end, all of it together (core's SoftKillWaitSeconds) [455]. */
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long FIRST_PAUSE_MILLIS = 10;
    private static final long LONGEST_PAUSE_MILLIS = 1000;

    private Processes() {}

    private static List<ProcessHandle> find(String variable, String value) {
        List<ProcessHandle> found = new ArrayList<>();
        for (ProcessHandle p : ProcessHandle.allProcesses().sorted(Comparator.comparingLong(ProcessHandle::pid)).toList()) {
            if (carries(p.pid(), variable + "=" + value)) {
                found.add(p);
            }
        }
        return found;
    }

    /** SIGKILL to every process that carries the variable. */
    public static void kill(String variable, String value) {
        find(variable, value).forEach(ProcessHandle::destroyForcibly);
    }

    /** Nothing to do while waiting. */
    static void terminate(String variable, String value) {
        terminate(variable, value, () -> {});
    }

    /**
     * Ends every process that carries the variable, and its descendants: leaves first; each gets SIGTERM, and its parent gets one only when it is gone,
     * or when 5 s have passed since the tree's first signal (a zombie that nobody has reaped counts as alive); then the rest of the tree gets theirs at
     * once [455, 511, 515]. Nobody gets SIGKILL. What is to be done meanwhile is done every few milliseconds.
     */
    static void terminate(String variable, String value, Runnable meanwhile) {
        List<ProcessHandle> found = find(variable, value);
        if (found.isEmpty()) {
            return;
        }
        Map<Long, List<ProcessHandle>> children = new HashMap<>();
        ProcessHandle.allProcesses().sorted(Comparator.comparingLong(ProcessHandle::pid)).forEach(
                p -> p.parent().ifPresent(q -> children.computeIfAbsent(q.pid(), k -> new ArrayList<>()).add(p)));
        for (ProcessHandle p : found) {
            if (carries(p.pid(), variable + "=" + value)) {
                terminate(p, children, System.nanoTime() + PATIENCE_NANOS, meanwhile);
            }
        }
    }

    private static void terminate(ProcessHandle p, Map<Long, List<ProcessHandle>> children, long deadline, Runnable meanwhile) {
        for (ProcessHandle child : children.getOrDefault(p.pid(), List.of())) {
            terminate(child, children, deadline, meanwhile);
        }
        p.destroy();
        long pause = FIRST_PAUSE_MILLIS;
        do {
            if (!Files.exists(Path.of("/proc/" + p.pid() + "/status"))) {
                return;
            }
            pause(pause, meanwhile);
            pause = Math.min(pause * 2, LONGEST_PAUSE_MILLIS);
        } while (System.nanoTime() < deadline);
    }

    private static void pause(long millis, Runnable meanwhile) {
        long until = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        try {
            for (long left; (left = until - System.nanoTime()) > 0; ) {
                meanwhile.run();
                Thread.sleep(Math.max(1, Math.min(FIRST_PAUSE_MILLIS, TimeUnit.NANOSECONDS.toMillis(left))));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean carries(long pid, String setting) {
        try {
            String environ = new String(Files.readAllBytes(Path.of("/proc/" + pid + "/environ")), StandardCharsets.ISO_8859_1);
            return ("\0" + environ).contains("\0" + setting + "\0");
        } catch (IOException e) {
            return false;
        }
    }
}
