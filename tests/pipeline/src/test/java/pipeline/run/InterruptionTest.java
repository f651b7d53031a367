package pipeline.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import pipeline.engine.Settings;

/** Moments that no recording could hit: what interrupts an {@code sh} between its script's end and Jenkins' next look, by whom, and when looks are. */
class InterruptionTest {
    private static List<String> echoes(Pipeline.Run run) {
        return run.steps().stream().filter(s -> "echo".equals(s.get("step"))).map(s -> ((Map<?, ?>) s.get("args")).get("message").toString()).toList();
    }

    private static void holds(Pipeline p, String result, String... echoes) {
        try (Pipeline.Run run = p.run()) {
            assertEquals(result, run.result(), run.log());
            assertEquals(List.of(echoes), echoes(run), run.log());
        }
    }

    /** An abort in the gap after a script that ended with 0 is lost: the next step runs, and the build ends ABORTED all the same. */
    @Test
    void anAbortInTheGapIsLostToAZero() {
        holds(Pipeline.of("node { sh 'true'; echo 'next step' }").abortInGap("sh", 1), "ABORTED", "next step");
        holds(Pipeline.of("node { echo 'got ' + sh(script: 'echo x', returnStdout: true).trim() }").abortInGap("sh", 1), "ABORTED", "got x");
    }

    /** A status that is not 0 keeps it, also in the sandbox, and without an interruption prints nothing. */
    @Test
    void anAbortInTheGapIsKeptByAnyOtherStatus() {
        String script = "node { try { echo 'status ' + sh(script: 'exit 77', returnStatus: true) } catch (e) { echo e.message; throw e } }";
        for (boolean sandbox : new boolean[] {false, true}) {
            holds(Pipeline.of(script).sandbox(sandbox).abortInGap("sh", 1), "ABORTED", "Aborted by anonymous");
        }
        try (Pipeline.Run run = Pipeline.of(script).run()) {
            assertEquals(List.of("status 77"), echoes(run));
            assertFalse(run.log().contains("script returned exit code"), run.log());
        }
    }

    /** A time limit that runs out in the gap: lost to 0, kept by 77. */
    @Test
    void aTimeLimitInTheGap() {
        String script = "node { timeout(5) { def s = sh(script: 'exit %d', returnStatus: true); echo \"status ${s}\" } }";
        holds(Pipeline.of(script.formatted(0)).timeoutAt("sh", 1, Settings.GAP), "SUCCESS", "status 0");
        holds(Pipeline.of(script.formatted(77)).timeoutAt("sh", 1, Settings.GAP), "ABORTED");
    }

    /** A failing sibling under failFast in the gap: the same. */
    @Test
    void failFastInTheGap() {
        String script = """
                node { parallel failFast: true, other: { sleep 60 }, ours: {
                    try { def s = sh(script: 'exit %d', returnStatus: true); echo "status ${s}" } catch (e) { echo e.message; throw e } } }
                """;
        holds(Pipeline.of(script.formatted(0)).siblingFailsAt("other", "sh", 1, Settings.GAP), "FAILURE", "status 0");
        holds(Pipeline.of(script.formatted(77)).siblingFailsAt("other", "sh", 1, Settings.GAP), "FAILURE", "Failed in branch other");
    }

    /** Stop is pressed at a given millisecond of a step: 40 ms into a script of a minute the process gets its signal, 200 ms after one that was quick is the gap. */
    @Test
    void anAbortAtAMillisecond() {
        String slow = "node { try { sh 'sleep 60' } finally { echo 'finally' } }";
        try (Pipeline.Run run = Pipeline.of(slow).abortAt("sh", 1, 40).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertTrue(run.console().contains("script returned exit code 143"), run.log());
        }
        holds(Pipeline.of("node { sh 'true'; echo 'next' }").abortAt("sh", 1, 200), "ABORTED", "next");
        holds(Pipeline.of("node { sh 'true'; echo 'before'; sleep 5; echo 'never' }").abortAt("sh", 1, 700), "ABORTED", "before");
    }

