package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code failOnError}: if a marker is not delivered, the build fails; the stop is still sent, and the body's own error is the one thrown. */
class FailOnErrorTest extends LibraryTest {
    private static final String REFUSED = "[{\"on\": \"event\", \"status\": 403}]";
    private static final String REFUSED_ONCE = "[{\"on\": \"event\", \"times\": 1, \"status\": 403}]";
    private static final String WINDOW = "withLast9Deployment(serviceName: 's', failOnError: true)";

    /** A single marker that was not delivered fails the build there and then, with the warning's own words. */
    @ParameterizedTest
    @ValueSource(strings = {
        "last9DeploymentMarker serviceName: 's', failOnError: true",
        "last9Config failOnError: true; last9DeploymentMarker serviceName: 's', eventState: 'start'",
        "last9DeploymentMarker serviceName: 's', failOnError: true, credentialId: 'nope'",
        "last9DeploymentMarker failOnError: true",
        "last9DeploymentMarker serviceName: 's', eventState: 'begin', failOnError: true",
    })
    void failsForASingleMarker(String steps) {
        last9.fault(REFUSED);
        try (var run = pipeline("node { " + steps + "; echo 'not reached' }").run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertFalse(run.console().contains("not reached"), run.log());
            String warning = warnings(run).get(0).substring("[Last9] WARNING: ".length());
            assertTrue(run.log().contains("ERROR: [Last9] "), run.log());
            assertTrue(run.log().lines().anyMatch(line -> line.startsWith("ERROR: [Last9] ") && line.contains(warning.substring(0, 40))), run.log());
        }
    }

    /** A start that was not delivered fails the build before the body: with this option there is no deployment that Last9 does not show. The stop follows. */
    @Test
    void failsBeforeTheBodyAndSendsTheStop() {
        last9.fault(REFUSED_ONCE);
        try (var run = pipeline("node { " + WINDOW + " { echo 'body ran' } }").run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertFalse(run.console().contains("body ran"), run.log());
            assertEquals("stop s", markers(), "what was refused for good is not sent again:\n" + run.log());
            assertEquals("failure", attributes(last9.received().get(0)).get("deployment.outcome"));
            assertTrue(run.log().contains("failOnError is set: deployment (start) for s was not delivered"), run.log());
        }
    }

    /** If neither gets through, the stop is still tried, and the start's failure is the build's. */
    @Test
    void triesTheStopThoughTheStartHasFailed() {
        last9.fault(REFUSED);
        try (var run = pipeline("node { " + WINDOW + " { echo 'body ran' } }").run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertEquals(2, warnings(run).size(), run.log());
            assertTrue(run.log().contains("failOnError is set: deployment (start) for s"), run.log());
            assertFalse(run.log().contains("failOnError is set: deployment (stop) for s"), run.log());
        }
    }

    /** A stop that was not delivered fails the build after a good body. */
    @Test
    void failsAfterAGoodBody() {
        try (var run = pipeline("node { " + WINDOW + " { echo 'body ran' }; echo 'not reached' }").log(line -> {
            if (line.equals("body ran")) {
                last9.fault(REFUSED);
            }
        }).run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertFalse(run.console().contains("not reached"), run.log());
            assertEquals("start s", markers(), run.log());
            assertTrue(run.log().contains("failOnError is set: deployment (stop) for s was not delivered"), run.log());
        }
    }

    /** The body's own error, abort or time limit comes out as it was thrown, though the stop was not delivered either. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "error 'boom'                                       | caught boom",
        "throw new IllegalStateException('thrown')          | caught thrown",
        "timeout(time: 1, unit: 'SECONDS') { sleep 9 }      | caught Timeout has been exceeded",
    })
    void letsTheBodysOwnErrorWin(String body, String caught) {
        String jenkinsfile = "node { try { " + WINDOW + " { echo 'in the body'; " + body + " } } catch (e) { echo \"caught ${e.message}\" } }";
        try (var run = pipeline(jenkinsfile).log(line -> {
            if (line.equals("in the body")) {
                last9.fault(REFUSED);
            }
        }).run()) {
            assertTrue(run.console().contains(caught), run.log());
            assertEquals("start s", markers(), run.log());
            assertEquals(1, warnings(run).size(), run.log());
            assertFalse(run.log().contains("failOnError is set"), run.log());
        }
    }

    /** A late marker of an earlier step, which goes out after the window's own, fails nothing. */
    @Test
    void doesNotStrikeForLateOnes() {
        String jenkinsfile = """
            node {
              last9DeploymentMarker serviceName: 'early'
              echo 'outage over'
              withLast9Deployment(serviceName: 's', failOnError: true) { echo 'body ran' }
            }
            """;
        last9.fault(TAKES_NOTHING);
        try (var run = pipeline(jenkinsfile).log(line -> {
            if (line.equals("outage over")) {
                last9.reset();
            }
        }).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop early, stop s", markers(), run.log());
        }
    }

    /** A dry run delivers nothing on purpose: it fails nothing. */
    @ParameterizedTest
    @ValueSource(strings = {
        "last9DeploymentMarker serviceName: 's', failOnError: true, dryRun: true",
        "withLast9Deployment(serviceName: 's', failOnError: true, dryRun: true) { echo 'body' }",
        "withEnv(['LAST9_DRY_RUN=true']) { last9DeploymentMarker serviceName: 's', failOnError: true }",
    })
    void doesNotStrikeInADryRun(String steps) {
        try (var run = pipeline("node { " + steps + " }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("", markers(), run.log());
        }
    }
}
