package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pipeline.run.Pipeline;

/** Last9 never fails a deployment: every problem is a warning with its remedy, and the body runs. */
class NeverFailsTest extends LibraryTest {
    private static final String WINDOW = "node { withLast9Deployment(serviceName: 's') { echo 'body ran' } }";

    private static void assertHarmless(Pipeline.Run run, String remedy) {
        assertEquals("SUCCESS", run.result(), run.log());
        assertTrue(run.console().contains("body ran"), run.log());
        assertTrue(warnings(run).stream().anyMatch(w -> w.contains(remedy)), run.log());
        assertTrue(!run.log().contains("sent successfully"), run.log());
        assertSilentAbout(last9.refreshToken, run);
    }

    /** With Last9 out of reach the log names the host to look at, once for each marker. */
    @Test
    void whenLast9IsDown() {
        try (var run = pipeline(WINDOW).env("LAST9_API_BASE_URL", "http://127.0.0.1:9").run()) {
            assertHarmless(run, "127.0.0.1 refused the connection. Check apiBaseUrl");
            assertEquals(2, warnings(run).size(), run.log());
        }
    }

    /** A credential that is not there is named with its id, once for each marker. */
    @Test
    void whenTheCredentialIsMissing() {
        try (var run = pipeline("node { withLast9Deployment(serviceName: 's', credentialId: 'nope') { echo 'body ran' } }").run()) {
            assertHarmless(run, "credentialId");
            assertEquals(2, warnings(run).size(), run.log());
            assertEquals(List.of(), last9.received());
        }
    }

