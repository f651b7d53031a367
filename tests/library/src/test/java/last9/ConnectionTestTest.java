package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pipeline.run.Pipeline;

/** {@code last9TestConnection}: a line for each thing looked at, also where the engine cannot run, and never a failed build unasked. */
class ConnectionTestTest extends LibraryTest {
    private static final String SAY = "; echo \"returned ok=${r.ok} delivered=${r.delivered} id=${r.deploymentId} failed=${r.findings.findAll { it.state == 'failed' }.collect { it.check }} warnings=${r.warnings.size()}\"";

    private static String step(String arguments) {
        return "def r = last9TestConnection(" + arguments + ")" + SAY;
    }

    private static String node(String arguments) {
        return "node { " + step(arguments) + " }";
    }

    private static List<String> lines(Pipeline.Run run, String state) {
        return run.console().stream().filter(line -> line.startsWith("[Last9] " + state + " ")).toList();
    }

    private static void assertReturned(String expected, Pipeline.Run run) {
        assertTrue(run.console().contains("returned " + expected), run.log());
    }

    /** If all is well, the log has every finding, nothing is written, and the write is not tested. */
    @Test
    void looksAtEverythingAndWritesNothing() {
        try (var run = pipeline(node("")).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertReturned("ok=true delivered=false id=null failed=[] warnings=1", run);
            assertEquals(12, lines(run, "ok").size(), run.log());
            assertEquals(1, lines(run, "warning").size(), run.log());
            assertTrue(lines(run, "warning").get(0).contains("sendTestEvent"), run.log());
            assertEquals(List.of(), last9.received());
            assertEquals(List.of(), warnings(run));
            assertSilentAbout(last9.refreshToken, run);
        }
    }

    /** Every option of the connection is used as for a marker, and a written event proves the way. */
    @Test
    void provesTheWrite() {
        String jenkinsfile = "last9Config routingProfiles: [team: [orgSlug: 'acme', credentialId: 'other']]\n"
                + node("routingProfile: 'team', sendTestEvent: true, serviceName: 's', environment: 'e'");
        try (var run = pipeline(jenkinsfile).credential("other", last9.refreshToken).run()) {
            // Last9 has no metrics of this service and of this environment
            assertReturned("ok=true delivered=true id=null failed=[] warnings=2", run);
            assertEquals("stop s", markers(), run.log());
            assertEquals("connection-test", last9.received().get(0).get("event_name"));
            assertTrue(run.log().contains("credential 'other'"), run.log());
        }
    }

    /** The event is read back within a time of its own: what appears after {@code timeoutSeconds} is found, and the build waits for it. */
    @ParameterizedTest
    @ValueSource(strings = {"true", "'yes'"})
    void readsItsEventBack(String yes) {
        last9.observe("{\"service_name\": \"s\", \"deployment_environment\": \"e\"}");
        last9.fault("{\"on\": \"read\", \"late\": 7}");
        try (var run = pipeline(node("sendTestEvent: " + yes + ", serviceName: 's', environment: 'e', timeoutSeconds: 5")).run()) {
            assertReturned("ok=true delivered=true id=null failed=[] warnings=0", run);
            assertTrue(lines(run, "ok").stream().anyMatch(line -> line.contains("the test event can be read from last9_change_events")), run.log());
            assertTrue(lines(run, "ok").stream().anyMatch(line -> line.contains("labels came back as they were sent")), run.log());
            assertEquals(List.of(), warnings(run));
        }
    }

    /** An event that cannot be read is not proven, with the query to run by hand: the test has not failed, and neither has the build. */
    @Test
    void doesNotFailForWhatItCannotRead() {
        last9.fault("{\"on\": \"read\", \"status\": 403}");
        try (var run = pipeline(node("sendTestEvent: true, serviceName: 's', failOnError: true")).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertReturned("ok=true delivered=true id=null failed=[] warnings=4", run);
            assertTrue(lines(run, "warning").stream().allMatch(line -> line.contains(" not proven: ")), run.log());
        }
    }

    /** A credential that is not there fails the token alone: the rest of the way is tested all the same. */
    @Test
    void whenTheCredentialIsMissing() {
        try (var run = pipeline(node("credentialId: 'nope', sendTestEvent: true")).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertReturned("ok=false delivered=false id=null failed=[token, organization] warnings=5", run);
            assertTrue(lines(run, "failed").get(0).contains("there is no credential 'nope' that this job may use. Add the Last9 refresh token"), run.log());
            assertTrue(lines(run, "ok").stream().anyMatch(line -> line.contains("connection")), run.log());
            assertEquals(List.of(), warnings(run));
            assertEquals(List.of(), last9.received());
        }
    }

