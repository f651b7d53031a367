package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Wherever a marker is asked for, it is sent, or one warning says why not; the build is none the worse. */
class AnyPlaceTest extends LibraryTest {

    private static Map<String, Object> stop() {
        return attributes(last9.received().get(last9.received().size() - 1));
    }

    /** An agent that is removed while the deployment runs on it is a failure, and the stop goes out from another agent. */
    @Test
    void anAgentThatIsLostInTheBody() {
        String jenkinsfile = "node('fragile') { withLast9Deployment(serviceName: 's') { sh 'sleep 60'; echo 'not reached' } }";
        try (var run = pipeline(jenkinsfile).agent("one", "fragile", 1).agent("two", "solid", 1).agentLostAt("one", "sh", 2).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("not reached"));
            assertTrue(run.console().contains("Agent one was deleted; cancelling node body"), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals("failure", stop().get("deployment.outcome"));
            assertEquals("ABORTED", stop().get("jenkins.build_result"));
            assertEquals(attributes(last9.received().get(0)).get("deployment.id"), stop().get("deployment.id"));
            assertEquals(List.of(), warnings(run));
        }
    }

    /** On a Windows agent the same steps go through run.bat: one window, its warnings and its log in any language. */
    @Test
    void aWindowsAgent() throws Exception {
        String jenkinsfile = "node('windows') { withLast9Deployment(serviceName: 'zürich ✓') { bat 'echo deployed from %NODE_NAME%' } }";
        try (var run = pipeline(jenkinsfile).windowsAgent("w", "windows", wine()).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start zürich ✓, stop zürich ✓", markers(), run.log());
            assertEquals("success", stop().get("deployment.outcome"));
            assertEquals("w", stop().get("jenkins.node_name"));
            assertEquals(attributes(last9.received().get(0)).get("deployment.id"), stop().get("deployment.id"));
            assertEquals(List.of(), warnings(run));
            assertTrue(run.log().contains("[Last9] Sending deployment marker: deployment (start) for zürich ✓"), run.log());
            assertSilentAbout(last9.refreshToken, run);
        }
    }

    /** Wine and a Python for Windows, set up at the first use. */
    @SuppressWarnings("unchecked")
    private static Map<String, String> wine() throws Exception {
        Process p = new ProcessBuilder("python3", CHECKOUT.resolve("tools/windows_agent.py").toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String said = new String(p.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertEquals(0, p.waitFor(), "tools/windows_agent.py has said what is missing");
        return (Map<String, String>) new groovy.json.JsonSlurperClassic().parseText(said);
    }
}
