package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pipeline.engine.Settings;
import pipeline.run.Pipeline;

/**
 * An abort of a {@code bat} is obeyed as one of an {@code sh} is: run.bat never ends with 0, so the interruption gets through, and its answer is found.
 * cmd and Python are real, under Wine; that Jenkins ends the processes of the folder is read in its source, not recorded on Windows.
 */
@Tag("needs-wine")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class WindowsAbortTest extends LibraryTest {
    /** At the start and at the stop, in the gap before Jenkins' look: no body after the start's, and one stop. */
    @ParameterizedTest(name = "bat {0}")
    @ValueSource(ints = {1, 2})
    void anAbortInTheGap(int bat) throws Exception {
        check(bat, Settings.GAP, "start, stop");
    }

    /** While Last9 hangs: no body, and the stop is named. Wine's processes take their time to end, more than Jenkins' patience on a busy machine. */
    @Tag("endurance")
    @Test
    void anAbortWhileLast9Hangs() throws Exception {
        check(1, 6000, "");
    }

    private static void check(int bat, long moment, String states) throws Exception {
        if (moment > 0) {
            last9.fault("[{\"on\": \"exchange\", \"delay\": 60}]");
        }
        String jenkinsfile = "node('windows') { withLast9Deployment(serviceName: 's') { echo 'body ran' }\necho 'not reached' }";
        Pipeline pipeline = pipeline(jenkinsfile).windowsAgent("w", "windows", AnyPlaceTest.wine()).at("stop", "bat", bat, moment);
        try (var run = pipeline.run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertEquals(bat == 2, run.console().contains("body ran"), run.log());
            assertFalse(run.console().contains("not reached"), run.log());
            List<String> were = last9.received().stream().map(e -> e.get("event_state").toString()).toList();
            assertEquals(states, String.join(", ", were), run.log());
            assertTrue(last9.received().stream().map(e -> attributes(e).get("deployment.id")).distinct().count() <= 1, run.log());
            assertEquals(moment < 0, warnings(run).isEmpty(), run.log());
            assertTrue(warnings(run).stream().allMatch(w -> w.contains("(stop) for s ") || w.contains("the stop marker of s (")), run.log());
        }
    }
}
