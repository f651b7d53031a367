package pipeline.declarative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import pipeline.run.Pipeline;

/** A Declarative pipeline goes on in a new JVM wherever its controller is restarted, as one that was never disturbed. */
@Execution(ExecutionMode.CONCURRENT)
class DeclarativeRestartTest {
    private static final String TEXT = """
            def computed() { sh(script: 'sleep 0.5; echo computed', returnStdout: true).trim() }
            pipeline {
              agent any
              options { timeout(time: 5, unit: 'MINUTES') }
              environment { A = computed(); B = "${A} twice"; TOKEN = credentials('token') }
              stages {
                stage('plain') {
                  steps { sh 'echo "plain $A, $B"; sleep 0.5' }
                  post { always { sh 'echo post of plain; sleep 0.5' } }
                }
                stage('both') {
                  parallel {
                    stage('x') { steps { sh 'echo "x $TOKEN"; sleep 0.5' } }
                    stage('y') {
                      when { expression { sh(script: 'sleep 0.5', returnStatus: true) == 0 } }
                      steps { script { for (i in [1, 2]) { sh "echo y ${i}; sleep 0.5" } } }
                    }
                  }
                }
                stage('cells') {
                  matrix {
                    axes { axis { name 'OS'; values 'linux', 'mac' } }
                    stages { stage('cell') { steps { sh 'echo "cell $OS"; sleep 0.5' } } }
                  }
                }
                stage('nested') { stages { stage('fails') { agent any; steps { sh 'sleep 0.5; exit 3' } } } }
                stage('skipped') { steps { echo 'never' } }
              }
              post {
                failure { sh 'echo "failed $A"; sleep 0.5' }
                cleanup { echo "${currentBuild.currentResult} ${env.B}" }
              }
            }
            """;
    /** Two of them compute A: once for itself and once for B, which refers to it. */
    private static final int SHELLS = 12;
    private static List<String> undisturbed;

    private static Pipeline pipeline() {
        return Pipeline.of(TEXT).sandbox(true).credential("token", "a-secret");
    }

    @BeforeAll
    static void runUndisturbed() {
        try (Pipeline.Run run = pipeline().run()) {
            undisturbed = said(run);
            assertEquals(SHELLS, run.steps().stream().filter(s -> "sh".equals(s.get("step"))).count(), run.log());
            assertTrue(undisturbed.containsAll(List.of("plain computed, computed twice", "post of plain", "x ****", "y 2", "cell mac", "failed computed",
                    "FAILURE computed twice", "ERROR: script returned exit code 3", "Stage \"skipped\" skipped due to earlier failure(s)")), run.log());
        }
    }

    /** What the pipeline and its processes said; branches in any order. Timeout and node say again what they said before. */
    private static List<String> said(Pipeline.Run run) {
        List<String> r = new ArrayList<>(run.console());
        r.removeIf(l -> l.startsWith("Resuming build") || l.startsWith("Ready to run") || l.startsWith("Timeout set") || l.startsWith("Running on"));
        r.sort(null);
        return r;
    }

    static Stream<Integer> shells() {
        return IntStream.rangeClosed(1, SHELLS).boxed();
    }

    @ParameterizedTest(name = "while sh number {0} runs")
    @MethodSource("shells")
    void goesOn(int number) {
        try (Pipeline.Run run = pipeline().restartAt("sh", number).run()) {
            assertTrue(run.log().contains("Resuming build at"), run.log());
            assertEquals("FAILURE", run.result());
            assertEquals(undisturbed, said(run));
        }
    }
}
