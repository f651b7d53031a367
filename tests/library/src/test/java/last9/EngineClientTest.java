package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pipeline.run.Pipeline;

/** What the library makes of how a run of the engine ends, and what it hands on from one run to the next. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class EngineClientTest {
    private static final String HASH = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    @TempDir
    Path folder;

    private Pipeline pipeline(ScriptedEngine engine, String steps) {
        return engine.serve(Pipeline.of("@Library('last9') _\n" + steps).library(LibraryTest.CHECKOUT).realTime().credential("last9-refresh-token", "secret-token"));
    }

    private static String block(String more) {
        return "withLast9Deployment(serviceName: 's'" + more + ") { echo 'body ran' }\n";
    }

    /** However the engine ends without an answer and without an interruption, that is a failed marker: one warning that names it, it is kept, and the body runs. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', value = {
        "kill -KILL $$        | ended with exit status 137",
        "exit 1               | ended with exit status 1",
        "exit 77              | wrote no answer",
        "echo '{\"last9Ans' > $answer; exit 77 | the engine wrote no answer",
        "echo '{\"last9Answer\": 3}' > $answer; exit 77 | the engine wrote no answer",
        "exit 0               | ended with exit status",
    })
    void aRunWithoutAnAnswerIsAFailedMarker(String end, String warning) {
        ScriptedEngine engine = new ScriptedEngine(folder).then(end + "\n");
        try (var run = pipeline(engine, "node { " + block("") + " }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("body ran"), run.log());
            List<String> ours = LibraryTest.warnings(run).stream().filter(w -> w.contains("next marker")).toList();
            assertEquals(1, ours.size(), run.log());
            assertTrue(ours.get(0).contains(warning) || warning.contains("no answer") && ours.get(0).contains("could not be sent"), run.log());
            List<Map<String, Object>> requests = engine.requests();
            assertEquals(2, requests.size(), run.log());
            Map<?, ?> pending = (Map<?, ?>) ((List<?>) requests.get(1).get("pending")).get(0);
            assertEquals(requests.get(0).get("timestampMs"), ScriptedEngine.object(pending.get("text").toString()).get("timestampMs"));
            assertEquals(0, pending.get("failures"));
        }
    }

    /** A bundle that the engine's launcher calls missing or damaged is brought once, and the marker sent again at once; a second time is a failed marker. */
    @Test
    void bringsTheBundleOnceMore() {
        ScriptedEngine engine = new ScriptedEngine(folder).then("exit 78\n").then(ScriptedEngine.DELIVERED).then("exit 78\n").then("exit 78\n");
        try (var run = pipeline(engine, "node { " + block("") + " }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(List.of("start", "start", "stop", "stop"), engine.requests().stream().map(r -> ((Map<?, ?>) r.get("options")).get("eventState")).toList(), run.log());
            assertEquals(1, LibraryTest.warnings(run).size(), run.log());
            assertTrue(LibraryTest.warnings(run).get(0).contains("could not be brought to this agent"), run.log());
        }
    }

    /** What an answer says for the next run goes there: outages as they are, the compiled code's hash if it is one, and nothing of it to another node. */
    @Test
    void handsOnWhatTheNodeMustKnow() {
        ScriptedEngine engine = new ScriptedEngine(folder)
                .then(ScriptedEngine.answer("{\"outages\": {\"acme\": [1, {\"a\": null}]}, \"code\": \"" + HASH + "\", \"pending\": {\"own\": null, \"kept\": []}}"))
                .then(ScriptedEngine.answer("{\"code\": \"x; touch /tmp/attacked\", \"pending\": {\"own\": null, \"kept\": []}}"));
        try (var run = pipeline(engine, "node('a') { " + block("") + "last9DeploymentMarker serviceName: 's'\n }\nnode('b') { last9DeploymentMarker serviceName: 's' }")
                .agent("one", "a", 1).agent("two", "b", 1).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            List<Map<String, Object>> requests = engine.requests();
            assertFalse(requests.get(0).containsKey("outages"));
            assertEquals(Map.of("acme", List.of(1, new java.util.HashMap<>() {{ put("a", null); }})), requests.get(1).get("outages"));
            assertFalse(requests.get(2).containsKey("outages"), "it is over");
            assertFalse(requests.get(3).containsKey("outages"), "another node");
            List<Boolean> hashes = engine.arguments().stream().map(a -> a.contains(" " + HASH + " ")).toList();
            assertEquals(List.of(false, true, false, false), hashes, "what is no hash never becomes part of the launcher");
            assertTrue(engine.arguments().stream().noneMatch(a -> a.contains("attacked")));
        }
    }

    /** Kept markers come back by index with their failures, and go out in their order, this window's own first. */
    @Test
    void keepsPendingMarkersByIndex() {
        ScriptedEngine engine = new ScriptedEngine(folder)
                .then(ScriptedEngine.answer("{\"pending\": {\"own\": \"first\", \"kept\": []}}"))
                .then(ScriptedEngine.answer("{\"pending\": {\"own\": \"second\", \"kept\": [[0, 1], [7, 1]]}}"))
                .then(ScriptedEngine.answer("{\"pending\": {\"own\": \"start\", \"kept\": [[1, 0]]}}"))
                .then(ScriptedEngine.answer("{\"delivered\": true, \"pending\": {\"own\": null, \"kept\": [[0, 2], [1, 0]]}}"));
        String marker = "last9DeploymentMarker serviceName: 's'\n";
        try (var run = pipeline(engine, "node { " + marker + marker + block("") + marker + " }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            List<Object> pending = engine.requests().stream().map(r -> r.get("pending")).toList();
            assertEquals(null, pending.get(0));
            assertEquals(kept("first", 0), pending.get(1));
            assertEquals(kept("first", 1, "second", 0), pending.get(2));
            assertEquals(kept("start", 0, "second", 0), pending.get(3));
            assertEquals(kept("second", 0, "start", 2), pending.get(4), "what the window could not deliver goes out with the build's next marker");
        }
    }

    private static List<Map<String, Object>> kept(Object... pairs) {
        List<Map<String, Object>> kept = new java.util.ArrayList<>();
        for (int i = 0; i < pairs.length; i += 2) {
            kept.add(Map.of("text", pairs[i], "failures", pairs[i + 1]));
        }
        return kept;
    }

    /** Each run has a folder of its own, beside the workspace; parallel ones never share one, and the numbers are used again. */
    @Test
    void runsInAFolderOfItsOwn() {
        ScriptedEngine engine = new ScriptedEngine(folder);
        engine.then("while [ \"$(ls \"$folder\" | grep -c '^request-')\" -lt 2 ]; do sleep 0.1; done\n" + ScriptedEngine.DELIVERED);
        try (var run = pipeline(engine, """
            node {
              parallel a: { last9DeploymentMarker serviceName: 'a' }, b: { last9DeploymentMarker serviceName: 'b' }
              dir('sub') { last9DeploymentMarker serviceName: 'c' }
            }
            """).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            List<String> places = engine.places();
            assertEquals(List.of("run-0-0", "run-0-0", "run-0-1"), places.stream().map(p -> p.substring(p.lastIndexOf('/') + 1)).sorted().toList(), run.log());
            assertTrue(places.stream().allMatch(p -> p.contains("@tmp/last9/run-")), places.toString());
            List<String> folders = engine.requests().stream().map(r -> r.get("folder").toString()).toList();
            assertTrue(folders.get(2).endsWith("/sub"), "the step's own folder: " + folders);
        }
    }

    /** A variable of the pipeline's own called WORKSPACE neither makes the agent a Windows one nor moves anything. */
    @ParameterizedTest
    @CsvSource({"WORKSPACE=staging", "WORKSPACE=C:\\\\data", "WORKSPACE_TMP=relative", "WORKSPACE_TMP=D:/tmp"})
    void takesNoVariableForTheWorkspace(String variable) {
        ScriptedEngine engine = new ScriptedEngine(folder);
        try (var run = pipeline(engine, "node { withEnv(['" + variable + "']) { " + block("") + " } }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(List.of(), LibraryTest.warnings(run), run.log());
            assertEquals(2, engine.requests().size(), run.log());
            assertTrue(engine.places().stream().allMatch(p -> p.endsWith("@tmp/last9/run-0-0")), engine.places().toString());
        }
    }

    /** A shell that gives no sign within its limit costs that limit once: for two minutes no marker is tried on that node, which is said once; all are kept. */
    @Test
    void leavesASilentAgentAlone() {
        ScriptedEngine engine = new ScriptedEngine(folder).then("sleep 60\n");
        String marker = "last9DeploymentMarker serviceName: 's', timeoutSeconds: 1\n";
        String steps = "node('a') { " + marker + marker + block("") + "echo marker.warnings[0]\n }\nnode('b') { " + marker + " }";
        try (var run = pipeline(engine, steps.replaceFirst("\n" + marker, "\ndef marker = " + marker)).agent("one", "a", 1).agent("two", "b", 1).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("body ran"), run.log());
            List<Map<String, Object>> requests = engine.requests();
            assertEquals(2, requests.size(), "one on the silent node, one on the other:\n" + run.log());
            assertEquals(1, LibraryTest.warnings(run).size(), run.log());
            assertTrue(LibraryTest.warnings(run).get(0).contains("the stop marker of s (deployment) timed out after 16 s: its shell step on 'one' did not end"), run.log());
            assertTrue(LibraryTest.warnings(run).get(0).contains("for the next two minutes this build's markers are not tried on it, but queued"), run.log());
            assertTrue(run.console().contains("the stop marker of s (deployment) was not sent: a shell step on this agent did not end less than two minutes ago"), run.log());
            assertEquals(4, ((List<?>) requests.get(1).get("pending")).size(), "another node takes all of them along");
        }
    }

    /** A person who tests the connection on such a node gets the warning, even if it was logged before. */
    @Test
    void saysWhyASilentAgentIsNotTested() {
        ScriptedEngine engine = new ScriptedEngine(folder).then("sleep 60\n");
        try (var run = pipeline(engine, "node { last9DeploymentMarker serviceName: 's', timeoutSeconds: 1\nlast9TestConnection() }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(1, engine.requests().size(), run.log());
            assertTrue(run.log().contains("[Last9] failed  agent        the connection test was not sent: a shell step on this agent did not end"), run.log());
        }
    }

    /** An abort after the engine has answered: what Last9 has, or has refused for good, is neither sent again nor called lost, and the build is aborted all the same. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"delivered\": true, \"pending\": {\"own\": null, \"kept\": []}, \"outages\": {\"acme\": 1}}",
        "{\"delivered\": false, \"pending\": {\"own\": null, \"kept\": []}, \"outages\": {\"acme\": 1}}",
    })
    void sendsNothingAgainThatWasAnswered(String answer) {
        ScriptedEngine engine = new ScriptedEngine(folder).then(ScriptedEngine.DELIVERED).then(ScriptedEngine.answer(answer));
        String steps = "try { node { " + block("") + "echo 'not reached' } } finally { node { last9DeploymentMarker serviceName: 'later' } }";
        try (var run = pipeline(engine, steps).abortInGap("sh", 2).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("not reached"), run.log());
            assertEquals(List.of(), LibraryTest.warnings(run), run.log());
            List<Map<String, Object>> requests = engine.requests();
            assertEquals(List.of("s", "s", "later"), requests.stream().map(r -> ((Map<?, ?>) r.get("options")).get("serviceName")).toList(), run.log());
            assertFalse(requests.get(2).containsKey("pending"));
            assertEquals(Map.of("acme", 1), requests.get(2).get("outages"), "what the answer says counts");
        }
    }

    /** The same with a stop that is still pending: it is tried once more, unchanged and once only; what the answer kept besides goes along. */
    @Test
    void sendsAgainWhatWasAnsweredAsUndelivered() {
        ScriptedEngine engine = new ScriptedEngine(folder)
                .then(ScriptedEngine.answer("{\"pending\": {\"own\": \"start\", \"kept\": []}}"))
                .then(ScriptedEngine.answer("{\"pending\": {\"own\": \"stop\", \"kept\": [[0, 1]]}}"))
                .then(ScriptedEngine.answer("{\"pending\": {\"own\": \"stop\", \"kept\": [[0, 2]]}}"));
        String steps = "try { node { " + block("") + " } } finally { node { last9DeploymentMarker serviceName: 'later' } }";
        try (var run = pipeline(engine, steps).abortInGap("sh", 2).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            List<Map<String, Object>> requests = engine.requests();
            assertEquals(4, requests.size(), run.log());
            assertEquals(requests.get(1).get("timestampMs"), requests.get(2).get("timestampMs"), "the very same marker");
            assertEquals(kept("start", 1), requests.get(2).get("pending"));
            assertEquals(kept("start", 2, "stop", 0), requests.get(3).get("pending"));
        }
    }

    /** A start that has arrived when an abort comes in the gap: no body, and one stop. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "withLast9Deployment(serviceName: 's') { echo 'body ran' } | start, stop",
        "last9DeploymentMarker(serviceName: 's', eventState: 'start'); echo 'body ran' | start",
    })
    void endsAWindowWhoseStartHasArrived(String steps, String states) {
        ScriptedEngine engine = new ScriptedEngine(folder);
        try (var run = pipeline(engine, "node { " + steps + " }").abortInGap("sh", 1).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("body ran"), run.log());
            assertEquals(List.of(), LibraryTest.warnings(run), run.log());
            assertEquals(states, String.join(", ", engine.requests().stream().map(r -> ((Map<?, ?>) r.get("options")).get("eventState").toString()).toList()), run.log());
            engine.requests().forEach(r -> assertFalse(r.containsKey("pending")));
        }
    }

    /** A person who starts builds cannot choose the interpreter: with a parameter called LAST9_PYTHON, in upper or lower case, the launcher ignores it. */
    @ParameterizedTest
    @CsvSource({"LAST9_PYTHON", "last9_python"})
    void takesNoInterpreterFromAParameter(String parameter) {
        ScriptedEngine engine = new ScriptedEngine(folder);
        try (var run = pipeline(engine, "node { " + block(", dryRun: true") + " }").param(parameter, "/bin/false").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(List.of(), engine.requests(), "the real engine ran in its place");
            assertTrue(run.console().contains("body ran"), run.log());
        }
    }

    /** An agent without Python: with a label set the marker goes from a node of that label, which the build remembers; without one it is a failed marker. */
    @Test
    void sendsFromAnotherNodeIfThisOneHasNoPython() {
        String none = "cat > \"$answer\" <<'ANSWER'\n{\"last9Answer\":2,\"noEngine\":true,\"delivered\":false,\"accepted\":true,\"deploymentId\":null,"
                + "\"warnings\":[\"no usable Python\"],\"failBuild\":null}\nANSWER\nexit 79\n";
        ScriptedEngine engine = new ScriptedEngine(folder).then(none).then(none);
        String steps = "node('bare') { last9DeploymentMarker serviceName: 'without'\n" + block(", agentLabel: 'equipped'") + " }";
        try (var run = pipeline(engine, steps).agent("one", "bare", 1).agent("two", "equipped", 1).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            List<Map<String, Object>> requests = engine.requests();
            assertEquals(4, requests.size(), run.log());
            assertEquals(1, ((List<?>) requests.get(1).get("pending")).size(), "the first one is kept");
            assertEquals(java.util.Arrays.asList(null, null, true, true), requests.stream().map(r -> r.get("borrowedNode")).toList());
            assertFalse(requests.get(2).containsKey("folder"), "the other node's folder says nothing");
            assertEquals(List.of("[Last9] WARNING: the stop marker of without (deployment) was not sent: no usable Python. The marker is queued and will be sent with this build's "
                    + "next marker. If none succeeds, it is lost", "[Last9] WARNING: the start marker of s (deployment) was not sent: no usable Python"),
                    LibraryTest.warnings(run).stream().filter(w -> !w.contains("the engine ended with exit code 79")).toList(), "the launcher's line is about the stand-in");
            assertTrue(run.console().contains("body ran"), run.log());
        }
    }

    /** An abort cuts off a stop twice: it is tried once more with the short limit, kept, and named in one line. */
    @Test
    void namesTheMarkerThatTwoAbortsCutOff() {
        ScriptedEngine engine = new ScriptedEngine(folder).then(ScriptedEngine.DELIVERED).then("sleep 60\n").then("sleep 60\n");
        String steps = "try { node { " + block("") + " } } finally { node { last9DeploymentMarker serviceName: 'later' } }";
        try (var run = pipeline(engine, steps).abortAt("sh", 2, 1500).abortAt("sh", 3, 1500).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            List<Map<String, Object>> requests = engine.requests();
            assertEquals(java.util.Arrays.asList(null, null, true, null), requests.stream().map(r -> r.get("afterAbort")).toList(), run.log());
            assertEquals(4.2, ((Number) requests.get(2).get("limitSeconds")).doubleValue());
            assertEquals(requests.get(1).get("timestampMs"), requests.get(2).get("timestampMs"), "the very same marker");
            List<String> named = LibraryTest.warnings(run);
            assertEquals(1, named.size(), run.log());
            assertTrue(named.get(0).contains("the stop marker of s (deployment) was cut off by an abort"), run.log());
            assertEquals(1, ((List<?>) requests.get(3).get("pending")).size(), "the build's next marker takes it along");
        }
    }
}
