package pipeline.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import hudson.util.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the recordings do not show of the runner: restarts in a new process, agents, parameters, causes, isolation, speed. */
class PipelineTest {
    private static List<String> echoes(Pipeline.Run run) {
        return run.steps().stream().filter(s -> "echo".equals(s.get("step"))).map(s -> ((Map<?, ?>) s.get("args")).get("message").toString()).toList();
    }

    private static List<String> echoes(Pipeline p) {
        try (Pipeline.Run run = p.run()) {
            return echoes(run);
        }
    }

    private static Path library(Path folder, String... pathsAndTexts) throws IOException {
        for (int i = 0; i < pathsAndTexts.length; i += 2) {
            Path p = folder.resolve(pathsAndTexts[i]);
            Files.createDirectories(p.getParent());
            Files.writeString(p, pathsAndTexts[i + 1]);
        }
        return folder;
    }

    @Test
    void objectsSharedByBranchesStayShared() {
        assertEquals(List.of("3 [a, b]"), echoes(Pipeline.of("""
                def seen = []
                def n = 0
                parallel a: { n++; sleep 1; seen << 'a'; sleep 2 }, b: { n += 2; sleep 2; seen << 'b' }
                echo "$n $seen"
                """)));
    }

    @Test
    void aRestartGoesOnInANewProcessWhereStaticsAreLost(@TempDir Path folder) throws IOException {
        Path lib = library(folder, "src/team/Memory.groovy", "package team\nclass Memory implements Serializable { static List seen = [] }\n",
                "vars/remember.groovy", "import groovy.transform.Field\n@Field List own = []\n"
                        + "def call(x) { team.Memory.seen << x; own << x; echo \"static ${team.Memory.seen} field ${own}\" }\n");
        Pipeline p = Pipeline.of("""
                @Library('team@v1') _
                remember 'a'
                node { def pid = sh(script: 'echo out; sleep 1', returnStdout: true).trim(); remember pid }
                """).library("team", lib, true).restartAt("sh", 1);
        try (Pipeline.Run run = p.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(List.of("static [a] field [a]", "static [out] field [a, out]"), echoes(run));
            assertTrue(run.log().contains("Resuming build at"), run.log());
        }
    }

    @Test
    void staticsAreNotSharedByBuilds(@TempDir Path folder) throws IOException {
        Path lib = library(folder, "src/team/Count.groovy", "package team\nclass Count { static int n = 0; static int next() { ++n } }\n");
        for (int i = 0; i < 2; i++) {
            assertEquals(List.of("1", "2"), echoes(Pipeline.of("@Library('team') _\necho \"${team.Count.next()}\"\necho \"${team.Count.next()}\"")
                    .library("team", lib, true)));
        }
    }

    @Test
    void abortsComeWhileTheNamedStepRuns() {
        Pipeline p = Pipeline.of("""
                sleep 5
                try { sleep 60 } catch (e) { echo "1: ${e.message}"; node { sh 'sleep 30' } } finally { echo 'finally' }
                """).abortAt("sleep", 2).abortAt("sh", 1);
        try (Pipeline.Run run = p.run()) {
            assertEquals("ABORTED", run.result());
            assertEquals(List.of("1: Aborted by anonymous", "finally"), echoes(run));
        }
    }

    @Test
    void aRemovedAgentInterruptsWhatRunsOnItAndRetryTakesAnother() {
        Pipeline p = Pipeline.of("""
                retry(count: 2, conditions: [agent()]) {
                  node('linux') { echo env.NODE_NAME; sh 'if [ $NODE_NAME = one ]; then sleep 30; fi' }
                }
                """).agent("one", "linux", 1).agent("two", "linux docker", 1).agentLostAt("one", "sh", 1);
        try (Pipeline.Run run = p.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(List.of("one", "two"), echoes(run));
            assertTrue(run.console().contains("Agent one was deleted; cancelling node body"), run.log());
        }
    }

    @Test
    void anAgentWithOneExecutorTakesOneNodeAtATime() {
        assertEquals(List.of("a in", "a out", "b in"), echoes(Pipeline.of("""
                parallel a: { node('x') { echo 'a in'; sleep 5; echo 'a out' } }, b: { node('x && !y') { echo 'b in' } }
                """).agent("one", "x", 1)));
    }

    @Test
    void aPasswordParameterIsASecretAndItsVariablePlain() {
        assertEquals(List.of("Secret s3 s3"), echoes(Pipeline.of("echo \"${params.P.getClass().simpleName} ${params.P} ${env.P}\"")
                .param("P", new Secret("s3"))));
    }

    @Test
    void causesAreThoseOrdered() {
        String script = "echo currentBuild.getBuildCauses().collect { it._class + ' ' + it.shortDescription }.toString()\n"
                + "echo \"${currentBuild.getBuildCauses('hudson.model.Cause$UserIdCause').collect { it.userId }}\"";
        assertEquals(List.of("[hudson.triggers.TimerTrigger$TimerTriggerCause Started by timer]", "[]"), echoes(Pipeline.of(
                script.replace("$UserIdCause", "\\$UserIdCause")).cause("timer")));
        assertEquals(List.of("[hudson.model.Cause$UserIdCause Started by user alice]", "[alice]"), echoes(Pipeline.of(
                script.replace("$UserIdCause", "\\$UserIdCause")).cause("user:alice")));
    }

    @Test
    void whatIsNotImitatedIsRefusedByName() {
        try (Pipeline.Run run = Pipeline.of("node { junit 'x.xml' }").run()) {
            assertEquals("FAILURE", run.result());
            assertTrue(run.log().contains("The pipeline runner does not imitate the step 'junit'"), run.log());
        }
    }

    @Test
    void anUnserializableLocalFailsTheWaitingStepOfALibraryToo(@TempDir Path folder) throws IOException {
        Path lib = library(folder, "vars/bad.groovy", "def call() { def m = ('a' =~ /a/); sleep 1; echo 'never' }\n");
        try (Pipeline.Run run = Pipeline.of("@Library('team') _\nbad()").library("team", lib, true).run()) {
            assertEquals("FAILURE", run.result());
            assertTrue(run.log().contains("NotSerializableException: java.util.regex.Matcher"), run.log());
            assertTrue(run.log().contains("bad.call(bad.groovy:1)"), "names the place: " + run.log());
        }
    }

    @Test
    void aSandboxedLibraryIsHeldToTheApprovedSignatures(@TempDir Path folder) throws IOException {
        Path lib = library(folder, "vars/grab.groovy", "def call() { System.getenv('PATH') }\n");
        Pipeline p = Pipeline.of("@Library('team') _\necho grab()").library("team", lib, false).sandbox(true);
        try (Pipeline.Run run = p.run()) {
            assertEquals("FAILURE", run.result());
            assertTrue(run.log().contains("Scripts not permitted to use staticMethod java.lang.System getenv java.lang.String"), run.log());
        }
    }

    @Test
    void nothingIsLeftOfAClosedRun() {
        Pipeline.Run run = Pipeline.of("node { writeFile file: 'a/b', text: 'x' }").run();
        assertTrue(Files.exists(run.workspaces().resolve("demo/a/b")));
        run.close();
        assertFalse(Files.exists(run.home()));
    }
}
