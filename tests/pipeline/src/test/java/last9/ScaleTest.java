package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What many windows in one build cost ({@code make endurance}): every count grows in proportion. */
@Tag("endurance")
class ScaleTest extends LibraryTest {

    /** One window after the other: the tenth adds as many steps and lines as the second. */
    @Test
    void windowsInSequenceCostTheSameEach() {
        int[] steps = new int[3];
        int[] lines = new int[3];
        for (int i = 0; i < 3; i++) {
            try (var run = pipeline("node { for (int i = 0; i < " + 5 * (i + 1) + "; i++) { withLast9Deployment(serviceName: 'payments-api') { } } }").run()) {
                assertEquals("SUCCESS", run.result(), run.log());
                steps[i] = run.flowNodes();
                lines[i] = run.console().size();
            }
        }
        assertEquals(steps[1] - steps[0], steps[2] - steps[1]);
        assertEquals(lines[1] - lines[0], lines[2] - lines[1]);
    }
}
