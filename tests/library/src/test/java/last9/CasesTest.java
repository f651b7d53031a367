package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import pipeline.run.Pipeline;

/** Pipelines as people report them about tools like this one, each a file under {@code src/test/resources/cases/}: what failed once gives what it should. */
class CasesTest extends LibraryTest {
    private static Pipeline file(String name) throws IOException {
        return Pipeline.of(Files.readString(Path.of("src/test/resources/cases/" + name + ".Jenkinsfile"))).library(CHECKOUT).realTime()
                .env("LAST9_API_BASE_URL", last9.url).credential("last9-refresh-token", last9.refreshToken);
    }

    /** An array is a list everywhere; a list instead of one text is a warning, and no marker of a service called {@code [a, b]}. */
    @Test
    void arraysAsOptions() throws IOException {
        try (var run = file("arrays-as-options").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start payments-api, stop payments-api", markers(), run.log());
            Map<String, Object> start = attributes(last9.received().get(0));
            assertEquals("[\"eu-west-1\",\"us-east-1\"]", start.get("regions"), start.toString());
            assertEquals("payments", start.get("env_team"), start.toString());
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("serviceName"), run.log());
        }
    }

    /** A token that was stored as a username with password: the message says which kind it must be, the body runs, and the test of the connection goes on. */
    @Test
    void credentialOfOtherKind() throws IOException {
        Pipeline p = file("credential-of-other-kind").credential("last9-refresh-token", Map.of("username", "last9", "password", last9.refreshToken));
        try (var run = p.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("deploying"), run.log());
            assertEquals("", markers());
            assertEquals(2, warnings(run).stream().filter(w -> w.contains("Secret text")).count(), run.log());
            assertTrue(run.console().stream().anyMatch(l -> l.startsWith("[Last9] failed") && l.contains("Secret text")), run.log());
            assertTrue(run.console().stream().anyMatch(l -> l.startsWith("[Last9] ok") && l.contains("connection")), run.log());
            assertSilentAbout(last9.refreshToken, run);
        }
    }

    /** What an interpreter's wrapper prints without ending the line changes nothing: each marker arrives once, and nothing is reported lost. */
    @Test
    void interpreterPrintsWithoutNewline() throws IOException {
        try (var run = file("interpreter-prints-without-newline").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start payments-api, stop payments-api", markers(), run.log());
            assertEquals(List.of(), warnings(run).stream().filter(w -> !w.contains("LAST9_PYTHON")).toList(), run.log());
        }
    }

    /** JSON's null is none of a text: it is not sent, and where it stands in place of an option a warning names that. */
    @Test
    void jsonNull() throws IOException {
        try (var run = file("json-null").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("deploying"), run.log());
            assertFalse(last9.received().stream().anyMatch(e -> attributes(e).containsValue("null")), last9.received().toString());
            assertTrue(warnings(run).stream().anyMatch(w -> w.contains("environment")), run.log());
        }
    }

    /** A variable that is not set becomes the text null in a GString: no marker for a service of that name, but a warning with the likely cause. */
    @Test
    void nullTexts() throws IOException {
        try (var run = file("null-texts").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("deploying"), run.log());
            assertEquals("", markers());
            assertTrue(warnings(run).stream().anyMatch(w -> w.contains("serviceName")), run.log());
        }
    }

    /** A variable called WORKSPACE that is the pipeline's own changes nothing. */
    @Test
    void workspaceVariable() throws IOException {
        try (var run = file("workspace-variable").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start payments-api, stop payments-api", markers(), run.log());
            assertEquals(List.of(), warnings(run), run.log());
        }
    }
}
