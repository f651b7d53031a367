package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import pipeline.run.Pipeline;

/** The controller is restarted while a step runs: the pipeline goes on, and each window closes once, with its own id and duration. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RestartTest extends LibraryTest {
    /** Engines still run when the controller goes down, so that a restart strikes within the shell. */
    private static final String SLOW = "[{\"on\": \"exchange\", \"delay\": 0.5}]";

    private static final String NOT_IN_THE_REPORT = "the controller restarted during this build: deployments from before it are missing from the report";

    /** What comes of each example without a restart. */
    private static final Map<String, List<String>> UNDISTURBED = new ConcurrentHashMap<>();

    /** A new controller is up within seconds, or within a minute on a busy machine: the markers' time limits must not end meanwhile. */
    private static Pipeline example(Path file, FakeLast9 to) throws IOException {
        return Pipeline.of(Files.readString(file)).library(CHECKOUT).realTime()
                .env("LAST9_API_BASE_URL", to.url).env("LAST9_TIMEOUT_SECONDS", "120").credential("last9-refresh-token", to.refreshToken);
    }

    /** Every step that the build of an example takes, as name and how-many-th call. */
    private static Stream<Arguments> steps(Path file) {
        try (FakeLast9 own = FakeLast9.start(CHECKOUT); var run = example(file, own).run()) {
            UNDISTURBED.put(file.getFileName().toString(), windows(run, own));
            Map<Object, Integer> calls = new LinkedHashMap<>();
            // What comes after a build's last shell is over, here, before a controller could go down: nothing waits there.
            int last = run.steps().stream().map(s -> s.get("step")).toList().lastIndexOf("sh");
            return run.steps().subList(0, last + 1).stream().filter(s -> "block".equals(s.get("kind")) || "atom".equals(s.get("kind")))
                    .map(s -> Arguments.of(file.getFileName().toString(), s.get("step"), calls.merge(s.get("step"), 1, Integer::sum)))
                    .toList().stream();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static Stream<Arguments> everyStepOfEveryExample() throws IOException {
        try (Stream<Path> files = Files.list(CHECKOUT.resolve("examples"))) {
            return files.filter(f -> f.toString().endsWith(".Jenkinsfile")).sorted().toList().stream().flatMap(RestartTest::steps);
        }
    }

    /** Of each kind of step in the first example its last call: with the window open, most of them in the stop. */
    static Stream<Arguments> oneStepOfEachKind() {
        Map<Object, Arguments> last = new LinkedHashMap<>();
        steps(CHECKOUT.resolve("examples/01-declarative-window.Jenkinsfile")).forEach(a -> last.put(a.get()[1], a));
        return last.values().stream();
    }

    /** One restart of each kind; the others are under {@code make endurance}. */
    @ParameterizedTest(name = "{0}: {1} {2}")
    @MethodSource("oneStepOfEachKind")
    void goesOnAfterEachKindOfStep(String example, String step, int nth) throws IOException {
        goesOn(example, step, nth);
    }

    /** A restart at every single step of every example. */
    @Tag("endurance")
    @Execution(ExecutionMode.CONCURRENT)
    @ParameterizedTest(name = "{0}: {1} {2}")
    @MethodSource("everyStepOfEveryExample")
    void goesOnAfterEveryStep(String example, String step, int nth) throws IOException {
        goesOn(example, step, nth);
    }

    /** A controller that is down for longer than a marker may take: its time limit has run out meanwhile, and the marker goes out all the same. */
    @Tag("endurance") // 20 seconds of waiting each
    @Execution(ExecutionMode.CONCURRENT)
    @ParameterizedTest
    @CsvSource({"sh, 1", "sh, 2", "withCredentials, 2"})
    void outlastsALongRestart(String step, int nth) {
        try (FakeLast9 own = FakeLast9.start(CHECKOUT); var run = downFor(20_000, step, nth, own).run()) { // the library's own limit is 19 s
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("body ran"), run.log());
            // perhaps twice, unchanged: it is unknown whether the first attempt arrived
            assertEquals(List.of("start", "stop"), own.received().stream().map(e -> e.get("event_state") + "@" + e.get("timestamp")).distinct()
                    .map(e -> e.substring(0, e.indexOf('@'))).toList(), run.log());
            assertEquals(List.of(), warnings(run));
        }
    }

    private static Pipeline downFor(int millis, String step, int nth, FakeLast9 to) {
        Pipeline p = pipeline("node { withLast9Deployment(serviceName: 's', timeoutSeconds: 4) { echo 'body ran' } }")
                .env("LAST9_API_BASE_URL", to.url).credential("last9-refresh-token", to.refreshToken).restartAt(step, nth);
        p.settings().downMillis = millis;
        return p;
    }

    private static void goesOn(String name, String step, int nth) throws IOException {
        Path file = CHECKOUT.resolve("examples/" + name);
        try (FakeLast9 own = FakeLast9.start(CHECKOUT)) { // several builds wait for their new controllers at once
            own.fault(SLOW);
            try (var run = example(file, own).restartAt(step, nth).run()) {
                // branches that race bring the bundle once or twice, so a build may have fewer calls of that step than the one that was counted
                long calls = run.steps().stream().filter(s -> step.equals(s.get("step"))).count();
                assertTrue(run.log().contains("Resuming build at") || calls < nth, step + " " + nth + " of " + calls + ":\n" + run.log());
                assertEquals(UNDISTURBED.get(name), windows(run, own), run.log());
                // a report cannot know what happened before, and says so
                assertEquals(List.of(), warnings(run).stream().filter(line -> !line.contains(NOT_IN_THE_REPORT)).toList());
            }
        }
    }

    /** The build's result, and each marker with the number of its window; a stop's duration is the time since its own start. Branches in any order. */
    private static List<String> windows(Pipeline.Run run, FakeLast9 to) {
        Map<Object, Map<String, Object>> starts = new LinkedHashMap<>();
        List<String> told = new ArrayList<>();
        for (Map<String, Object> event : to.received()) {
            Map<String, Object> a = attributes(event);
            Object id = a.get("deployment.id");
            String window = "no window";
            if ("start".equals(event.get("event_state"))) {
                assertEquals(null, starts.put(id, event), "two starts of one window: " + run.log());
                window = "window";
            } else if (id != null) {
                Map<String, Object> start = starts.remove(id);
                assertEquals(String.valueOf(at(event) - at(start)), a.get("deployment.window_duration_ms"), run.log());
                assertEquals(a.get("service_name"), attributes(start).get("service_name"));
                window = "window";
            }
            told.add(event.get("event_state") + " " + a.get("service_name") + " " + window + " " + a.get("deployment.outcome"));
        }
        assertEquals(Map.of(), starts, "windows that stay open: " + run.log());
        told.sort(null);
        told.add(run.result());
        return told;
    }

    private static long at(Map<String, Object> event) {
        return java.time.Instant.parse(event.get("timestamp").toString()).toEpochMilli();
    }
}
