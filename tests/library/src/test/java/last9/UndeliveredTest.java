package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import pipeline.run.Pipeline;

/** Queued markers: they are sent later, never to another destination, never without end, and the log says what happened to them. */
class UndeliveredTest extends LibraryTest {
    /** An outage that ends at this line of the log. */
    private static Pipeline until(String line, Pipeline pipeline) {
        last9.fault(TAKES_NOTHING);
        return pipeline.log(said -> {
            if (said.equals(line)) {
                last9.reset();
            }
        });
    }

    /** After an outage the next marker goes first, behind the start of its own window; then the others in the order they happened, and the log counts them. */
    @Test
    void goesOutInOrderWithTheNextMarker() {
        String jenkinsfile = """
            node {
              withLast9Deployment(serviceName: 'a') { echo 'body' }
              last9DeploymentMarker serviceName: 'b', eventState: 'start'
              echo 'outage over'
              last9DeploymentMarker serviceName: 'b'
            }
            """;
        try (var run = until("outage over", pipeline(jenkinsfile)).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start b, stop b, start a, stop a", markers(), run.log());
            List<String> times = last9.received().stream().map(e -> e.get("timestamp").toString()).toList();
            assertEquals(4, times.stream().distinct().count());
            assertEquals(List.of(times.get(2), times.get(3), times.get(0), times.get(1)), times.stream().sorted().toList(), "each has its original time");
            assertTrue(run.console().contains("[Last9] Also sent: 3 queued deployment markers (original timestamps)"), run.log());
            assertEquals(attributes(last9.received().get(0)).get("deployment.id"), attributes(last9.received().get(1)).get("deployment.id"));
        }
    }

    /** A build that ends in the outage reads, in its last warning and only there, how many markers Last9 never got. */
    @Test
    void isToldWhenTheBuildEndsInTheOutage() {
        last9.fault(TAKES_NOTHING);
        String jenkinsfile = "node { withLast9Deployment(serviceName: 's') { echo 'body' } }";
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            List<String> warnings = warnings(run);
            assertEquals(2, warnings.size(), run.log());
            assertTrue(warnings.get(0).endsWith("The marker is queued and will be sent with the window's stop."), run.log());
            assertTrue(warnings.get(1).endsWith("2 deployment markers are queued and will be sent with this build's next marker. If none succeeds, they are lost."), run.log());
        }
    }

    /** Without an engine (here: no credential) the library says the same of each. */
    @Test
    void isToldWithoutAnEngine() {
        try (var run = pipeline("node { last9DeploymentMarker serviceName: 's', credentialId: 'nope' }").run()) {
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).endsWith("The marker is queued and will be sent with this build's next marker. If none succeeds, it is lost"), run.log());
        }
    }

    /** What was meant for another credential or organization stays where it is when a marker gets through, and is not lost to it. */
    @Test
    void neverGoesToSomebodyElse() {
        String jenkinsfile = """
            node {
              last9DeploymentMarker serviceName: 'late', credentialId: 'other'
              last9DeploymentMarker serviceName: 'elsewhere', orgSlug: 'globex'
              echo 'outage over'
              last9DeploymentMarker serviceName: 'own'
              echo "waiting: ${env.LAST9_PENDING}"
              last9DeploymentMarker serviceName: 'again', credentialId: 'other'
            }
            """;
        try (var run = until("outage over", pipeline(jenkinsfile).credential("other", last9.refreshToken)).run()) {
            assertEquals("stop own, stop again, stop late", markers(), run.log());
            assertTrue(run.console().contains("waiting: 2"), run.log());
        }
    }

    /** A long outage with very many markers: the newest 100 are kept, the log says how many were given up, and those kept go out. */
    @Test
    void isBounded() {
        String jenkinsfile = """
            node {
              for (int i = 1; i <= 103; i++) { last9DeploymentMarker serviceName: "s${i}", credentialId: 'late' }
              echo "waiting: ${env.LAST9_PENDING}"
              echo 'stored'
              withEnv(['LAST9_CREDENTIAL_ID=late']) { last9DeploymentMarker serviceName: 'next' }
              echo "waiting: ${env.LAST9_PENDING}"
            }
            """;
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(List.of("waiting: 101", "waiting: 101"), run.console().stream().filter(l -> l.startsWith("waiting: ")).toList());
            List<String> givenUp = warnings(run).stream().filter(w -> w.contains("were given up")).toList();
            // one by one from the 102nd marker on
            assertEquals(3, givenUp.size(), run.log());
            assertTrue(givenUp.get(0).contains("1 queued deployment marker(s) of this build were given up, the oldest: no more than 100"), givenUp.get(0));
        }
    }

    /** A few huge markers count like many small ones. */
    @Test
    void isBoundedInSize() {
        String jenkinsfile = """
            node {
              for (int i = 1; i <= 5; i++) { last9DeploymentMarker serviceName: "s${i}", credentialId: 'nope', customAttributes: [big: 'x' * 150_000] }
              echo "waiting: ${env.LAST9_PENDING}"
            }
            """;
        try (var run = pipeline(jenkinsfile).run()) {
            assertTrue(run.console().contains("waiting: 3"), run.log());
            assertEquals(2, warnings(run).stream().filter(w -> w.contains("were given up")).count(), run.log());
            assertFalse(run.log().contains("NotSerializable"), run.log());
        }
    }

    /** The bound holds in the sandbox, too. */
    @Test
    void isBoundedInTheSandbox() {
        String jenkinsfile = "@Library('last9') _\nnode { for (int i = 0; i < 4; i++) { last9DeploymentMarker serviceName: 's', credentialId: 'nope', customAttributes: [big: params.BIG] } }";
        try (var run = Pipeline.of(jenkinsfile).library("last9", CHECKOUT, false).sandbox(true).realTime().param("BIG", "x".repeat(250_000)).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertFalse(run.log().contains("Scripts not permitted"), run.log());
            assertEquals(2, warnings(run).stream().filter(w -> w.contains("were given up")).count(), run.log());
        }
    }
}