    /** Jenkins looks after 0.25, 0.5, 0.8 s: what takes 0.6 s of real time is handed over at 0.8 s of the build's clock. */
    @Test
    void aScriptIsHandedOverAtALook() {
        try (Pipeline.Run run = Pipeline.of("node { sh 'true' }").run()) {
            assertEquals(1, run.cost().get("looks"), run.log());
            long took = run.state().endedAt - run.state().startedAt;
            assertTrue(took >= 250, took + " ms");
        }
        try (Pipeline.Run run = Pipeline.of("node { sh 'sleep 0.55' }").run()) {
            assertTrue((Integer) run.cost().get("looks") >= 3, run.log());
            assertTrue(run.state().endedAt - run.state().startedAt >= 800, run.log());
        }
    }

    /** Five seconds after its first signal all of a tree that does not end gets SIGTERM, and no process SIGKILL: a child that ignores it goes on. */
    @Test
    void nobodyIsKilledByForce() {
        String script = "trap '' TERM; i=0; while [ $i -lt 7 ]; do i=$((i+1)); sleep 1; done; echo survived; exit 5";
        try (Pipeline.Run run = Pipeline.of("node { try { sh '''" + script + "''' } finally { echo 'finally' } }").abortAt("sh", 1, 300).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertTrue(run.console().contains("survived"), run.log());
            assertTrue(run.console().contains("script returned exit code 5"), run.log());
        }
    }

    /** A step that a restart cuts off fails in the words of today's workflow-step-api, or on request in those before February 2025. */
    @Test
    void theMessageAfterARestart() {
        String script = "try { withCredentials([string(credentialsId: 'x', variable: 'X')]) { } } catch (e) { echo e.message }";
        try (Pipeline.Run run = Pipeline.of(script).credential("x", "secret").restartAt("withCredentials", 1).run()) {
            assertTrue(echoes(run).get(0).startsWith("The Pipeline step `withCredentials` cannot be resumed after a controller restart. In Scripted syntax, you may"), run.log());
        }
        Pipeline old = Pipeline.of(script).credential("x", "secret").restartAt("withCredentials", 1);
        old.settings().oldResumeMessage = true;
        try (Pipeline.Run run = old.run()) {
            assertTrue(echoes(run).get(0).endsWith("it doesn't support resume after a restart."), run.log());
        }
    }

    /** Names that differ in case are one variable to env, not to params; processes see the name as it was written; a global property wins over a parameter. */
    @Test
    void environmentIgnoresCase() {
        String script = "node { echo \"${env.TARGET} ${env.target} ${params.containsKey('TARGET')}\"; "
                + "echo sh(script: 'echo \"$target,$TARGET\"', returnStdout: true).trim() }";
        holds(Pipeline.of(script).param("target", "typed"), "SUCCESS", "typed typed false", "typed,");
        holds(Pipeline.of(script).param("target", "typed").env("TARGET", "global"), "SUCCESS", "global global false", "global,");
    }

    /** Null of readJSON is an object with the text null, at every depth; with returnPojo it is null. */
    @Test
    void jsonNullIsAnObject() {
        holds(Pipeline.of("""
                def j = readJSON text: '{"a": null, "b": [null], "c": {"d": null}}'
                echo "${j.a} ${j.a == null} ${j.b[0] == null} ${j.c.d == null}"
                def p = readJSON text: '{"a": null}', returnPojo: true
                echo "${p.a == null}"
                """), "SUCCESS", "null false false false", "true");
    }

    /** The administrator's shell runs scripts without a shebang, those with one are executed. */
    @Test
    void theAdministratorsShell() {
        holds(Pipeline.of("node { echo sh(script: 'echo \"bash:${BASH_VERSION:+yes}\"', returnStdout: true).trim() }").shell("bash"), "SUCCESS", "bash:yes");
        holds(Pipeline.of("node { echo sh(script: '#!/bin/sh\\necho \"bash:${BASH_VERSION:+yes}\"', returnStdout: true).trim() }").shell("bash"), "SUCCESS", "bash:");
    }

    /** What a build cost: flow nodes by kind, looks, and in the sandbox what was intercepted. */
    @Test
    void costIsCounted() {
        try (Pipeline.Run run = Pipeline.of("node { timeout(1) { sh 'true' }; echo env.JOB_NAME }").sandbox(true).run()) {
            Map<?, ?> nodes = (Map<?, ?>) run.cost().get("nodes");
            assertEquals(run.flowNodes(), nodes.values().stream().mapToInt(n -> (Integer) n).sum());
            assertEquals(1, nodes.get("sh"));
            assertEquals(4, nodes.get("timeout {}"));
            assertEquals(4, nodes.get("node {}"));
            assertTrue((Long) run.cost().get("intercepted") > 0);
        }
    }
}