    /** A person who starts the build may choose a name with any characters: the warning is one line, and no line of ours is forged. */
    @Test
    void isToldInOneLine() {
        String forged = "nope\r\n[Last9] Deployment marker sent successfully\u001b[2K";
        try (var run = pipeline("node { last9DeploymentMarker serviceName: 's', credentialIdParam: 'CREDENTIAL' }").param("CREDENTIAL", forged).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("there is no credential 'nope [Last9] Deployment marker sent successfully [2K' that this job may use. Add"), run.log());
            assertEquals(List.of(), run.console().stream().filter(line -> line.startsWith("[Last9] Deployment")).toList());
        }
    }

    /** On an agent without Python and curl, the log says what was tried and what to install, once for each marker. */
    @Test
    void whenThereIsNoPython() throws Exception {
        Path bin = toolsButPython();
        Files.delete(bin.resolve("curl"));
        try (var run = pipeline(WINDOW).agentEnv("PATH", bin.toString()).run()) {
            assertHarmless(run, "LAST9_PYTHON");
            assertEquals(2, warnings(run).size(), run.log());
        }
    }

    /** A window that the engine refuses is one warning, no marker at all, and the body runs. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "withLast9Deployment(environment: 'production') { echo 'body ran' }                       | serviceName",
        "withLast9Deployment { echo 'body ran' }                                                  | serviceName",
        "last9DeploymentMarker(serviceName: 's', eventState: 'begin'); echo 'body ran'            | eventState",
        "last9DeploymentMarker(eventState: 'start'); echo 'body ran'                              | serviceName",
        "withLast9Deployment(serviceName: 's', routingProfile: 'nope') { echo 'body ran' }        | last9Config",
    })
    void whenAnOptionIsWrong(String steps, String remedy) {
        try (var run = pipeline("node { " + steps + " }").run()) {
            assertHarmless(run, remedy);
            assertEquals(1, warnings(run).size(), run.log());
            assertEquals(List.of(), last9.received());
        }
    }

    /** With any form of call the block runs, the usable arguments are used, and a warning shows the right form. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "withLast9Deployment('x', serviceName: 's') { echo 'body ran' }                      | start s, stop s | withLast9Deployment ignored positional arguments: x. Use named options:",
        "withLast9Deployment('x', 'y', serviceName: 's') { echo 'body ran' }                 | start s, stop s | ignored positional arguments: x, y. Use named options: withLast9Deployment(serviceName: 'payments-api'",
        "withLast9Deployment([serviceName: 's'], [environment: 'e']) { echo 'body ran' }     | start s, stop s | ignored positional arguments: [environment:e]. Use named options:",
        "withLast9Deployment({ echo 'body ran' }, [serviceName: 's'])                        | start s, stop s | ``",
        "withLast9Deployment({ echo 'body ran' }, serviceName: 's')                          | start s, stop s | ``",
        "withLast9Deployment('s') { echo 'body ran' }                                        | ``              | ignored positional arguments: s. Use named options:",
        "withLast9Deployment('s', \"${-> 'production'}\") { echo 'body ran' }                | ``              | ignored positional arguments: s, production. Use named options:",
        "withLast9Deployment(['serviceName', 's']) { echo 'body ran' }                       | ``              | ignored positional arguments: [serviceName, s]. Use named options:",
        "withLast9Deployment(null) { echo 'body ran' }                                       | ``              | serviceName is required",
        "withLast9Deployment(null, null) { echo 'body ran' }                                 | ``              | serviceName is required",
        "withLast9Deployment(serviceName: 's', null); echo 'body ran'                        | start s, stop s | withLast9Deployment has no block",
        "withLast9Deployment(serviceName: 's', 'x'); echo 'body ran'                         | start s, stop s | ignored positional arguments: x. Use named options:",
        "withLast9Deployment(); echo 'body ran'                                              | ``              | withLast9Deployment has no block",
        "last9DeploymentMarker('x', serviceName: 's'); echo 'body ran'                       | stop s          | last9DeploymentMarker ignored positional arguments: x. Use named options:",
        "last9DeploymentMarker('s', 'production', 'start'); echo 'body ran'                  | ``              | ignored positional arguments: s, production, start. Use named options: last9DeploymentMarker(serviceName:",
        "last9DeploymentMarker(serviceName: 's') { echo 'body ran' }                         | stop s          | last9DeploymentMarker does not accept a block. The block is run, but no window is created. For a window write withLast9Deployment(serviceName: 'payments-api'",
        "last9DeploymentMarker(null); echo 'body ran'                                        | ``              | serviceName is required",
        "last9DeploymentMarker(); echo 'body ran'                                            | ``              | serviceName is required",
        "last9Config('x', 'y', timeoutSeconds: 9); echo 'body ran'                           | ``              | last9Config ignored positional arguments: x, y. Use named options:",
        "last9Config(null); last9Config(); echo 'body ran'                                   | ``              | ``",
        "last9TestConnection('x', apiBaseUrl: 'http://127.0.0.1:9'); echo 'body ran'         | ``              | last9TestConnection ignored positional arguments: x. Use named options:",
        "last9DeploymentReport('x', archive: false) { echo 'body ran' }                      | ``              | last9DeploymentReport ignored positional arguments: x. Use named options:",
    })
    void whenACallHasAnotherShape(String steps, String sent, String warning) {
        try (var run = pipeline("node { " + steps + " }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(1, run.console().stream().filter("body ran"::equals).count(), run.log());
            assertEquals(sent, markers(), run.log());
            assertTrue(warning.isEmpty() ? warnings(run).isEmpty() : warnings(run).stream().anyMatch(w -> w.contains(warning)), run.log());
        }
    }

    /** A value is perhaps code of the Jenkinsfile's own: where it fails, or is nothing that JSON knows, it costs its own option at most. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "customAttributes: [a: \"${-> error('boom')}\"]                  | the value of customAttributes for withLast9Deployment cannot be read and is ignored: boom. Look at",
        "customAttributes: [a: itself]                                   | the value of customAttributes for withLast9Deployment cannot be read and is ignored: ",
        "environment: \"${-> assert 1 == 2}\"                            | the value of environment for withLast9Deployment cannot be read and is ignored: assert 1 == 2. Look at",
        "envAllowlist: itself                                            | the value of envAllowlist for withLast9Deployment cannot be read and is ignored: ",
        "customAttributes: [a: [0 / 0d, 1 / 0d, -1 / 0d]]                | ''",
    })
    void whenAValueCannotBeRead(String option, String warning) {
        String jenkinsfile = "def itself = [:]; itself.itself = itself\nnode { withLast9Deployment(serviceName: 's', " + option + ") { echo 'body ran' } }";
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("body ran"), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals(warning.isEmpty() ? 0 : 1, warnings(run).size(), run.log());
            assertTrue(warnings(run).stream().allMatch(w -> w.contains(warning)), run.log());
        }
    }

    /** A misspelt option is one warning for the whole window, with the name that was meant; the window is sent. */
    @Test
    void whenAnOptionIsMisspelt() {
        try (var run = pipeline("node { withLast9Deployment(serviceName: 's', enviroment: 'e') { echo 'body ran' } }").run()) {
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("did you mean 'environment'"), run.log());
            assertEquals("start s, stop s", markers(), run.log());
        }
    }

    /** A start that Last9 could not take goes out with the stop, first and with its own time. */
    @Test
    void losesNothingToAnOutageThatEnds() {
        last9.fault("[{\"status\": 503, \"headers\": {\"Retry-After\": \"60\"}}]");
        String jenkinsfile = "node { withLast9Deployment(serviceName: 's') { echo 'outage over' } }";
        try (var run = pipeline(jenkinsfile).log(line -> {
            if (line.equals("outage over")) {
                last9.reset();
            }
        }).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertTrue(last9.received().get(0).get("timestamp").toString().compareTo(last9.received().get(1).get("timestamp").toString()) < 0);
        }
    }

    /** `failOnError` fails the build where a marker was not delivered; the stop is still tried. */
    @Test
    void failsOnlyWhenAsked() {
        String jenkinsfile = "node { last9DeploymentMarker serviceName: 's', failOnError: true, timeoutSeconds: 1 }";
        try (var run = pipeline(jenkinsfile).env("LAST9_API_BASE_URL", "http://127.0.0.1:9").run()) {
            assertEquals("FAILURE", run.result(), run.log());
        }
    }

    /** `post` of `agent none`, and a scripted pipeline outside of node: the marker takes a node of its own. */
    @Test
    void whereThereIsNoNode() {
        try (var run = pipeline("withLast9Deployment(serviceName: 's') { echo 'no node here' }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals(List.of(), warnings(run));
        }
    }
}
