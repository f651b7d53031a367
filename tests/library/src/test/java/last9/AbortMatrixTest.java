package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import pipeline.engine.Settings;
import pipeline.run.Pipeline;

/**
 * An abort is obeyed, at every moment and from every source: nothing of the build runs after it, the stop is there wherever its start may have been, once
 * if it had arrived, the build has the result that it would have without the library, and it ends within 7 s.
 */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AbortMatrixTest extends OnABench {
    /** Milliseconds after a step's beginning, and the gap between a script's end and Jenkins' look. */
    private static final List<Long> MOMENTS = List.of(1L, 40L, 120L, 240L, Settings.GAP);
    /** A marker of ours has ended by then, if Last9 answers at once. */
    private static final List<Long> LATER = List.of(400L, 900L);
    /** The engine is starting, and waits for an answer. */
    private static final List<Long> WHILE_IT_HANGS = List.of(120L, 900L);
    /** From the abort to the end of the build; and how much more a busy machine may take to start processes. */
    private static final long LONGEST_END_MILLIS = 7000;
    private static final long SLACK_MILLIS = 1000;
    private static final String HANGS = "[{\"on\": \"exchange\", \"delay\": 60}]";
    private static final String SLOW = "[{\"on\": \"exchange\", \"delay\": 1.5}]";
    private static final String HANGS_ONCE = "[{\"on\": \"exchange\", \"delay\": 60, \"times\": 1}]";

    private enum Shape {
        BLOCK("withLast9Deployment(serviceName: 'api') { echo 'body begins'; sh 'sleep 3'; echo 'body ends' }", 3),
        MANUAL("last9DeploymentMarker serviceName: 'api', eventState: 'start'\necho 'body begins'\nlast9DeploymentMarker serviceName: 'api'", 2),
        CONNECTION_TEST("last9TestConnection()", 1),
        REPORT("last9DeploymentReport()", 1);

        final String steps;
        final int shells;

        boolean isBody(int shell) {
            return this == BLOCK && shell == 2;
        }

        Shape(String steps, int shells) {
            this.steps = steps;
            this.shells = shells;
        }
    }

    private enum By { PERSON, TIMEOUT, FAIL_FAST }

    private enum Server {
        HEALTHY, SLOW, HANGING, HANGING_ONCE;

        List<Long> moments(Shape shape, int shell) {
            if (shape.isBody(shell)) { // a `sh` of the user's that has ended with 0 loses an abort before Jenkins' look, with us and without us [460]
                return this == HEALTHY ? Stream.concat(MOMENTS.stream().filter(m -> m != Settings.GAP), LATER.stream()).toList() : List.of();
            }
            if (shape == Shape.REPORT) { // it asks no server
                return this == HEALTHY ? MOMENTS : List.of();
            }
            return switch (this) {
                case HEALTHY -> MOMENTS;
                case SLOW -> LATER;
                default -> WHILE_IT_HANGS;
            };
        }
    }

    static Stream<Arguments> all() {
        List<Arguments> all = new ArrayList<>();
        for (Shape shape : Shape.values()) {
            for (By by : By.values()) {
                for (Server server : Server.values()) {
                    for (int shell = 1; shell <= shape.shells; shell++) {
                        for (long moment : server.moments(shape, shell)) {
                            all.add(Arguments.of(shape, by, server, shell, moment));
                        }
                    }
                }
            }
        }
        return all.stream();
    }

    /** Every pair of two of the five is in it at least once, as far as it makes sense: the same eight for each run, so that a failure comes again. */
    static Stream<Arguments> sample() {
        return Stream.of(
                Arguments.of(Shape.BLOCK, By.PERSON, Server.HEALTHY, 1, Settings.GAP),
                Arguments.of(Shape.BLOCK, By.TIMEOUT, Server.HANGING_ONCE, 1, 900L),
                Arguments.of(Shape.BLOCK, By.FAIL_FAST, Server.HEALTHY, 3, Settings.GAP),
                Arguments.of(Shape.BLOCK, By.PERSON, Server.HEALTHY, 2, 400L),
                Arguments.of(Shape.MANUAL, By.TIMEOUT, Server.HEALTHY, 1, Settings.GAP),
                Arguments.of(Shape.MANUAL, By.FAIL_FAST, Server.HEALTHY, 2, 40L),
                Arguments.of(Shape.CONNECTION_TEST, By.PERSON, Server.HANGING_ONCE, 1, 900L),
                Arguments.of(Shape.REPORT, By.FAIL_FAST, Server.HEALTHY, 1, Settings.GAP));
    }

    /** The sample of {@code make test}. */
    @ParameterizedTest(name = "{0} by {1}, {2}, shell {3} at {4}")
    @MethodSource("sample")
    void obeysAnAbort(Shape shape, By by, Server server, int shell, long moment) {
        check(shape, by, server, shell, moment);
    }

    /** All of them ({@code make endurance}). */
    @Tag("endurance")
    @ParameterizedTest(name = "{0} by {1}, {2}, shell {3} at {4}")
    @MethodSource("all")
    void obeysEveryAbort(Shape shape, By by, Server server, int shell, long moment) {
        check(shape, by, server, shell, moment);
    }

    private static void check(Shape shape, By by, Server server, int shell, long moment) {
        bench.last9.reset();
        String once = switch (server) {
            case HEALTHY -> "[]";
            case SLOW -> SLOW;
            case HANGING -> HANGS;
            case HANGING_ONCE -> HANGS_ONCE;
        };
        boolean onlyLater = server == Server.HANGING_ONCE && shell > 1; // not the start, but the marker that the abort strikes
        if (!onlyLater) {
            bench.last9.fault(once);
        }
        String steps = shape.steps + "\necho 'after the marker'\n";
        String around = switch (by) {
            case PERSON -> "node {\n" + steps + "}";
            case TIMEOUT -> "node { timeout(10) {\n" + steps + "} }";
            case FAIL_FAST -> "node { parallel failFast: true, other: { sleep 600 }, ours: {\n" + steps + "} }";
        };
        Pipeline p = Pipeline.of("@Library('last9') _\n" + around).library(LibraryTest.CHECKOUT).env("LAST9_API_BASE_URL", bench.last9.url)
                .credential("last9-refresh-token", bench.last9.refreshToken);
        p.settings().home = bench.home.toString();
        p.log(line -> {
            if (onlyLater && line.equals("body begins")) {
                bench.last9.fault(once);
            }
        });
        switch (by) {
            case PERSON -> p.at("stop", "sh", shell, moment);
            case TIMEOUT -> p.timeoutAt("sh", shell, moment);
            default -> p.siblingFailsAt("other", "sh", shell, moment);
        }
        try (Pipeline.Run run = p.run()) {
            boolean missed = run.console().contains("after the marker");
            List<Map<String, Object>> received = bench.last9.received();
            List<String> states = received.stream().map(e -> e.get("event_state").toString()).distinct().toList();
            assertFalse(missed, "the steps after the marker ran:\n" + run.log());
            assertEquals(by == By.FAIL_FAST ? "FAILURE" : "ABORTED", run.result(), run.log());
            if (shell == 1 && shape != Shape.REPORT) {
                assertFalse(run.console().contains("body begins"), "the body ran after an abort of the start:\n" + run.log());
            }
            // an engine that was struck before it had asked Last9 leaves the one hang to the second try
            boolean hangIsSecond = onlyLater && bench.last9.paths().stream().filter(path -> path.endsWith("/access_token")).count() == 2;
            if (shape == Shape.BLOCK && states.contains("start") && server != Server.HANGING && !hangIsSecond) {
                assertTrue(states.contains("stop"), "no stop:\n" + run.log());
            }
            if (shape == Shape.BLOCK && (server == Server.HANGING || hangIsSecond)) {
                assertTrue(states.contains("stop") || LibraryTest.warnings(run).stream().anyMatch(w -> w.contains("api")), "nothing names the stop:\n" + run.log());
            }
            long took = run.state().endedAt - run.state().happenedAt;
            assertTrue(run.state().happenedAt > 0 && took <= LONGEST_END_MILLIS + SLACK_MILLIS * Busy.load(), "it ended " + took + " ms after the abort:\n" + run.log());
            if (server == Server.HEALTHY && moment == Settings.GAP) {
                assertEquals(states.size(), received.size(), "what had arrived was sent again:\n" + run.log());
            }
            assertEquals(states.size(), received.stream().map(e -> e.get("event_state") + " " + e.get("timestamp")).distinct().count(),
                    "each marker has one time, however often it arrives:\n" + run.log());
        }
    }
}