    /** An agent without Python is a failed line with the remedy. */
    @Test
    void whenThereIsNoPython() throws Exception {
        Path bin = toolsButPython();
        try (var run = pipeline(node("")).agentEnv("PATH", bin.toString()).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertReturned("ok=false delivered=false id=null failed=[interpreter] warnings=1", run);
            assertTrue(lines(run, "failed").get(0).contains("Install Python 3.9 or newer"), run.log());
        }
    }

    /** Without any agent the step gives up in time, with a failed line that names the label. */
    @Test
    @Tag("endurance") // 16 seconds of waiting
    void whenNoAgentComes() {
        try (var run = pipeline(step("agentLabel: 'nowhere', timeoutSeconds: 1")).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertReturned("ok=false delivered=false id=null failed=[agent] warnings=1", run);
            assertTrue(lines(run, "failed").get(0).contains("timed out after 16 s"), run.log());
            assertTrue(lines(run, "failed").get(0).contains("agentLabel"), run.log());
            assertEquals(List.of(), warnings(run));
        }
    }

    /** What is wrong with the connection fails where it is wrong; a wrong token is shown by no line. */
    @Test
    void whenLast9Refuses() {
        last9.fault("[{\"on\": \"exchange\", \"status\": 401}]");
        try (var run = pipeline(node("")).run()) {
            assertReturned("ok=false delivered=false id=null failed=[exchange] warnings=4", run);
            assertTrue(lines(run, "failed").get(0).contains("Create a new one with write scope"), run.log());
            assertSilentAbout(last9.refreshToken, run);
        }
    }

    /** A dry run binds the credential all the same, since it is what is tested, and writes nothing. */
    @Test
    void inADryRun() {
        try (var run = pipeline(node("sendTestEvent: true")).env("LAST9_DRY_RUN", "true").run()) {
            assertReturned("ok=true delivered=false id=null failed=[] warnings=1", run);
            assertTrue(lines(run, "warning").get(0).contains("dryRun"), run.log());
            assertEquals(List.of(), last9.received());
        }
    }

    /** `failOnError` fails the build for a failed finding, with and without an engine to tell it; a warning fails nothing. */
    @ParameterizedTest
    @ValueSource(strings = {
        "node { last9TestConnection apiBaseUrl: 'http://127.0.0.1:9', failOnError: true }",
        "node { last9Config failOnError: true; last9TestConnection apiBaseUrl: 'http://127.0.0.1:9' }",
        "node { withEnv(['LAST9_PYTHON=ENGINE']) { last9TestConnection failOnError: true } }",
    })
    void failsOnlyWhenAsked(String jenkinsfile) {
        try (var run = pipeline(jenkinsfile.replace("ENGINE", engineWithoutAnswer())).run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertTrue(run.log().contains("Last9 connection test failed, and failOnError is set"), run.log());
        }
    }

    /** A marker that could not be delivered before neither goes out with a test nor is lost to it. */
    @Test
    void leavesUndeliveredMarkersAlone() {
        String jenkinsfile = """
            node {
              last9DeploymentMarker serviceName: 'kept'
              echo 'outage over'
              last9TestConnection sendTestEvent: true
              last9DeploymentMarker serviceName: 'next'
            }
            """;
        last9.fault(TAKES_NOTHING);
        try (var run = pipeline(jenkinsfile).log(line -> {
            if (line.equals("outage over")) {
                last9.reset();
            }
        }).run()) {
            assertEquals("stop last9-connection-test, stop next, stop kept", markers(), run.log());
        }
    }

    /** A folder-level library in the sandbox may do all of it. */
    @Test
    void inTheSandbox() {
        String jenkinsfile = "@Library('last9') _\nnode { def r = last9TestConnection(credentialId: 'nope'); echo \"ok ${r.ok}\"; r = last9TestConnection(); echo \"ok ${r.ok}\" }";
        try (var run = Pipeline.of(jenkinsfile).library("last9", CHECKOUT, false).sandbox(true).realTime()
                .env("LAST9_API_BASE_URL", last9.url).credential("last9-refresh-token", last9.refreshToken).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().containsAll(List.of("ok false", "ok true")), run.log());
            assertFalse(run.log().contains("Scripts not permitted"), run.log());
        }
    }

    /** A person's abort during the test aborts the build. */
    @Test
    void isAborted() {
        last9.fault("[{\"on\": \"exchange\", \"delay\": 3}]");
        try (var run = pipeline("node { last9TestConnection(); echo 'not reached' }").abortAt("sh", 1).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("not reached"), run.log());
        }
    }
}
