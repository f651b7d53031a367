package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@code last9DeploymentMarker}: single markers and the pairing of starts and stops. */
class ManualMarkerTest extends LibraryTest {

    private static Object id(int n) {
        return attributes(last9.received().get(n)).get("deployment.id");
    }

    /** A stop without a start is a point: delivered, without id or duration. */
    @Test
    void sendsAPoint() {
        try (var run = pipeline("node { def r = last9DeploymentMarker serviceName: 's'; echo \"r ${r.delivered} ${r.deploymentId} ${r.warnings}\" }").run()) {
            assertEquals("stop s", markers(), run.log());
            assertTrue(run.console().contains("r true null []"), run.log());
            assertFalse(attributes(last9.received().get(0)).containsKey("deployment.id"));
            assertFalse(attributes(last9.received().get(0)).containsKey("deployment.window_duration_ms"));
        }
    }

    /** A stop closes the newest open window of its service, environment and event name, and no other's. */
    @Test
    void pairsStartsAndStops() {
        String jenkinsfile = """
            node {
              last9DeploymentMarker serviceName: 's', environment: 'e', eventState: 'start'
              last9DeploymentMarker serviceName: 's', environment: 'e', eventState: ' START ', eventName: 'deployment'
              last9DeploymentMarker serviceName: 's', environment: 'other', eventState: 'start'
              last9DeploymentMarker serviceName: 's', environment: 'e'
              last9DeploymentMarker serviceName: 's', environment: 'e', eventState: 'stop'
              last9DeploymentMarker serviceName: 's', environment: 'e'
            }
            """;
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("start s, start s, start s, stop s, stop s, stop s", markers(), run.log());
            assertEquals(id(1), id(3));
            assertEquals(id(0), id(4));
            assertEquals(null, id(5));
            assertEquals(3, List.of(id(0), id(1), id(2)).stream().distinct().count());
        }
    }

    /** Branches that start and stop the same service at the same time close each window once. */
    @Test
    void pairsInParallel() {
        String branch = "{ last9DeploymentMarker serviceName: 's', eventState: 'start'; sleep 2; last9DeploymentMarker serviceName: 's' }";
        try (var run = pipeline("node { parallel a: " + branch + ", b: " + branch + ", c: " + branch + " }").run()) {
            assertEquals(6, last9.received().size(), run.log());
            Map<Object, Long> perId = last9.received().stream().collect(java.util.stream.Collectors.groupingBy(
                    e -> attributes(e).get("deployment.id"), java.util.stream.Collectors.counting()));
            assertEquals(List.of(2L, 2L, 2L), List.copyOf(perId.values()));
        }
    }

    /** Start and stop through different vars of a team's own library, with a restart in between, are one window. */
    @Test
    void pairsThroughOtherVarsAndARestart() throws Exception {
        var team = java.nio.file.Files.createTempDirectory("team-library");
        java.nio.file.Files.createDirectories(team.resolve("vars"));
        java.nio.file.Files.writeString(team.resolve("vars/opening.groovy"), "def call() { last9DeploymentMarker serviceName: 's', eventState: 'start' }\n");
        java.nio.file.Files.writeString(team.resolve("vars/closing.groovy"), "def call() { last9DeploymentMarker serviceName: 's' }\n");
        try (var run = pipeline("@Library('team') __\nnode { opening(); sh 'sleep 1'; closing() }")
                .library("team", team, true).restartAt("sh", 2).run()) {
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals(id(0), id(1));
        }
    }

    /** Options arrive the same in each spelling that Groovy knows. */
    @Test
    void takesOptionsInEachSpelling() {
        String jenkinsfile = """
            def n = 1
            def map = [serviceName: "s-${n}", environment: 'e']
            node {
              last9DeploymentMarker(serviceName: "s-${n}", environment: 'e')
              last9DeploymentMarker serviceName: 's-1', environment: 'e'
              last9DeploymentMarker(map)
              last9DeploymentMarker([serviceName: ' s-1 ', environment: 'e', eventName: '  ', dataSourceName: null])
              last9DeploymentMarker(serviceName: "${-> 's-' + n}", environment: 'e')
            }
            """;
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("stop s-1, stop s-1, stop s-1, stop s-1, stop s-1", markers(), run.log());
            last9.received().forEach(e -> assertEquals("deployment", e.get("event_name")));
            last9.received().forEach(e -> assertEquals("e", attributes(e).get("env")));
        }
    }

    /** Attribute values arrive as written, although a shell, a batch file or JSON would change them. */
    @Test
    void carriesValuesAsWritten() {
        String jenkinsfile = """
            node { last9DeploymentMarker serviceName: 's', customAttributes: [
              quotes: 'it\\'s "quoted"', lines: 'one\\ntwo', dollar: '$HOME ${HOME} $(id)', percent: '%PATH% !x!', back: 'a\\\\b\\\\',
              unicode: 'Zürich ✓ 🚀', number: 42, decimal: 1.10, flag: true, nothing: null, gstring: "v${1 + 1}",
              nested: [a: [1, 'two', null]], long: 'x' * 1000 ] }
            """;
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("stop s", markers(), run.log());
            Map<String, Object> sent = attributes(last9.received().get(0));
            assertEquals("it's \"quoted\"", sent.get("quotes"));
            assertEquals("one\ntwo", sent.get("lines"));
            assertEquals("$HOME ${HOME} $(id)", sent.get("dollar"));
            assertEquals("%PATH% !x!", sent.get("percent"));
            assertEquals("a\\b\\", sent.get("back"));
            assertEquals("Zürich ✓ 🚀", sent.get("unicode"));
            assertEquals("42", sent.get("number"));
            assertEquals("1.10", sent.get("decimal"));
            assertEquals("true", sent.get("flag"));
            assertFalse(sent.containsKey("nothing"));
            assertEquals("v2", sent.get("gstring"));
            assertEquals("{\"a\":[1,\"two\",null]}", sent.get("nested").toString().replace(" ", ""));
            assertEquals("x".repeat(1000), sent.get("long"));
        }
    }
}
