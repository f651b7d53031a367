package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code withLast9Deployment}: a stop in every case, and the build as it would be without us. */
class WindowTest extends LibraryTest {
    private static final String WINDOW = "withLast9Deployment(serviceName: 'payments-api', environment: 'production')";

    /** A failing body still gets its stop with the outcome, and the build ends as the body made it end. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "sh 'exit 3'                                      | FAILURE  | failure  | ERROR: script returned exit code 3",
        "error 'boom'                                     | FAILURE  | failure  | ERROR: boom",
        "throw new IllegalStateException('thrown')        | FAILURE  | failure  | java.lang.IllegalStateException: thrown",
        "assert 1 == 2                                    | FAILURE  | failure  | assert 1 == 2",
        "noSuchStep()                                     | FAILURE  | failure  | No such DSL method 'noSuchStep' found",
        "timeout(time: 1, unit: 'SECONDS') { sleep 9 }    | ABORTED  | timeout  | Timeout has been exceeded",
        "unstable 'tests failed'                          | UNSTABLE | unstable | WARNING: tests failed",
        "echo 'fine'                                      | SUCCESS  | success  | fine",
    })
    void sendsTheStopHoweverTheBodyEnds(String body, String result, String outcome, String line) {
        try (var run = pipeline("node { " + WINDOW + " { " + body + " } }").run()) {
            assertEquals(result, run.result(), run.log());
            assertTrue(run.log().contains(line), run.log());
            assertEquals("start payments-api, stop payments-api", markers(), run.log());
            Map<String, Object> stop = attributes(last9.received().get(1));
            assertEquals(outcome, stop.get("deployment.outcome"));
            assertEquals(result.equals("ABORTED") ? "ABORTED" : result, stop.get("jenkins.build_result"));
            assertEquals(List.of(), warnings(run));
        }
    }

    /** Start and stop carry one id; the stop knows how long the window was, and a start has no result yet. */
    @Test
    void isOneWindow() {
        try (var run = pipeline("node { " + WINDOW + " { sleep 1 } }").run()) {
            Map<String, Object> start = attributes(last9.received().get(0));
            Map<String, Object> stop = attributes(last9.received().get(1));
            assertEquals(start.get("deployment.id"), stop.get("deployment.id"));
            long duration = Long.parseLong(stop.get("deployment.window_duration_ms").toString());
            assertTrue(duration >= 1000 && duration < 20_000, "duration " + duration);
            assertFalse(start.containsKey("deployment.window_duration_ms"));
            assertFalse(start.containsKey("jenkins.build_result"));
            assertFalse(start.containsKey("deployment.outcome"));
        }
    }

    /** The block's value is the body's, whatever its type, and the body's very exception comes out. */
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

    /** A person's abort ends the build as ABORTED, runs nothing more of the body, and the stop says aborted. */
    @Test
    void sendsTheStopOnAnAbort() {
        try (var run = pipeline("node { " + WINDOW + " { echo 'in the body'; sleep 60; echo 'not reached' } }")
                .abortAfterText("in the body").run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("not reached"));
            assertEquals("start payments-api, stop payments-api", markers(), run.log());
            assertEquals("aborted", attributes(last9.received().get(1)).get("deployment.outcome"));
        }
    }

    /** An abort while the start marker is under way keeps the body from running; the stop follows, since the start may have arrived. */
    @Test
    void sendsTheStopAfterAnAbortDuringTheStart() {
        last9.fault("[{\"on\": \"exchange\", \"times\": 1, \"delay\": 3}]");
        try (var run = pipeline("node { " + WINDOW + " { echo 'body ran' } }").abortAt("sh", 1).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("body ran"));
            assertEquals("start payments-api, stop payments-api", markers(), run.log());
            assertEquals(attributes(last9.received().get(0)).get("deployment.id"), attributes(last9.received().get(1)).get("deployment.id"));
        }
    }

    /** An abort while the stop marker is under way is not swallowed, and the stop is sent all the same, once. */
    @Test
    void sendsTheStopAfterAnAbortDuringTheStop() {
        String jenkinsfile = "node { " + WINDOW + " { echo 'body done' }; echo 'not reached' }";
        try (var run = pipeline(jenkinsfile).abortAt("sh", 2).log(line -> {
            if (line.equals("body done")) {
                last9.fault("[{\"on\": \"exchange\", \"times\": 1, \"delay\": 3}]");
            }
        }).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("not reached"));
            assertTrue(markers().startsWith("start payments-api, stop payments-api"), markers());
            // the interrupted try may have arrived: then the second one says the very same
            last9.received().stream().skip(2).forEach(again -> assertEquals(last9.received().get(1).get("timestamp"), again.get("timestamp")));
        }
    }

    /** A controller restart during any waiting step of a window loses neither its id nor its stop. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void survivesARestart(int nth) {
        last9.fault("[{\"on\": \"exchange\", \"delay\": 1}]"); // so that the step still runs when the controller goes down
        try (var run = pipeline("node { " + WINDOW + " { sh 'sleep 1' } }").restartAt("sh", nth).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.log().contains("Resuming build"), run.log());
            assertEquals("start payments-api, stop payments-api", markers(), run.log());
            assertEquals(attributes(last9.received().get(0)).get("deployment.id"), attributes(last9.received().get(1)).get("deployment.id"));
        }
    }

    /** Parallel windows have ids and durations of their own. */
    @Test
    void keepsParallelWindowsApart() {
        String jenkinsfile = """
            node { parallel(
              a: { withLast9Deployment(serviceName: 'a') { sleep 1 } },
              b: { withLast9Deployment(serviceName: 'b') { sleep 3 } },
              c: { withLast9Deployment(serviceName: 'c') { withLast9Deployment(serviceName: 'd') { echo 'nested' } } }
            ) }
            """;
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(8, last9.received().size());
            assertEquals(4, last9.received().stream().map(e -> attributes(e).get("deployment.id")).distinct().count());
            for (String service : List.of("a", "b", "c", "d")) {
                assertEquals(time("stop", service) - time("start", service), duration(service), service);
            }
        }
    }

    private static long time(String state, String service) {
        return java.time.Instant.parse(marker(state, service).get("timestamp").toString()).toEpochMilli();
    }

    private static long duration(String service) {
        return Long.parseLong(attributes(marker("stop", service)).get("deployment.window_duration_ms").toString());
    }

    private static Map<String, Object> marker(String state, String service) {
        return last9.received().stream()
                .filter(e -> state.equals(e.get("event_state")) && service.equals(attributes(e).get("service")))
                .findFirst().orElseThrow();
    }
}
