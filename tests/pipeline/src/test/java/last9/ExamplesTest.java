package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pipeline.run.Pipeline;

/** The documented Jenkinsfiles: exactly the documented markers, in order, and the build's own result. */
class ExamplesTest extends LibraryTest {

    /** Each example gives the markers that the README promises, with its window's id, and no warning. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "01-declarative-window | SUCCESS | start payments-api production 1, stop payments-api production 1 success",
        "02-failing-window     | FAILURE | start payments-api production 1, stop payments-api production 1 failure",
        "03-manual-start-stop  | SUCCESS | start payments-api production 1, stop payments-api production 1 success",
        "04-marker-in-post     | SUCCESS | stop payments-api production - success",
        "07-report             | SUCCESS | start payments-api production 1, stop payments-api production 1 success",
        "06-test-connection    | SUCCESS | stop last9-connection-test null -",
    })
    void sendsTheDocumentedMarkers(String example, String result, String expected) throws IOException {
        try (var run = run(example)) {
            assertEquals(result, run.result(), run.log());
            assertEquals(expected, String.join(", ", told()), run.log());
            assertEquals(List.of(), warnings(run));
            assertSilentAbout(last9.refreshToken, run);
        }
    }

    /** Two services in parallel are two windows: their branches' order is free, their starts, stops and ids are not. */
    @Test
    void keepsParallelServicesApart() throws IOException {
        try (var run = run("05-parallel-services")) {
            assertEquals("SUCCESS", run.result(), run.log());
            for (String service : List.of("api", "worker")) {
                assertEquals(List.of("start " + service + " production", "stop " + service + " production success"),
                        told().stream().map(t -> t.replaceAll(" \\d+", "")).filter(t -> t.contains(service)).toList(), run.log());
            }
            assertEquals(4, last9.received().size());
            assertEquals(2, last9.received().stream().map(e -> attributes(e).get("deployment.id")).distinct().count());
            assertEquals(List.of(), warnings(run));
        }
    }

    /** Every example is held to its markers here: a new one needs a row of its own. */
    @Test
    void knowsEveryExample() throws IOException {
        try (Stream<Path> files = Files.list(CHECKOUT.resolve("examples"))) {
            assertEquals(7, files.filter(f -> f.toString().endsWith(".Jenkinsfile")).count());
        }
    }

    private static Pipeline.Run run(String example) throws IOException {
        return Pipeline.of(Files.readString(CHECKOUT.resolve("examples/" + example + ".Jenkinsfile")))
                .library(CHECKOUT).realTime()
                .env("LAST9_API_BASE_URL", last9.url)
                .credential("last9-refresh-token", last9.refreshToken)
                .run();
    }

    /** State, service, environment, the how-many-th window id (or -), outcome. */
    private static List<String> told() {
        List<Object> ids = new java.util.ArrayList<>();
        return last9.received().stream().map(e -> {
            var a = attributes(e);
            Object id = a.get("deployment.id");
            if (id != null && !ids.contains(id)) {
                ids.add(id);
            }
            String outcome = a.containsKey("deployment.outcome") ? " " + a.get("deployment.outcome") : "";
            return e.get("event_state") + " " + a.get("service_name") + " " + a.get("deployment_environment") + " "
                    + (id == null ? "-" : ids.indexOf(id) + 1) + outcome;
        }).toList();
    }
}
