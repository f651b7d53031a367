package last9;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import pipeline.run.Pipeline;

/**
 * Wherever the user's own steps run, markers run: no way to send one asks more of an agent than a plain {@code sh} step does. If nothing can be sent, one
 * warning for each marker says what to do. On any agent, the deployment runs once, and nothing stays behind but what the documentation says.
 */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AgentMatrixTest extends LibraryTest {
    private enum Way {
        BLOCK("a block", "withLast9Deployment(serviceName: 's') { sh 'echo deployed' }"),
        PAIR("a manual pair", "last9DeploymentMarker serviceName: 's', eventState: 'start'\nsh 'echo deployed'\nlast9DeploymentMarker serviceName: 's'"),
        TEST("the connection test", "def test = last9TestConnection()\necho \"test ok=${test.ok}\"\nsh 'echo deployed'"),
        WINDOW("window", "withCredentials([string(credentialsId: 'last9-refresh-token', variable: 'LAST9_REFRESH_TOKEN')]) {\n"
                + "sh '\"$LAST9_TOOLS/last9-markers\" window --service-name s -- sh -c \"echo deployed\"' }");

        private final String what;
        private final String steps;

        Way(String what, String steps) {
            this.what = what;
            this.steps = steps;
        }

        @Override
        public String toString() {
            return what;
        }
    }

    private enum Outcome {
        SENT("all is sent, without a warning"),
        BY_CURL("all is sent by curl, which one line a marker says, without a warning"),
        ELSEWHERE("all is sent from a node of the label, which one line says, after one warning for the build"),
        TOLD("nothing is sent, and each marker is one warning with the remedy"),
        ALONE("the command runs alone, after one warning with the remedy");

        private final String what;

        Outcome(String what) {
            this.what = what;
        }

        @Override
        public String toString() {
            return what;
        }
    }

    /** What comes of a marker of the Pipeline on an agent without a Python that serves, and no label. */
    private static final Outcome WITHOUT_PYTHON = Outcome.BY_CURL;
    /** The same of the command line. */
    private static final Outcome WITHOUT_PYTHON_ON_THE_COMMAND_LINE = Outcome.ALONE;

    /** The matrix: on each agent, what comes of a block, a manual pair, the connection test and {@code window}. */
    private static final Map<OddAgent, List<Outcome>> TABLE = new EnumMap<>(Map.ofEntries(
            Map.entry(OddAgent.NOEXEC, List.of(Outcome.SENT, Outcome.SENT, Outcome.SENT, Outcome.SENT)),
            Map.entry(OddAgent.NO_PYTHON, List.of(WITHOUT_PYTHON, WITHOUT_PYTHON, Outcome.TOLD, WITHOUT_PYTHON_ON_THE_COMMAND_LINE)),
            Map.entry(OddAgent.NO_PYTHON_AND_A_LABEL, List.of(Outcome.ELSEWHERE, Outcome.ELSEWHERE, Outcome.ELSEWHERE, WITHOUT_PYTHON_ON_THE_COMMAND_LINE)),
            Map.entry(OddAgent.MINIMAL_PYTHON, List.of(WITHOUT_PYTHON, WITHOUT_PYTHON, Outcome.TOLD, WITHOUT_PYTHON_ON_THE_COMMAND_LINE)),
            Map.entry(OddAgent.MINIMAL_PYTHON_AND_A_LABEL, List.of(Outcome.ELSEWHERE, Outcome.ELSEWHERE, Outcome.ELSEWHERE, WITHOUT_PYTHON_ON_THE_COMMAND_LINE)),
            Map.entry(OddAgent.ROOT_AND_A_USER, List.of(Outcome.SENT, Outcome.SENT, Outcome.SENT, Outcome.SENT)),
            Map.entry(OddAgent.READ_ONLY_HOME, List.of(Outcome.SENT, Outcome.SENT, Outcome.SENT, Outcome.SENT)),
            Map.entry(OddAgent.DEAD_ADDRESS, List.of(Outcome.SENT, Outcome.SENT, Outcome.SENT, Outcome.SENT)),
            Map.entry(OddAgent.PROXY, List.of(Outcome.SENT, Outcome.SENT, Outcome.SENT, Outcome.SENT)),
            Map.entry(OddAgent.EXEMPTED, List.of(Outcome.SENT, Outcome.SENT, Outcome.SENT, Outcome.SENT)),
            Map.entry(OddAgent.DEAD_PROXY, List.of(Outcome.TOLD, Outcome.TOLD, Outcome.TOLD, Outcome.TOLD))));

    /** What the command line says of the start besides, once the stop has failed, too. */
    private static final String BESIDES = "the start of this window was also lost";

    /** By which means each agent was made: the run's end says so, because it is not everywhere the real thing. */
    private static final Map<OddAgent, String> MADE_BY = new EnumMap<>(OddAgent.class);
    /** Users' own files, in all places where ours lie. */
    private static final String DECOYS = "sh 'umask 022; mkdir -p \"$WORKSPACE_TMP/last9/run-0-0\"; for f in \"$WORKSPACE\" \"$WORKSPACE_TMP\" \"$WORKSPACE_TMP/last9\" "
            + "\"$WORKSPACE_TMP/last9/run-0-0\"; do echo mine > \"$f/notes.txt\"; done'";
    private static final int DECOY_COUNT = 4;
    /** What docs/performance.md says that stays on an agent. */
    private static final String OURS =
            "jenkins/agents/[a-z]+/workspace/.*@tmp/last9/(last9-markers-[0-9a-f]{64}\\.pyz|code-[0-9a-f]{64}\\.bin|run-0-0/answer-[0-9a-f-]{36}\\.json)";
    /** Of bundles and code files on a node; more would go on growing. */
    private static final int MOST_KEPT = 3;
    private static final String MINE = "jenkins/agents/[a-z]+/workspace/.*notes\\.txt";

    static Stream<Arguments> all() {
        return Stream.of(Way.values()).flatMap(way -> TABLE.keySet().stream().map(agent -> cell(agent, way)));
    }

    /** Each agent once and each way several times: the same for each run, so that a failure comes again. */
    static Stream<Arguments> sample() {
        return TABLE.keySet().stream().map(agent -> cell(agent, Way.values()[agent.ordinal() % Way.values().length]));
    }

    private static Arguments cell(OddAgent agent, Way way) {
        return Arguments.of(agent, way, TABLE.get(agent).get(way.ordinal()));
    }

    @AfterAll
    static void sayHowTheAgentsWereMade() {
        MADE_BY.forEach((agent, means) -> System.out.println("AgentMatrixTest: " + agent + ": by " + means));
    }

    /** The sample of {@code make test}. */
    @ParameterizedTest(name = "{0}, {1}: {2}")
    @MethodSource("sample")
    void needsNoMoreThanAShellStep(OddAgent agent, Way way, Outcome expected) {
        assertAll(agent + ", " + way + ": " + expected, () -> check(agent, way, expected));
    }

    /** All of them. */
    @Tag("endurance")
    @ParameterizedTest(name = "{0}, {1}: {2}")
    @MethodSource("all")
    void neverNeedsMoreThanAShellStep(OddAgent agent, Way way, Outcome expected) {
        assertAll(agent + ", " + way + ": " + expected, () -> check(agent, way, expected));
    }

    private static void check(OddAgent agent, Way way, Outcome expected) throws IOException {
        try (AgentPlace place = new AgentPlace(last9)) {
            place.last9.reset();
            MADE_BY.put(agent, agent.setUp(place));
            place.environment.put("LAST9_TOOLS", place.folder.resolve("last9").toString());
            place.proof += "\n" + DECOYS;
            try (Pipeline.Run run = place.pipeline(way.steps).run()) {
                int turns = place.turns.size();
                assertEquals("SUCCESS", run.result(), run.log());
                assertEquals(turns, run.console().stream().filter("deployed"::equals).count(), "how often the deployment ran:\n" + run.log());
                assertReceived(way, expected == Outcome.TOLD || expected == Outcome.ALONE ? 0 : turns, place.last9, run);
                assertLog(agent, way, expected, turns, run);
                assertLeft(place, run);
                assertSilentAbout(place.last9.refreshToken, run);
                assertFalse(run.log().matches("(?s).*(Traceback|tunnel.*secret|damaged).*"), run.log());
                place.afterwards.run();
            }
        }
    }

    /** Whole windows, each with one id, in their order; of the connection test nothing. */
    private static void assertReceived(Way way, int windows, FakeLast9 last9, Pipeline.Run run) {
        List<String> states = new ArrayList<>();
        List<Object> ids = new ArrayList<>();
        last9.received().forEach(event -> {
            states.add(event.get("event_state").toString());
            ids.add(attributes(event).get("deployment.id"));
        });
        assertEquals(String.join(" ", Collections.nCopies(way == Way.TEST ? 0 : windows, "start stop")), String.join(" ", states), run.log());
        assertEquals(states.size() / 2, ids.stream().distinct().count(), "ids of windows:\n" + run.log());
    }

    private static void assertLog(OddAgent agent, Way way, Outcome expected, int turns, Pipeline.Run run) {
        List<String> warnings = warnings(run);
        if (way == Way.TEST) {
            List<String> failed = run.console().stream().filter(line -> line.startsWith("[Last9] failed")).toList();
            assertEquals(turns, run.console().stream().filter(("test ok=" + (expected != Outcome.TOLD))::equals).count(), run.log());
            warnings = expected == Outcome.TOLD ? failed : warnings;
        }
        long byCurl = run.console().stream().filter(line -> line.startsWith("[Last9] Sent by curl")).count();
        assertEquals(expected == Outcome.BY_CURL ? 2 * turns : 0, byCurl, run.log());
        String moved = "[Last9] Sending from a node with the label 'equipped' instead, for the rest of this build";
        assertEquals(expected == Outcome.ELSEWHERE ? 1 : 0, run.console().stream().filter(moved::equals).count(), run.log());
        switch (expected) {
            case SENT, BY_CURL -> assertEquals(List.of(), warnings, run.log());
            case ELSEWHERE -> assertEquals(1, warnings.size(), run.log());
            case ALONE -> assertEquals(turns, warnings.size(), run.log());
            default -> assertEquals(way == Way.TEST ? turns : 2 * turns, warnings.stream().filter(w -> !w.contains(BESIDES)).count(), run.log());
        }
        warnings.forEach(warning -> assertTrue(warning.contains(BESIDES) || warning.matches(".*(" + agent.remedy + ").*"), warning));
    }

    private static void assertLeft(AgentPlace place, Pipeline.Run run) throws IOException {
        List<String> left = place.left();
        assertEquals(List.of(), left.stream().filter(f -> !f.matches(OURS) && !f.matches(MINE)).toList(), "left behind:\n" + run.log());
        for (String several : List.of(".*\\.pyz", ".*\\.bin")) {
            assertTrue(left.stream().filter(f -> f.startsWith("jenkins/agents/bare") && f.matches(several)).count() <= MOST_KEPT, left.toString());
        }
        List<String> mine = left.stream().filter(f -> f.matches(MINE)).toList();
        assertEquals(DECOY_COUNT, mine.size(), mine + "\n" + run.log());
        for (String file : mine) {
            assertEquals("mine\n", Files.readString(place.folder.resolve(file)), file);
        }
    }
}
