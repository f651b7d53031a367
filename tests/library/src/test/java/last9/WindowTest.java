package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** {@code withLast9Deployment}: what a window's markers carry and what the block gives back. How bodies end is in the shapes table. */
class WindowTest extends LibraryTest {
    private static final String WINDOW = "withLast9Deployment(serviceName: 'payments-api', environment: 'production')";

    /** Start and stop carry one id; the stop knows how long the window was, and a start has no result yet. */
    @Test
    void isOneWindow() {
        try (var run = pipeline("node { " + WINDOW + " { sleep 1 } }").run()) {
            Map<String, Object> start = attributes(last9.received().get(0));
            Map<String, Object> stop = attributes(last9.received().get(1));
            assertEquals(start.get("deployment.id"), stop.get("deployment.id"));
            long duration = Long.parseLong(stop.get("deployment.window_duration_ms").toString());
            assertTrue(duration >= 1000 && duration < 300_000, "duration " + duration);
            assertFalse(start.containsKey("deployment.window_duration_ms"));
            assertFalse(start.containsKey("jenkins.build_result"));
            assertFalse(start.containsKey("deployment.outcome"));
        }
    }

    /** The block's value is the body's, of any type, and the body's own exception is thrown. */
    @Test
    void returnsAndThrowsWhatTheBodyDoes() {
        String jenkinsfile = """
            class Mine extends RuntimeException { String note; Mine(String note) { super('mine'); this.note = note } }
            node {
              echo "value ${%1$s { [1, 'two'] }}"
              echo "nothing ${%1$s { }}"
              try { %1$s { throw new Mine('kept') } } catch (Mine e) { echo "caught ${e.note}" }
            }
            """.formatted(WINDOW);
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().containsAll(List.of("value [1, two]", "nothing null", "caught kept")), run.log());
            assertEquals(6, last9.received().size());
        }
    }

    /** Two builds of one job at once share nothing: each closes its own window. */
    @Test
    void keepsTwoBuildsOfOneJobApart() {
        String steps = "node { last9DeploymentMarker(serviceName: 'a', eventState: 'start'); %s; last9DeploymentMarker(serviceName: 'a') }";
        var slow = CompletableFuture.supplyAsync(() -> pipeline(steps.formatted("sleep 3")).run());
        try (var quick = pipeline(steps.formatted("echo 'no waiting'")).run(); var other = slow.join()) {
            assertEquals("SUCCESS", quick.result(), quick.log());
            assertEquals("SUCCESS", other.result(), other.log());
            assertEquals(List.of(), warnings(quick));
            assertEquals(List.of(), warnings(other));
            assertEquals(4, last9.received().size(), quick.log() + other.log());
            var windows = last9.received().stream().collect(Collectors.groupingBy(e -> attributes(e).get("deployment.id")));
            assertEquals(2, windows.size(), windows.toString());
            for (List<Map<String, Object>> window : windows.values()) {
                assertEquals(List.of("start", "stop"), window.stream().map(e -> e.get("event_state")).toList());
            }
        }
    }
}
