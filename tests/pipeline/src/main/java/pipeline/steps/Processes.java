package pipeline.steps;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;

/** Finds processes by a variable of their environment, as Jenkins' process tree killer does. */
public final class Processes {
    private Processes() {}

    /**
     * So long a shell has to see that its child is gone before its own signal comes: under {@code -e} it ends itself [428, 442]. On a
     * machine that is busy it has as much longer as it gets less of it.
     */
    private static final long BETWEEN_GENERATIONS_MILLIS = 60;

    private static List<ProcessHandle> find(String variable, String value) {
        List<ProcessHandle> found = new ArrayList<>();
        for (ProcessHandle p : ProcessHandle.allProcesses().toList()) {
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

    /** SIGTERM to every process that carries the variable, children first; false if there is none. */
    static boolean terminate(String variable, String value) {
        List<ProcessHandle> found = find(variable, value);
        TreeMap<Integer, List<ProcessHandle>> generations = new TreeMap<>(Comparator.reverseOrder());
        found.forEach(p -> generations.computeIfAbsent(depth(p), d -> new ArrayList<>()).add(p));
        boolean first = true;
        for (List<ProcessHandle> generation : generations.values()) {
            if (!first) {
                awaitTheirOwnEnd(generation);
            }
            first = false;
            generation.forEach(ProcessHandle::destroy);
        }
        return !found.isEmpty();
    }

    private static void awaitTheirOwnEnd(List<ProcessHandle> parents) {
        double busy = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage() / Runtime.getRuntime().availableProcessors();
        long until = System.nanoTime() + (long) (BETWEEN_GENERATIONS_MILLIS * 1_000_000 * Math.max(1, busy));
        try {
            while (System.nanoTime() < until && parents.stream().anyMatch(ProcessHandle::isAlive)) {
                Thread.sleep(5);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static int depth(ProcessHandle p) {
        return p.parent().map(q -> 1 + depth(q)).orElse(0);
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
