package pipeline.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Builds of one job know of each other as Jenkins' do, one after another and at the same time. */
class JobTest {
    private static final String LOOK_BACK = """
            def b = currentBuild.previousBuild
            def numbers = ''
            while (b != null) { numbers = "${numbers} ${b.number}:${b.result}:${b.buildVariables.X}"; b = b.previousBuild }
            echo numbers.trim()
            echo "completed ${currentBuild.previousCompletedBuild?.number} in progress ${currentBuild.previousBuildInProgress?.number}"
            """;

    private static List<String> echoes(Pipeline.Run run) {
        return run.steps().stream().filter(s -> "echo".equals(s.get("step"))).map(s -> ((Map<?, ?>) s.get("args")).get("message").toString()).toList();
    }

    private static List<String> lookBack(Job job) {
        return echoes(job.run(Pipeline.of(LOOK_BACK).sandbox(true)));
    }

    /** Later builds see number, result and what env.X = has set, in the sandbox, back to the first; a deleted one is left out. */
    @Test
    void buildsOneAfterAnother() {
        try (Job job = new Job("demo")) {
            assertEquals(List.of("", "completed null in progress null"), lookBack(job));
            job.run(Pipeline.of("env.X = 'two'; withEnv(['X=inner', 'Y=y']) { error 'no' }"));
            job.run(Pipeline.of("env.X = 'three'; unstable 'flaky'"));
            assertEquals(List.of("3:UNSTABLE:three 2:FAILURE:two 1:SUCCESS:null", "completed 3 in progress null"), lookBack(job));
            job.delete(3);
            assertEquals(List.of("4:SUCCESS:null 2:FAILURE:two 1:SUCCESS:null", "completed 4 in progress null"), lookBack(job));
        }
    }

    /** A build that runs while another one waits: the older is still running, with any result; it holds its workspace; clocks agree. */
    @Test
    void buildsAtTheSameTime() {
        List<String> seen = new ArrayList<>();
        try (Job job = new Job("demo")) {
            Pipeline first = Pipeline.of("node { env.X = 'one'; unstable 'flaky'; sleep 3600; echo env.WORKSPACE }").afterText("Sleeping", () -> {
                seen.addAll(lookBack(job));
                seen.addAll(echoes(job.run(Pipeline.of("node { echo env.WORKSPACE.endsWith('@2').toString() }"))));
            });
            Pipeline.Run one = job.run(first);
            assertEquals("UNSTABLE", one.result(), one.log());
            assertEquals(List.of("1:UNSTABLE:one", "completed null in progress 1", "true"), seen);
            Pipeline.Run last = job.run(Pipeline.of("echo \"${currentBuild.startTimeInMillis}\""));
            assertTrue(last.state().startedAt >= one.state().endedAt, "the next build starts after the end of an hour's sleep");
        }
    }

    /** A hard kill ends a build ABORTED, a kill -9 under PERFORMANCE_OPTIMIZED FAILURE; neither runs its finally, and what it set stays. */
    @Test
    void buildsThatEndHard() {
        String script = "env.X = 'kept'; node { try { sh 'echo started; sleep 60' } finally { env.X = 'finally' } }";
        try (Job job = new Job("demo")) {
            Pipeline.Run killed = job.run(Pipeline.of(script).afterText("kill", "^started"));
            assertEquals("ABORTED", killed.result(), killed.log());
            Pipeline lost = Pipeline.of(script).afterText("restart", "^started");
            lost.settings().performanceOptimized = true;
            Pipeline.Run crashed = job.run(lost);
            assertEquals("FAILURE", crashed.result(), crashed.log());
            assertFalse(crashed.log().contains("Finished:"), crashed.log());
            assertEquals(List.of("2:FAILURE:kept 1:ABORTED:kept", "completed 2 in progress null"), lookBack(job));
        }
    }

    /** An interrupted sh ends every sh of its folder, those of another build too. */
    @Test
    void anInterruptionReachesAnotherBuildInTheSameFolder() {
        try (Job job = new Job("demo")) {
            String shared = "node { ws(env.JENKINS_HOME + '/shared') { %s } }";
            Pipeline other = Pipeline.of(shared.formatted("timeout(time: 1, unit: 'SECONDS') { sh 'sleep 60' }"));
            Pipeline first = Pipeline.of(shared.formatted("try { sh 'echo started; sleep 60' } catch (e) { echo \"${e.class.simpleName} ${e.message}\" }"))
                    .afterText("^started", () -> job.run(other));
            Pipeline.Run run = job.run(first);
            assertEquals(List.of("AbortException script returned exit code 143"), echoes(run), run.log());
        }
    }

    /** After the job was renamed its older builds show the new name. */
    @Test
    void aRenamedJob() {
        try (Job job = new Job("old")) {
            job.run(Pipeline.of("echo 'x'"));
            job.rename("new");
            assertEquals(List.of("new http://jenkins.example.test/job/new/1/"), echoes(job.run(Pipeline.of(
                    "echo \"${currentBuild.previousBuild.fullProjectName} ${currentBuild.previousBuild.absoluteUrl}\""))));
        }
    }

    /** A build that a restart took to a new process still knows the builds before it, as they were when it left. */
    @Test
    void afterARestart() {
        try (Job job = new Job("demo")) {
            job.run(Pipeline.of("env.X = 'one'"));
            assertEquals(List.of("1:SUCCESS:one", "completed 1 in progress null"), echoes(job.run(Pipeline.of("node { sh 'sleep 1' }\n" + LOOK_BACK).restartAt("sh", 1))));
        }
    }
}
