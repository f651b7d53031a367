package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pipeline.run.Pipeline;

/** Wherever a marker is asked for, it is sent, or one warning says why not; the build is none the worse. */
class AnyPlaceTest extends LibraryTest {

    private static Map<String, Object> stop() {
        return attributes(last9.received().get(last9.received().size() - 1));
    }

    /** An agent that is removed while the deployment runs on it is a failure, and the stop goes out from another agent, with the full time limit: no one has pressed stop. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anAgentThatIsLostInTheBody(boolean trusted) {
        String jenkinsfile = "node('fragile') { withLast9Deployment(serviceName: 's') { sh 'sleep 60'; echo 'not reached' } }";
        try (var run = pipeline(jenkinsfile).library("last9", CHECKOUT, trusted).sandbox(!trusted).agent("one", "fragile", 1).agent("two", "solid", 1).agentLostAt("one", "sh", 2).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("not reached"));
            assertTrue(run.console().contains("Agent one was deleted; cancelling node body"), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals("failure", stop().get("deployment.outcome"));
            assertEquals(2, run.console().stream().filter("Timeout set to expire in 25 sec"::equals).count(), run.log());
            assertEquals("ABORTED", stop().get("jenkins.build_result"));
            assertEquals(attributes(last9.received().get(0)).get("deployment.id"), stop().get("deployment.id"));
            assertEquals(List.of(), warnings(run));
        }
    }

    /** Lost while the start marker is under way: the body does not run, and the stop goes out from another agent all the same. */
    @Test
    void anAgentThatIsLostDuringTheStart() {
        last9.fault(HANGS_ONCE);
        String jenkinsfile = "node('fragile') { withLast9Deployment(serviceName: 's') { echo 'body ran' } }";
        String line = "[Last9] Sending deployment marker: deployment (start) for s";
        try (var run = pipeline(jenkinsfile).agent("one", "fragile", 1).agent("two", "solid", 1).agentLostAfterText("one", line).log(at(line, last9::untilOneWaits)).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("body ran"));
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals("failure", stop().get("deployment.outcome"));
        }
    }

    /** Lost while the stop marker is under way: it goes out again, from another agent, and says the very same. */
    @Test
    void anAgentThatIsLostDuringTheStop() {
        String jenkinsfile = "node('fragile') { withLast9Deployment(serviceName: 's') { echo 'body done' } }";
        String line = "[Last9] Sending deployment marker: deployment (stop) for s";
        var log = at("body done", () -> last9.fault(HANGS_ONCE)).andThen(at(line, last9::untilOneWaits));
        try (var run = pipeline(jenkinsfile).agent("one", "fragile", 1).agent("two", "solid", 1).agentLostAfterText("one", line).log(log).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertTrue(markers().startsWith("start s, stop s"), markers());
            assertEquals(3, run.console().stream().filter("Timeout set to expire in 25 sec"::equals).count(), run.log());
            last9.received().stream().skip(1).forEach(e -> assertEquals("success", attributes(e).get("deployment.outcome")));
            assertEquals(1, last9.received().stream().skip(1).map(e -> e.get("timestamp")).distinct().count());
        }
    }

    /** With every other agent busy or gone, a lost agent's stop is given up within its limit with one warning; the build ends as it would. */
    @Test
    @Tag("endurance") // 20 seconds of waiting
    void anAgentThatIsLostAndNoOther() {
        String jenkinsfile = "node { withLast9Deployment(serviceName: 's') { sh 'sleep 60' } }";
        try (var run = pipeline(jenkinsfile).agent("one", "fragile", 1).agentLostAt("one", "sh", 2).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertEquals("start s", markers(), run.log());
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("name a label with free agents in agentLabel"), run.log());
        }
    }

    /** `post` of `agent none`: the marker finds a node, by its label if one is named, and the window is one with its start. */
    @Test
    void postOfAgentNone() {
        String jenkinsfile = """
            pipeline {
              agent none
              stages {
                stage('Deploy') {
                  agent { label 'build' }
                  steps {
                    last9DeploymentMarker serviceName: 's', eventState: 'start'
                    sh 'echo deploying'
                  }
                }
              }
              post { always { last9DeploymentMarker serviceName: 's', agentLabel: 'light && !build' } }
            }
            """;
        try (var run = pipeline(jenkinsfile).agent("one", "build", 1).agent("two", "light", 1).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals(attributes(last9.received().get(0)).get("deployment.id"), stop().get("deployment.id"));
            assertFalse(stop().containsKey("jenkins.node_name"), "a borrowed node says nothing of where it was deployed from");
            assertEquals(List.of(), warnings(run));
        }
    }

    /** A node taken for the marker alone is not asked which commit lies in its workspace: it may be an older build's. */
    @Test
    void aBorrowedNodesWorkspace() {
        String jenkinsfile = """
            node { sh 'git init -q . && git -c user.name=n -c user.email=e commit -q --allow-empty -m old' ; last9DeploymentMarker serviceName: 'here' }
            last9DeploymentMarker serviceName: 'outside'
            """;
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("stop here, stop outside", markers(), run.log());
            assertTrue(attributes(last9.received().get(0)).containsKey("scm.commit_sha"));
            assertFalse(stop().containsKey("scm.commit_sha"), run.log());
        }
    }

    /** In folders below the workspace, with blanks, quotes and Unicode in its path, everything lies beside it and nothing within. */
    @Test
    void anyPathAndAnyFolder() {
        String jenkinsfile = """
            node { dir('a b/ü "q"') { withLast9Deployment(serviceName: 's') { dir('deeper') { last9DeploymentMarker serviceName: 't' } } }
                   sh 'find . -name "*last9*" -o -name "*@tmp"' }
            """;
        Pipeline pipeline = pipeline(jenkinsfile);
        pipeline.settings().jobName = "it's \"any\" $HOME `id` ; ✓ 🚀";
        try (var run = pipeline.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop t, stop s", markers(), run.log());
            assertEquals(List.of(), warnings(run));
            assertFalse(run.console().stream().anyMatch(line -> line.matches("\\./.*(last9).*")), run.log());
        }
    }

    /** As in a container: hardly any environment, no HOME, and an interpreter that is a script which prints before Python starts. */
    @Test
    void aContainersEnvironment() throws Exception {
        Path wrapper = Files.createTempDirectory("wrapper").resolve("python");
        Files.writeString(wrapper, "#!/bin/sh\necho activating\nexec python3 \"$@\"\n");
        Files.setPosixFilePermissions(wrapper, PosixFilePermissions.fromString("rwxr-xr-x"));
        Pipeline pipeline = pipeline("node { withLast9Deployment(serviceName: 's') { sh 'env' } }");
        pipeline.settings().agentEnv.clear();
        pipeline.agentEnv("PATH", "/usr/local/bin:/usr/bin:/bin").agentEnv("TMPDIR", "/no where").agentEnv("LAST9_PYTHON", wrapper.toString());
        try (var run = pipeline.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals(List.of(), warnings(run));
            assertFalse(run.console().stream().anyMatch(line -> line.startsWith("HOME=")), run.log());
        }
    }

    /** If not even the library may write on the agent, each marker is one warning that says where to look, and the body runs. */
    @Test
    void aTemporaryWorkspaceThatTakesNothing() {
        String jenkinsfile = """
            node { sh 'rm -rf "$WORKSPACE_TMP/last9"; touch "$WORKSPACE_TMP/last9"'
                   withLast9Deployment(serviceName: 's') { echo 'body ran' } }
            """;
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("body ran"), run.log());
            assertEquals(2, warnings(run).size(), run.log());
            warnings(run).forEach(w -> assertTrue(w.contains("Check the agent and its temporary workspace"), w));
            assertEquals("", markers());
        }
    }

    /** A label that no agent has costs the marker its time limit and not a second of the build's beyond; one warning names the option; in the sandbox, too. */
    @Test
    void aLabelWithoutAgents() {
        String jenkinsfile = "last9DeploymentMarker serviceName: 's', agentLabel: 'no-such-label', timeoutSeconds: 1\necho 'the build goes on'";
        long began = System.currentTimeMillis();
        try (var run = pipeline(jenkinsfile).library("last9", CHECKOUT, false).sandbox(true).run()) {
            assertTrue(System.currentTimeMillis() - began < 60_000, "it held the build up");
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("the build goes on"), run.log());
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("agentLabel"), run.log());
        }
    }

    /** On a Windows agent the same steps go through run.bat: one window, its warnings and its log in any language. */
    @Test
    @Tag("needs-wine")
    void aWindowsAgent() throws Exception {
        String jenkinsfile = "node('windows') { withLast9Deployment(serviceName: 'zürich ✓') { bat 'echo deployed from %NODE_NAME%' } }";
        try (var run = pipeline(jenkinsfile).windowsAgent("w", "windows", wine()).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start zürich ✓, stop zürich ✓", markers(), run.log());
            assertEquals("success", stop().get("deployment.outcome"));
            assertEquals("w", stop().get("jenkins.node_name"));
            List<?> shells = run.steps().stream().map(s -> s.get("step")).filter(s -> "bat".equals(s) || "sh".equals(s)).toList();
            assertEquals(List.of("bat", "bat", "bat"), shells, "the engine ran through run.bat");
            assertEquals(attributes(last9.received().get(0)).get("deployment.id"), stop().get("deployment.id"));
            assertEquals(List.of(), warnings(run));
            assertTrue(run.log().contains("[Last9] Sending deployment marker: deployment (start) for zürich ✓"), run.log());
            assertSilentAbout(last9.refreshToken, run);
        }
    }

    /** Wine and a Python for Windows, set up at the first use. */
    @SuppressWarnings("unchecked")
    static Map<String, String> wine() throws Exception {
        Process p = new ProcessBuilder("python3", CHECKOUT.resolve("tools/windows_agent.py").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String said = new String(p.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), "tools/windows_agent.py has said what is missing");
        return (Map<String, String>) new groovy.json.JsonSlurperClassic().parseText(said);
    }
}
