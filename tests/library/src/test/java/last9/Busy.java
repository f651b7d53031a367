package last9;

import java.lang.management.ManagementFactory;
import java.util.regex.Pattern;

/** How busy this machine is: processes take longer to start then, which no time limit of the library's knows of. */
final class Busy {
    /** The short attempt of an outage was over before it got through, or the engine had not even come to watch its own limit. */
    private static final Pattern TOO_SHORT = Pattern.compile("\\[Last9\\] WARNING: .*(time limit of 2(\\.0)? s is over|timeoutSeconds \\(2(\\.0)? s\\)|engine was ended after)");
    private static final int MOST = 3;

    private Busy() {}

    /**
     * In an outage a marker has 2 s, the interpreter's start included: on a busy machine that may be too little, through no fault of what is tested.
     * A test that fails and whose log says so, and no other, is tried again.
     */
    static void whereTwoSecondsSuffice(Runnable test) {
        for (int nth = 1; ; nth++) {
            try {
                test.run();
                return;
            } catch (AssertionError failure) {
                if (nth == MOST || !TOO_SHORT.matcher(String.valueOf(failure.getMessage())).find()) {
                    throw failure;
                }
            }
        }
    }

    /** Processes that want to run, for each processor; 0 where the system does not say. */
    static double load() {
        return Math.max(0, ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage()) / Runtime.getRuntime().availableProcessors();
    }
}
