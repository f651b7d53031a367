package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import pipeline.run.Pipeline;

/** The shapes table is worth something: each mistake that someone could make in the Groovy half is caught by the rows that are there for it. */
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MutationTest extends OnABench {
    private static final String WINDOW = "src/org/last9/DeploymentWindow.groovy";
    private static final String MANUAL = "src/org/last9/ManualMarker.groovy";
    private static final String OPEN = "src/org/last9/OpenWindows.groovy";
    private static final String SENDER = "src/org/last9/Sender.groovy";
    private static final String CLIENT = "src/org/last9/EngineClient.groovy";
    private static final String LAUNCHER = "src/org/last9/Launcher.groovy";
    private static final String SH = "resources/last9/run.sh";
    private static final String ROUNDS = "last9_markers/runner/rounds.py";
    private static final String OTHERS = "        self._deliver_others([entry for entry in kept if entry is not start])\n";
    private static final String BODY = "Object value = body == null ? nothingToRun() : body instanceof MethodClosure ? body.call() : body.call(deployment)";

    static List<Mutant> gravest() {
        return List.of(
                Mutant.of("the stop is not in a finally").change(WINDOW, "} finally {\n            if (prepareStop()) {", "}\n        if (true) {\n            if (prepareStop()) {")
                        .caughtBy("body-fails"),
                Mutant.of("an abort of the body is swallowed").change(WINDOW, "note(thrown)\n            throw thrown",
                        "note(thrown)\n            if (!(thrown instanceof FlowInterruptedException)) { throw thrown }").caughtBy("timeout-in-body"),
                Mutant.of("all windows share one id").change(WINDOW, "UUID.randomUUID().toString()", "'one'").caughtBy("loop"));
    }

    static List<Mutant> others() {
        return List.of(
                Mutant.of("the stop is sent before the body runs").change(WINDOW, BODY, "ended.ended = 'returned'; prepareStop(); sendStop(); begun = false\n" + BODY).caughtBy("body-fails", "unstable-step"),
                Mutant.of("the body runs twice").change(WINDOW, BODY, BODY + "; body.call()").caughtBy("body-succeeds"),
                Mutant.of("the block's value is lost").change(WINDOW, "return value\n", "return null\n").caughtBy("body-returns-early"),
                Mutant.of("the outcome is taken from the build's result").change(WINDOW, "window: window, body: ended,", "window: window, body: null,")
                        .caughtBy("body-fails", "timeout-in-body"),
                Mutant.of("only exceptions are failures").change(WINDOW, "catch (Throwable thrown)", "catch (Exception thrown)").caughtBy("body-asserts", "body-calls-unknown-step"),
                Mutant.of("a failure is not noted").change(WINDOW, "ended.ended = 'threw'\n", "\n").caughtBy("body-fails"),
                Mutant.of("the result before the body is not noted").change(WINDOW, "ended.resultBefore = BuildFacts.result(script)\n", "\n").caughtBy("result-set-before"),
                Mutant.of("the result after the body is not noted").change(WINDOW, "ended.resultAfter = BuildFacts.result(script)\n", "\n").caughtBy("unstable-step"),
                Mutant.of("a sibling's failure counts").change(WINDOW, "failures.add()\n", "\n").caughtBy("declarative-sibling-in-post"),
                Mutant.of("the stop has the start's time").change(WINDOW, "timestampMs: System.currentTimeMillis(), window: window, body", "timestampMs: window.startedAtMs, window: window, body").caughtBy("body-succeeds"),
                Mutant.of("a refused window gets a stop").change(WINDOW, "begun = answer.accepted //", "//").caughtBy("refused-window"),
                Mutant.of("an abort during the stop is swallowed").change(WINDOW, "sender.retryAfterAbort(stop, abort)\n                    throw abort", "sender.retryAfterAbort(stop, abort)")
                        .caughtBy("abort-during-stop"),
                Mutant.of("an aborted stop is not tried again").change(WINDOW, "sender.retryAfterAbort(stop, abort)\n", "\n").caughtBy("abort-during-stop", "abort-twice"),
                Mutant.of("what a window could not deliver is forgotten").change(WINDOW, "String cutOff = sender.release()\n", "String cutOff = null\n").caughtBy("outage-during-stop"),
                Mutant.of("an aborted manual stop is not tried again").change(MANUAL, "sender.retryAfterAbort(marker, abort)\n", "\n").caughtBy("abort-during-manual-stop"),
                Mutant.of("a stop that is tried again goes out twice").change(SENDER, "ofThisWindow = beforeAbort //", "//").caughtBy("abort-during-stop"),
                Mutant.of("the stop goes where the environment of that time says").change(CLIENT, "List<String> changes = Settings.changes(script, call.environment)", "List<String> changes = []")
                        .caughtBy("settings-change-in-body", "settings-change-before-manual-stop"),
                Mutant.of("an exit code of 0").change(SH, "exit \"$code\"", "[ \"$code\" -eq 78 ] && exit 78; exit 0").change(LAUNCHER, "status == ANSWERED || status", "status == 0 || status")
                        .caughtBy("abort-during-start", "timeout-during-start"),
                Mutant.of("the shell runs in the user's folder").change(LAUNCHER, "script.dir(slot) {", "script.dir(place.folder) {").caughtBy("abort-beside-a-deployment"),
                Mutant.of("kept ones first")
                        .changeEngine(ROUNDS, OTHERS + "        if failure", "        if failure")
                        .changeEngine(ROUNDS, "        failure: DeliveryError | None = None\n", OTHERS + "        failure: DeliveryError | None = None\n")
                        .caughtBy("outage-during-stop"),
                Mutant.of("a person's abort is taken for our own timeout").change(CLIENT, "if (!isOurs(", "if (false && !isOurs(").caughtBy("abort-during-start", "timeout-during-start"),
                Mutant.of("a step that a restart has cut off is not tried again").change(CLIENT, "if (!Launcher.isCutByRestart(failure)) {", "if (true) {")
                        .caughtBy("restart-during-stop"),
                Mutant.of("no node is looked for").change(CLIENT, "if (script.env.WORKSPACE && !(", "if (!(").caughtBy("outside-node", "post-of-agent-none"),
                Mutant.of("all manual windows share one id").change(OPEN, "UUID.randomUUID().toString()", "'one'").caughtBy("manual-window"),
                Mutant.of("a stop closes the oldest window").change(OPEN, "for (int i = words.size() - 1; i >= 0; i--)", "for (int i = 0; i < words.size(); i++)")
                        .caughtBy("manual-window"),
                Mutant.of("a window can be closed twice").change(OPEN, "words.remove(i)\n", "\n").caughtBy("manual-window"),
                Mutant.of("any window is closed").change(OPEN, "words[i].endsWith(suffix)", "true").caughtBy("manual-two-environments"),
                Mutant.of("open windows are known to their own var alone").change(OPEN, "BuildVariables.write(script, WINDOWS, words.join(' '))", "words.size()")
                        .caughtBy("wrapper-library", "manual-window"),
                Mutant.of("a call that the sandbox refuses").change("vars/withLast9Deployment.groovy", "Object call(Object... args) {\n",
                        "Object call(Object... args) {\n    System.getenv('HOME')\n").caughtInSandboxBy("body-succeeds"));
    }

    /** A bundle that was taken apart and put together again works: what catches a mistake in the engine is the mistake. */
    @Tag("endurance")
    @Test
    void aRebuiltEngineIsNoMistake(@TempDir Path library) {
        assertEquals(List.of("outage-during-stop"), Mutant.of("none").changeEngine(ROUNDS, OTHERS, OTHERS).caughtBy("outage-during-stop").survivors(library, bench));
    }

    static List<Mutant> ofTheGap() {
        return List.of(
                Mutant.of("what was answered before an abort is sent again").change(SENDER, "if (settled) {", "if (false) {"),
                Mutant.of("the answer of an interrupted run is not looked for").change(LAUNCHER, "lookOnceMore(id, agent)\n", "\n"));
    }

    /** An abort that no row can order, since no real Jenkins would keep to it: between the end of the stop's shell and Jenkins' look. */
    @Tag("endurance")
    @ParameterizedTest(name = "{0}")
    @MethodSource("ofTheGap")
    void catchesASecondStop(Mutant mutant, @TempDir Path library) {
        assertEquals(List.of("start", "stop"), abortedInTheGap(LibraryTest.CHECKOUT));
        assertEquals(List.of("start", "stop", "stop"), abortedInTheGap(mutant.write(library)));
    }

    private static List<Object> abortedInTheGap(Path library) {
        bench.last9.reset();
        Pipeline p = Pipeline.of("@Library('last9') _\nnode { withLast9Deployment(serviceName: 'api') { echo 'body' } }").library(library)
                .env("LAST9_API_BASE_URL", bench.last9.url).credential("last9-refresh-token", bench.last9.refreshToken).abortInGap("sh", 2);
        p.settings().home = bench.home.toString();
        try (Pipeline.Run run = p.run()) {
            return bench.last9.received().stream().map(event -> event.get("event_state")).toList();
        }
    }

    /** The three that would break the library's first promise. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("gravest")
    void catchesTheGravest(Mutant mutant, @TempDir Path library) {
        assertEquals(List.of(), mutant.survivors(library, bench), "rows that do not notice");
    }

    /** All the others, each by every row that is named for it ({@code make endurance}). */
    @Tag("endurance")
    @ParameterizedTest(name = "{0}")
    @MethodSource("others")
    void catches(Mutant mutant, @TempDir Path library) {
        assertEquals(List.of(), mutant.survivors(library, bench), "rows that do not notice");
    }
}
