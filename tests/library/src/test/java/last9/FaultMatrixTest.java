package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pipeline.run.Pipeline;

/**
 * Every fault at the start, at the stop, throughout a block, and at a single marker, through the real steps to a real server: the build is as it
 * would be without us and no later than the time limits allow, the attempts are counted, what Last9 has in the end is in order, each pending
 * marker is one warning, and no secret is anywhere.
 */
@Execution(ExecutionMode.CONCURRENT)
class FaultMatrixTest {
    /** What becomes of a marker that meets the fault: it is delivered all the same, kept for later, or refused for ever. */
    enum Fate { DELIVERED, KEPT, REFUSED }

    /** Attempts of one marker that meets the fault, fewest and most: where only the time limit ends them, a busy machine makes fewer. */
    private record Attempts(int fewest, int most) {
        static Attempts of(String text) {
            String[] ends = text.split("-");
            return new Attempts(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]));
        }

        Attempts plus(int more) {
            return new Attempts(fewest + more, most + more);
        }

        Attempts twice() {
            return new Attempts(2 * fewest, 2 * most);
        }

        void holdFor(long found, String what, Pipeline.Run run) {
            assertTrue(found >= fewest && found <= most, what + ": " + found + ", not " + fewest + " to " + most + "\n" + run.log());
        }
    }

    private static final String BLOCK = "withLast9Deployment(serviceName: 's', timeoutSeconds: %d) { echo 'body' }";
    private static final String SINGLE = "last9DeploymentMarker serviceName: 's', timeoutSeconds: %d";

    /** The faults that differ in what becomes of the marker. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', value = {
        // fault                        | as ordered | limit | result | exchanges | events | the warning says
        "503 for ever                   | {\"status\": 503}                                                        | 12 | KEPT      | 3-4 | 0   | 503",
        "503 three times                | {\"on\": \"event\", \"times\": 3, \"status\": 503}                       | 15 | DELIVERED | 1   | 4   | -",
        "503 far from over              | {\"status\": 503, \"headers\": {\"Retry-After\": \"60\"}}                | 10 | KEPT      | 1   | 0   | 503",
        "429 that passes                | {\"on\": \"exchange\", \"times\": 1, \"status\": 429}                    | 15 | DELIVERED | 2   | 1   | -",
        "accepts and never answers      | {\"delay\": 30}                                                          |  8 | KEPT      | 1-3 | 0   | time",
        "cut before the answer          | {\"drop\": \"before\"}                                                   | 12 | KEPT      | 3-4 | 0   | closed the connection early",
        "cut in the event's answer      | {\"on\": \"event\", \"drop\": \"body\"}                                  | 15 | DELIVERED | 1   | 1   | -",
        "headers that drip              | {\"on\": \"exchange\", \"drip\": 0.1}                                    |  8 | KEPT      | 1-3 | 0   | time",
        "refresh token not accepted     | {\"on\": \"exchange\", \"status\": 401}                                  | 10 | REFUSED   | 1   | 0   | does not accept the refresh token",
        "access token run out           | {\"on\": \"event\", \"times\": 1, \"status\": 401}                       | 15 | DELIVERED | 2   | 2   | -",
        "scope too low                  | {\"on\": \"event\", \"status\": 403}                                     | 10 | REFUSED   | 1   | 1   | write scope",
        "event refused                  | {\"on\": \"event\", \"status\": 422}                                     | 10 | REFUSED   | 1   | 1   | rejected the event",
        "a page instead of a token      | {\"on\": \"exchange\", \"body\": \"<html>sign in</html>\"}               | 10 | KEPT      | 1   | 0   | HTML",
    })
    void holds(String name, String fault, int limit, Fate fate, String exchanges, String events, String words) {
        everywhere(fault, limit, fate, Attempts.of(exchanges), Attempts.of(events), words);
    }

    /** The others ({@code make endurance}): the engine's own tests have them, too. */
    @Tag("endurance")
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', value = {
        // fault                        | as ordered | limit | result | exchanges | events | the warning says
        "well                           | {\"on\": \"event\", \"times\": 0}                                        | 15 | DELIVERED | 1   | 1   | -",
        "429 for ever                   | {\"on\": \"event\", \"status\": 429}                                     | 12 | KEPT      | 1   | 2-9 | 429",
        "cut before the answer, once    | {\"on\": \"event\", \"times\": 1, \"drop\": \"before\"}                  | 15 | DELIVERED | 1   | 2   | -",
        "cut in the exchange's answer   | {\"on\": \"exchange\", \"times\": 1, \"drop\": \"body\"}                 | 15 | DELIVERED | 2   | 1   | -",
        "no such organization           | {\"on\": \"event\", \"status\": 404}                                     | 10 | REFUSED   | 1   | 1   | know organization 'acme'",
        "redirect                       | {\"status\": 307, \"headers\": {\"Location\": \"http://127.0.0.1:9/\"}}  | 10 | KEPT      | 1   | 0   | redirect",
        "100 MB instead of a token      | {\"on\": \"exchange\", \"size\": 100000000}                              | 10 | KEPT      | 1   | 0   | far too long",
    })
    void holdsAgainstOthers(String name, String fault, int limit, Fate fate, String exchanges, String events, String words) {
        everywhere(fault, limit, fate, Attempts.of(exchanges), Attempts.of(events), words);
    }

    private static void everywhere(String fault, int limit, Fate fate, Attempts e, Attempts v, String words) {
        boolean passes = fault.contains("times");
        int late = fate == Fate.KEPT ? 1 : 0;
        try (FakeLast9 last9 = FakeLast9.start(LibraryTest.CHECKOUT)) {
            // at the start alone: what was kept arrives first, with the stop
            String first = fate == Fate.REFUSED ? "stop" : "start stop";
            Busy.whereTwoSecondsSuffice(() -> check(last9, BLOCK, limit, fault, true, false, first, fate == Fate.DELIVERED ? 0 : 1, e.plus(1), v.plus(1 + late), words));
            // at the stop alone: the start has arrived
            check(last9, BLOCK, limit, fault, false, true, fate == Fate.DELIVERED ? "start stop" : "start", fate == Fate.DELIVERED ? 0 : 1, e.plus(1), v.plus(1), words);
            // throughout the block: the second marker meets it, too, unless it passes; in an outage with one attempt. An answer that asks to wait is
            // not an outage: then the stop's run tries the kept start once more, and says what became of it
            int told = fate == Fate.DELIVERED ? 0 : fault.contains("429") ? 3 : 2;
            Busy.whereTwoSecondsSuffice(() -> check(last9, BLOCK, limit, fault, true, true, fate == Fate.DELIVERED ? "start stop" : "", told,
                    passes || fate == Fate.KEPT ? e.plus(1) : e.twice(), passes ? v.plus(1) : v.twice(), words));
            // at a single marker
            check(last9, SINGLE, limit, fault, true, true, fate == Fate.DELIVERED ? "stop" : "", fate == Fate.DELIVERED ? 0 : 1, e, v, words);
        }
    }

    private static void check(FakeLast9 last9, String step, int limit, String fault, boolean atFirst, boolean fromBodyOn, String received, int warnings,
            Attempts exchanges, Attempts events, String words) {
        last9.reset();
        if (atFirst) {
            last9.fault("[" + fault + "]");
        }
        String jenkinsfile = "@Library('last9') _\nnode { long t = System.currentTimeMillis(); " + step.formatted(limit) + "; echo \"took ${System.currentTimeMillis() - t}\" }";
        Pipeline pipeline = Pipeline.of(jenkinsfile).library(LibraryTest.CHECKOUT).realTime().env("LAST9_API_BASE_URL", last9.url)
                .credential("last9-refresh-token", last9.refreshToken)
                .log(line -> {
                    if (line.equals("body") && atFirst != fromBodyOn) {
                        if (fromBodyOn) {
                            last9.fault("[" + fault + "]");
                        } else {
                            last9.wellAgain();
                        }
                    }
                });
        try (Pipeline.Run run = pipeline.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(received, String.join(" ", last9.received().stream().map(event -> event.get("event_state").toString()).toList()), run.log());
            List<String> times = last9.received().stream().map(event -> event.get("timestamp").toString()).toList();
            assertEquals(times.stream().sorted().toList(), times, run.log());
            if (times.size() == 2) { // a window's two markers have one id
                assertEquals(LibraryTest.attributes(last9.received().get(0)).get("deployment.id"), LibraryTest.attributes(last9.received().get(1)).get("deployment.id"), run.log());
            }
            List<String> told = LibraryTest.warnings(run);
            assertEquals(warnings, told.size(), run.log());
            told.forEach(warning -> assertTrue(warning.contains(words), warning));
            exchanges.holdFor(attempts(last9, "/access_token"), "exchanges", run);
            events.holdFor(attempts(last9, "/change_events"), "events", run);
            int faulty = step.equals(SINGLE) || atFirst != fromBodyOn ? 1 : 2;
            assertInTime(run, faulty * (limit + 1) + 2);
            LibraryTest.assertSilentAbout(last9.refreshToken, run);
            assertEquals(List.of(), run.console().stream().filter(line -> line.contains("access-")).toList());
        }
    }

    private static long attempts(FakeLast9 last9, String path) {
        return last9.paths().stream().filter(asked -> asked.endsWith(path)).count();
    }

    /** Besides the time limits there is what the steps cost: more on a machine that is busy. */
    private static void assertInTime(Pipeline.Run run, int seconds) {
        String took = run.console().stream().filter(line -> line.startsWith("took ")).findFirst().orElseThrow().substring(5);
        assertTrue(Long.parseLong(took) < 1000 * (seconds + 3 + 4 * Busy.load()), "took " + took + " ms\n" + run.log());
    }
}
