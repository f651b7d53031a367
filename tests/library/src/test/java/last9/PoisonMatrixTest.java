package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import pipeline.run.Pipeline;

/** Each marker for itself: one service whose events Last9 does not take costs no other marker anything, neither its delivery nor its time nor a warning. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PoisonMatrixTest extends LibraryTest {
    private static final List<String> POISONS = List.of("400", "401", "403", "404", "413", "429", "500", "503", "hang", "drop");
    private static final Map<String, String> SHAPES = Map.of(
            "block", "withLast9Deployment(serviceName: 'bad', timeoutSeconds: 3) { echo 'body of bad' }\nwithLast9Deployment(serviceName: 'good', failOnError: true) { echo 'body of good' }",
            "manual", "last9DeploymentMarker serviceName: 'bad', eventState: 'start', timeoutSeconds: 3\nlast9DeploymentMarker serviceName: 'good', eventState: 'start', failOnError: true\n"
                    + "echo 'body of bad'\necho 'body of good'\nlast9DeploymentMarker serviceName: 'bad', timeoutSeconds: 3\nlast9DeploymentMarker serviceName: 'good', failOnError: true",
            "parallel", "parallel a: { withLast9Deployment(serviceName: 'bad', timeoutSeconds: 3) { echo 'body of bad' } },\n"
                    + "b: { withLast9Deployment(serviceName: 'good', failOnError: true) { echo 'body of good' } }");

    static Stream<Arguments> all() {
        return POISONS.stream().flatMap(poison -> SHAPES.keySet().stream().sorted().map(shape -> Arguments.of(poison, shape)));
    }

    /** Two plain refusals, one of the scope, an outage, a cut connection; each shape at least once. */
    static Stream<Arguments> sample() {
        List<String> shapes = SHAPES.keySet().stream().sorted().toList();
        return Stream.of(0, 2, 4, 7, 9).map(i -> Arguments.of(POISONS.get(i), shapes.get(i % shapes.size())));
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("sample")
    void costsNoOtherMarkerAnything(String poison, String shape) {
        check(poison, shape);
    }

    /** All of them ({@code make endurance}). */
    @Tag("endurance")
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("all")
    void costsNoOtherMarkerAnythingInAnyShape(String poison, String shape) {
        check(poison, shape);
    }

    private static void check(String poison, String shape) {
        Busy.whereTwoSecondsSuffice(() -> {
            last9.reset();
            checkOnce(poison, shape);
        });
    }

    private static void checkOnce(String poison, String shape) {
        try (PoisonProxy proxy = new PoisonProxy(last9, "bad", poison);
                var run = pipeline("node {\n" + SHAPES.get(shape) + "\nlast9DeploymentMarker serviceName: 'last', failOnError: true\n}").env("LAST9_API_BASE_URL", proxy.url).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().containsAll(List.of("body of bad", "body of good")), run.log());
            assertEquals(new TreeSet<>(List.of("start good", "stop good", "stop last")), new TreeSet<>(List.of(markers().split(", "))), run.log());
            for (Map<String, Object> event : last9.received()) {
                assertFalse(attributes(event).containsValue("bad"));
            }
            assertFalse(warnings(run).isEmpty(), run.log());
            assertEquals(List.of(), warnings(run).stream().filter(w -> !w.contains("bad")).toList(), "a warning names the marker that it is about:\n" + run.log());
        }
    }
}
