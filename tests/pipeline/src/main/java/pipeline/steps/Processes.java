package pipeline.steps;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Finds processes by a variable of their environment and ends them, as Jenkins' process tree killer does (hudson.util.ProcessTree of core). */
public final class Processes {
    /** How long a process tree has to end, all of it together (core's SoftKillWaitSeconds) [455]. */
    private static final long PATIENCE_MILLIS = 5000;
    private static final long FIRST_PAUSE_MILLIS = 10;
    private static final long LONGEST_PAUSE_MILLIS = 1000;
    /** The most by which pauses are longer on a busy machine. */
    private static final double BUSIEST = 20;

    /** What goes on while processes are being ended. */
    interface Meanwhile {
        /** Every few milliseconds: what is due. */
        void look();

        /** So much time has passed, on an idle machine too. */
        void spent(long millis);
    }

    private static final Meanwhile NOTHING = new Meanwhile() {
        @Override
        public void look() {}

        @Override
        public void spent(long millis) {}
    };

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

    /** The same with nothing to do meanwhile. */
    static void terminate(String variable, String value) {
        terminate(variable, value, NOTHING);
    }

    /**
     * Ends every process that carries the variable, and its descendants: leaves first; each gets SIGTERM, and its parent gets one only when it is gone,
     * or when 5 s have passed since the tree's first signal (a zombie that was not reaped is still alive); then the rest of the tree gets theirs at
     * once [455, 511, 515]. No process gets SIGKILL.
     */
    static void terminate(String variable, String value, Meanwhile meanwhile) {
        Watch watch = new Watch(meanwhile);
        List<ProcessHandle> found = find(variable, value);
        if (found.isEmpty()) {
            return;
        }
        Map<Long, List<ProcessHandle>> children = new HashMap<>();
        ProcessHandle.allProcesses().sorted(Comparator.comparingLong(ProcessHandle::pid)).forEach(
                p -> p.parent().ifPresent(q -> children.computeIfAbsent(q.pid(), k -> new ArrayList<>()).add(p)));
        for (ProcessHandle p : found) {
            if (carries(p.pid(), variable + "=" + value)) {
                terminate(p, children, watch.spent + PATIENCE_MILLIS, watch);
            }
        }
    }

    private static void terminate(ProcessHandle p, Map<Long, List<ProcessHandle>> children, long deadline, Watch watch) {
        for (ProcessHandle child : children.getOrDefault(p.pid(), List.of())) {
            terminate(child, children, deadline, watch);
            watch.letAct(p.pid());
        }
        p.destroy();
        long pause = FIRST_PAUSE_MILLIS;
        do {
            // On an idle machine the process is still there at once after its signal, so that its parent always has this long.
            watch.pause(pause);
            pause = Math.min(pause * 2, LONGEST_PAUSE_MILLIS);
        } while (watch.spent < deadline && Files.exists(Path.of("/proc/" + p.pid() + "/status")));
    }

    /**
     * Time as an idle machine would have it. A shell whose child has just died has the rest of a pause of 10 ms to act on it, which is plenty; on a
     * machine that is busy it gets as much more as it needs, and that is not charged to the build.
     */
    private static final class Watch {
        private final Meanwhile meanwhile;
        private final double busy;
        private long spent;

        Watch(Meanwhile meanwhile) {
            this.meanwhile = meanwhile;
            double load = ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage() / Runtime.getRuntime().availableProcessors();
            busy = Math.max(1, Math.min(BUSIEST, load));
        }

        /** Until that process has gone, or waits for something again. */
        void letAct(long pid) {
            try {
                for (int i = 0; i < LONGEST_PAUSE_MILLIS && isActive(pid); i++) {
                    Thread.sleep(3);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private static boolean isActive(long pid) {
            try {
                String stat = Files.readString(Path.of("/proc/" + pid + "/stat"), StandardCharsets.ISO_8859_1);
                return "RD".indexOf(stat.charAt(stat.lastIndexOf(')') + 2)) >= 0;
            } catch (IOException e) {
                return false;
            }
        }

        void pause(long millis) {
            long parts = Math.max(1, millis / FIRST_PAUSE_MILLIS);
            try {
                for (long i = 0; i < parts; i++) {
                    Thread.sleep((long) (millis / parts * (millis <= LONGEST_PAUSE_MILLIS / 10 ? busy : 1)));
                    spent += millis / parts;
                    meanwhile.spent(millis / parts);
                    meanwhile.look();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
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
