package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pipeline.run.Pipeline;

/** {@code startInBackground}: the deployment never waits for its start, Last9 gets the start before the stop, and nothing is left running. */
class BackgroundStartTest extends LibraryTest {
    /** The time limit costs a test something only where the stop has to wait in vain, for half of it. */
    private static final String OPTIONS = "serviceName: 's', startInBackground: true, timeoutSeconds: 60";
    private static final String WINDOW = "withLast9Deployment(" + OPTIONS + ")";
    private static final String IN_BACKGROUND = "[Last9] Sending deployment marker in the background: deployment (start) for s";

    /** Start and stop arrive once and in order, the log says how, and neither a process, a file nor the token is left behind. */
    @Test
    void arrives() {
        try (var run = pipeline("node { " + WINDOW + " { echo 'body ran' } }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals(List.of(
                    IN_BACKGROUND,
                    "[Last9] Deployment marker sent successfully in the background: deployment (start) for s",
                    "[Last9] Sending deployment marker: deployment (stop) for s",
                    "[Last9] Deployment marker sent successfully"), ours(run), run.log());
            assertNothingLeft(run);
            assertSilentAbout(last9.refreshToken, run);
        }
    }

    /** A Last9 that hangs does not keep the body from running; the stop sends both, in order, with their own times. */
    @Test
    void doesNotWaitForLast9() {
        last9.fault(HANGS_ONCE);
        var receivedBefore = new AtomicInteger(-1);
        try (var run = pipeline("node { " + WINDOW.replace("60", "6") + " { echo 'body ran' } }").log(at("body ran", () -> {
            last9.untilOneWaits();
            receivedBefore.set(last9.received().size());
        })).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(0, receivedBefore.get(), run.log());
            assertStartsThenStops(run); // the start twice, where its own second try was on the wire when it was recalled
            assertEquals(List.of(), warnings(run), run.log());
            assertNothingLeft(run);
        }
    }

    /** Where Last9 takes nothing the build goes on; each marker is one warning with a remedy; with failOnError the stop fails the build. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void neverFailsUnlessAsked(boolean failOnError) {
        last9.fault("[{\"on\": \"exchange\", \"status\": 401}]"); // final, unlike a 503: no time limit is waited for
        String window = WINDOW.replace(")", ", failOnError: " + failOnError + ")");
        try (var run = pipeline("node { " + window + " { echo 'body ran' } }").run()) {
            assertEquals(failOnError ? "FAILURE" : "SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("body ran"), run.log());
            assertEquals(2, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("in the background, deployment (start) for s was not delivered: Last9 does not accept the refresh token"), run.log());
            assertEquals(List.of(), last9.received());
            assertNothingLeft(run);
        }
    }

    /** `failOnError` does not strike for a start that is only under way, nor for one that went out again with the stop. */
    @Test
    void judgesTheStartByItsStop() {
        last9.fault("[{\"on\": \"exchange\", \"times\": 1, \"status\": 403}]");
        String window = WINDOW.replace(")", ", failOnError: true)");
        try (var run = pipeline("node { " + window + " { echo 'body ran' } }").log(at("body ran", () -> last9.untilAnswered(403))).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals(1, warnings(run).size(), run.log());
        }
    }

    /** What is wrong on this side is told by the start itself, not minutes later by the stop. */
    @Test
    void tellsMistakesAtOnce() {
        List<String> before = new ArrayList<>();
        try (var run = pipeline("node { withLast9Deployment(startInBackground: true) { echo 'body ran' } }").log(line -> {
            if (line.equals("body ran") || line.contains("WARNING")) {
                before.add(line);
            }
        }).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(before.get(0).contains("serviceName is missing"), run.log());
            assertEquals("body ran", before.get(1));
            assertEquals(List.of(), last9.received());
            assertNothingLeft(run);
        }
    }

    /** An abort in the body while the start hangs: the stop goes out within its five seconds, after the start. */
    @Test
    void survivesAnAbortInTheBody() {
        last9.fault(HANGS_ONCE);
        try (var run = pipeline("node { " + WINDOW + " { echo 'in the body'; sleep 60 } }").abortAfterText("in the body").log(at("in the body", last9::untilOneWaits)).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals("aborted", attributes(last9.received().get(1)).get("deployment.outcome"));
            assertNothingLeft(run);
        }
    }

    /** An abort while the start is being left behind: start before stop, whatever the abort ended. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void survivesAnAbortDuringTheStart(boolean slow) {
        if (slow) { // by so much that the stop has time enough where the abort came first, and it is the stop that meets this
            last9.fault("[{\"on\": \"exchange\", \"times\": 1, \"delay\": 1.5}]");
        }
        try (var run = pipeline("node { " + WINDOW + " { echo 'body ran' } }").abortAt("sh", 1).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertStartsThenStops(run);
            assertNothingLeft(run);
        }
    }

    /** Where the start's agent is lost, its fate with it, the stop goes out from another one and takes the start along, the very same. */
    @Test
    void survivesTheLossOfItsAgent() {
        String jenkinsfile = "node('fragile') { " + WINDOW + " { sh 'sleep 20' } }";
        try (var run = pipeline(jenkinsfile).agent("one", "fragile", 1).agent("two", "solid", 1).agentLostAt("one", "sh", 2).run()) {
            assertStartsThenStops(run);
            assertNothingLeft(run);
        }
    }

    /** A controller restart during start or body of a block changes nothing. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void survivesARestart(int nth) {
        last9.fault("[{\"on\": \"event\", \"times\": 1, \"delay\": 1}]");
        try (var run = pipeline("node { " + WINDOW + " { sh 'sleep 1' } }").restartAt("sh", nth).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertNothingLeft(run);
        }
    }

    /** A manual start's stop waits for it, also after a restart of the controller, which forgets what it was handed. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void goesWithManualMarkers(boolean restart) {
        last9.fault("[{\"on\": \"event\", \"times\": 1, \"delay\": 2}]");
        String jenkinsfile = "node { def a = last9DeploymentMarker(" + OPTIONS + ", eventState: 'start'); echo \"delivered ${a.delivered}\"; sh 'sleep 1'\n"
                + "last9DeploymentMarker(serviceName: 's', eventState: 'stop') }";
        Pipeline pipeline = pipeline(jenkinsfile);
        try (var run = (restart ? pipeline.restartAt("sh", 2) : pipeline).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("delivered false"), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals(attributes(last9.received().get(0)).get("deployment.id"), attributes(last9.received().get(1)).get("deployment.id"));
            assertNothingRuns(run);
        }
    }

    /** Another window's marker does not wait for a manual start that hangs, and its own stop still sends it first. */
    @Test
    void holdsUpNobodyElse() {
        // not the first exchange: on a busy machine that may be the other window's, whose process overtakes the one in the background
        last9.fault("[{\"on\": \"event\", \"about\": \"slow\", \"times\": 1, \"delay\": 60, \"drop\": \"before\"}]");
        String jenkinsfile = """
            node {
              last9DeploymentMarker serviceName: 'slow', eventState: 'start', startInBackground: true, timeoutSeconds: 60
              withLast9Deployment(serviceName: 'other') { echo 'other' }
              last9DeploymentMarker serviceName: 'slow', eventState: 'stop', timeoutSeconds: 6
            }
            """;
        try (var run = pipeline(jenkinsfile).log(at("other", last9::untilOneWaits)).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start other, stop other, start slow, stop slow", markers(), run.log());
            assertEquals(List.of(), warnings(run), run.log());
            assertNothingLeft(run);
        }
    }

    /** Parallel and nested windows keep to their own starts. */
    @Test
    void keepsParallelWindowsApart() {
        last9.fault("[{\"on\": \"exchange\", \"times\": 2, \"delay\": 1}]");
        String window = "withLast9Deployment(serviceName: '%s', startInBackground: true, timeoutSeconds: 60)";
        String jenkinsfile = "node { parallel(a: { " + window.formatted("a") + " { echo 'a' } }, b: { " + window.formatted("b") + " { "
                + window.formatted("c") + " { echo 'nested' } } }) }";
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            for (String service : List.of("a", "b", "c")) {
                assertEquals(List.of("start", "stop"), states(service), markers());
            }
            assertEquals(List.of(), warnings(run), run.log());
            assertNothingLeft(run);
        }
    }

    /** Jenkins ends the process with the node block: what it had not delivered by then goes out with the stop, from another node block. */
    @Test
    void endsWithTheNodeBlock() {
        last9.fault(HANGS_ONCE);
        String jenkinsfile = """
            node { last9DeploymentMarker serviceName: 's', eventState: 'start', startInBackground: true, timeoutSeconds: 60 }
            node { last9DeploymentMarker serviceName: 's', eventState: 'stop' }
            """;
        try (var run = pipeline(jenkinsfile).log(at(IN_BACKGROUND, last9::untilOneWaits)).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertStartsThenStops(run);
            assertNothingLeft(run);
        }
    }

    /** Outside of a node, where a process left behind would be ended at once, the start is sent as usual, without a word about it. */
    @Test
    void sendsAtOnceWhereThereIsNoNode() {
        try (var run = pipeline(WINDOW + " { echo 'no node here' }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertFalse(run.log().contains("background"), run.log());
            assertEquals(List.of(), warnings(run));
        }
    }

    /** An administrator can have every start in the background; a Jenkinsfile says no for itself. */
    @Test
    void canBeSetForAll() {
        String jenkinsfile = "node { withLast9Deployment(serviceName: 's') { }\nwithLast9Deployment(serviceName: 't', startInBackground: false) { } }";
        try (var run = pipeline(jenkinsfile).env("LAST9_START_IN_BACKGROUND", "true").run()) {
            assertEquals("start s, stop s, start t, stop t", markers(), run.log());
            assertTrue(run.console().contains(IN_BACKGROUND), run.log());
            assertFalse(run.console().contains(IN_BACKGROUND.replace("for s", "for t")), run.log());
        }
    }

    private static void assertStartsThenStops(Pipeline.Run run) {
        List<String> states = states("s");
        assertEquals("start", states.get(0), run.log());
        assertEquals(1, states.stream().filter("stop"::equals).count(), run.log());
        assertEquals("stop", last9.received().stream().max(Comparator.comparing(e -> e.get("timestamp").toString())).orElseThrow().get("event_state"));
        List<Map<String, Object>> starts = last9.received().stream().filter(e -> e.get("event_state").equals("start")).toList();
        starts.forEach(again -> {
            assertEquals(starts.get(0).get("timestamp"), again.get("timestamp"));
            assertEquals(starts.get(0).get("attributes"), again.get("attributes"));
        });
    }

    private static List<String> states(String service) {
        return last9.received().stream()
                .filter(e -> service.equals(attributes(e).get("service_name")))
                .map(e -> e.get("event_state").toString())
                .toList();
    }

    private static List<String> ours(Pipeline.Run run) {
        return run.console().stream().filter(line -> line.startsWith("[Last9]")).toList();
    }

    private static void assertNothingLeft(Pipeline.Run run) {
        assertNothingRuns(run);
        try (Stream<Path> files = Files.walk(run.home())) {
            assertEquals(List.of(), files.filter(f -> f.getFileName().toString().startsWith("background-")).toList(), run.log());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What was told to end with the build's last node block has a moment to do so. */
    private static void assertNothingRuns(Pipeline.Run run) {
        long until = System.currentTimeMillis() + 10_000;
        while (!processes(run).isEmpty() && System.currentTimeMillis() < until) {
            Thread.onSpinWait();
        }
        assertEquals(List.of(), processes(run), run.log());
    }

    /** Command lines of processes that run something of this build's folders. */
    private static List<String> processes(Pipeline.Run run) {
        List<String> found = new ArrayList<>();
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            try {
                byte[] line = Files.readAllBytes(Path.of("/proc/" + process.pid() + "/cmdline"));
                String text = new String(line, StandardCharsets.UTF_8).replace('\0', ' ');
                if (text.contains(run.home().toString()) && text.contains("last9-markers")) {
                    found.add(text);
                }
            } catch (IOException e) {
                continue; // it has ended meanwhile
            }
        }
        return found;
    }
}
