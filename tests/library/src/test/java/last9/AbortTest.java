package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import pipeline.engine.Build;
import pipeline.run.Pipeline;

/**
 * Jenkins throws an abort into running Groovy, too: at a safepoint, which is the entry of a method, a closure or a round of a loop. Wherever it strikes
 * after a body has ended, the stop is sent.
 */
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AbortTest extends OnABench {
    private static final String WINDOW = """
        @Library('last9') _
        node {
          withLast9Deployment(serviceName: 'api', environment: 'production', customAttributes: [team: 'payments']) { echo 'body done' }
          echo 'after the window'
        }
        """;

    private static Pipeline window() {
        Pipeline p = Pipeline.of(WINDOW).library(LibraryTest.CHECKOUT).realTime().env("LAST9_API_BASE_URL", bench.last9.url)
                .credential("last9-refresh-token", bench.last9.refreshToken);
        p.settings().home = bench.home.toString();
        return p;
    }

    /** The safepoints from the end of the body to the end of the window. */
    private static List<Integer> safepoints() {
        List<Integer> at = new ArrayList<>();
        window().run().close(); // brings the bundle: from now on each build takes the same way
        try (var run = window().log(line -> {
            if (line.equals("body done") || line.equals("after the window")) {
                at.add(Build.current().state().safepoints);
            }
        }).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(at.size() == 2 && at.get(1) - at.get(0) > 10, "there are safepoints between the body and the end of the window: " + at);
        }
        return IntStream.rangeClosed(at.get(0) + 1, at.get(1)).boxed().toList();
    }

    static Stream<Integer> every() {
        return safepoints().stream();
    }

    /** The first ones, where the stop is not yet under way, and one within it. */
    static Stream<Integer> some() {
        List<Integer> all = safepoints();
        return IntStream.range(0, all.size()).filter(i -> i < 4 || i == 12).mapToObj(all::get);
    }

    /** The most dangerous places; the others are under {@code make endurance}. */
    @ParameterizedTest(name = "safepoint {0}")
    @MethodSource("some")
    void sendsTheStopWhereverAnAbortStrikes(int safepoint) {
        assertStopped(safepoint);
    }

    /** Every place between the end of the body and the end of the window. */
    @Tag("endurance")
    @ParameterizedTest(name = "safepoint {0}")
    @MethodSource("every")
    void sendsTheStopAtEverySafepoint(int safepoint) {
        assertStopped(safepoint);
    }

    private static void assertStopped(int safepoint) {
        bench.last9.reset();
        try (var run = window().abortAt("safepoint", safepoint).run()) {
            assertTrue(run.console().contains("Aborted by unknown"), "the abort was not taken for another: " + run.log());
            assertEquals("ABORTED", run.result(), run.log());
            List<Map<String, Object>> received = bench.last9.received();
            assertEquals("start", received.get(0).get("event_state"), run.log());
            assertTrue(received.size() >= 2, "no stop: " + run.log());
            // an abort after Last9 has the stop makes it go out once more, as the very same
            assertEquals(1, received.stream().skip(1).map(e -> e.get("event_state") + " " + e.get("timestamp")).distinct().count(), run.log());
            assertEquals(1, received.stream().map(e -> LibraryTest.attributes(e).get("deployment.id")).distinct().count(), run.log());
            assertEquals("success", LibraryTest.attributes(received.get(1)).get("deployment.outcome"), run.log());
        }
    }
}
