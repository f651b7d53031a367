package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** An outage has a price for each build, not for each marker. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class OutageTest extends LibraryTest {
    private static final String HANGS = "[{\"delay\": 60}]";

    /** What a warning says of the limit that its marker had. */
    private static final Pattern LIMIT = Pattern.compile("(?:timeoutSeconds \\(|time limit of )([0-9.]+) s");

    /**
     * Fourteen markers against a Last9 that hangs: one full limit and thirteen short ones, which are under 50 s, and by the clock where the machine
     * is not busy. The outage is said once, each marker is named and kept, and when Last9 is back the next markers (one, if the machine is not busy) bring them all.
     */
    @Test
    void isPaidOnce() {
        Busy.whereTwoSecondsSuffice(OutageTest::check);
    }

    private static void check() {
        last9.reset();
        last9.fault(HANGS);
        String jenkinsfile = """
            node {
              def took = []
              def timed = { marker -> long began = System.currentTimeMillis(); marker(); took << System.currentTimeMillis() - began }
              for (int i = 1; i <= 4; i++) {
                timed { withLast9Deployment(serviceName: "block-${i}") { echo 'body ran' } }
              }
              for (int i = 1; i <= 6; i++) { timed { last9DeploymentMarker serviceName: "manual-${i}" } }
              echo "took ${took.sum()}"
              echo "waiting: ${env.LAST9_PENDING ?: 0}"
              echo 'outage over'
              for (int i = 1; i <= 9 && env.LAST9_PENDING; i++) { last9DeploymentMarker serviceName: 'next' }
              echo "waiting: ${env.LAST9_PENDING ?: 0}"
            }
            """;
        try (var run = pipeline(jenkinsfile).log(at("outage over", last9::reset)).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            long took = run.console().stream().filter(line -> line.startsWith("took ")).mapToLong(line -> Long.parseLong(line.substring(5))).sum();
            assertTrue(took < 50_000 || Busy.load() > 1.5, "fourteen markers held the build for " + took + " ms:\n" + run.log());
            List<String> warnings = warnings(run);
            assertEquals(14, warnings.size(), run.log());
            List<Double> limits = warnings.stream().map(LIMIT::matcher).filter(Matcher::find).map(m -> Double.valueOf(m.group(1))).toList();
            assertEquals(14, limits.size(), run.log());
            assertEquals(10.0, limits.get(0), run.log());
            assertTrue(limits.stream().mapToDouble(Double::doubleValue).sum() < 50, "limits: " + limits);
            // once in two minutes: on a machine that is so busy that these pass meanwhile, once more
            assertEquals(limits.stream().filter(limit -> limit > 2).count(),
                    run.console().stream().filter(line -> line.contains("Last9 does not answer; markers of this build on this agent")).count(), run.log());
            IntStream.rangeClosed(1, 6).forEach(i -> assertTrue(warnings.stream().anyMatch(w -> w.contains("deployment (stop) for manual-" + i + " was not delivered")), run.log()));
            assertEquals(List.of("waiting: 14", "waiting: 0"), run.console().stream().filter(line -> line.startsWith("waiting: ")).toList(), run.log());
            assertEquals("next", attributes(last9.received().get(0)).get("service_name"), "one's own goes first");
            assertEquals(14, last9.received().stream().filter(e -> !"next".equals(attributes(e).get("service_name"))).count(), run.log());
        }
    }
}
