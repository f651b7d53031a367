package pipeline.declarative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pipeline.run.Pipeline;

/** What the recordings do not show of Declarative; the facts are from pipeline-model-definition's sources and own tests. */
class DeclarativeTest {
    private static Pipeline of(String body) {
        return Pipeline.of("def twice(String s) { s + s }\npipeline { " + body + " }").sandbox(true);
    }

    private static Pipeline stage(String body) {
        return of("agent none; stages { stage('S') { " + body + " } }");
    }

    private static void assertEnds(String result, Pipeline p, String... lines) {
        try (Pipeline.Run run = p.run()) {
            assertEquals(result, run.result(), run.log());
            assertTrue(run.console().containsAll(List.of(lines)), run.log());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "branch 'release/*' | true", "branch 'release/**' | true", "branch 'release' | false",
        "branch pattern: 'release/[0-9]+', comparator: 'REGEXP' | true",
        "environment name: 'KIND', value: 'big' | true", "environment name: 'KIND', value: 'BIG', ignoreCase: true | true",
        "environment name: 'NONE', value: '' | true", "equals expected: 2, actual: 1 + 1 | true", "equals expected: 'big', actual: env.KIND | true",
        "not { branch 'main' } | true", "allOf { branch 'release/*'; environment name: 'KIND', value: 'small' } | false",
        "anyOf { branch 'main'; expression { return KIND == 'big' } } | true", "expression { null } | false", "tag 'v*' | false",
        "buildingTag() | false", "expression { twice('a') == 'aa' } | true",
    })
    void whenHolds(String condition, boolean holds) {
        Pipeline p = stage("when { " + condition + " }\n steps { echo 'ran' }").env("BRANCH_NAME", "release/12").env("KIND", "big");
        try (Pipeline.Run run = p.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(holds, run.console().contains("ran"), run.log());
            assertEquals(!holds, run.console().contains("Stage \"S\" skipped due to when conditional"), run.log());
        }
    }

    /** By default a stage takes its agent first, and sees its variables; beforeAgent spares it. */
    @Test
    void whenBeforeAgentSparesTheAgent() {
        String rest = " expression { return env.WORKSPACE != null && false } }\n agent any\n steps { echo 'ran' }";
        try (Pipeline.Run late = stage("when { " + rest).run(); Pipeline.Run early = stage("when { beforeAgent true\n " + rest).run()) {
            assertTrue(late.console().contains("[Pipeline] node"), late.log());
            assertFalse(early.console().contains("[Pipeline] node"), early.log());
        }
    }

    @Test
    void environmentRefersToItselfAndOutside() {
        assertEnds("SUCCESS", of("agent none; environment { A = 'outer'; E = 'e' }\n stages { stage('S') { environment { A = \"${A} in ${B}\"\n B = twice('b')\n"
                + " C = \"${env.B}-${OUT}-${UNKNOWN}\"\n D = 'd' + \"${E}\" }\n steps { echo \"${A}|${B}|${C}|${D}\" } } }").env("OUT", "out"),
                "outer in bb|bb|bb-out-null|de");
    }

    @Test
    void parametersHaveDefaults() {
        String declared = "parameters { string(name: 'A', defaultValue: 'a'); booleanParam(name: 'B', defaultValue: true)\n"
                + " choice(name: 'C', choices: ['c1', 'c2']); password(name: 'P', defaultValue: 'pw'); text(name: 'T') }\n";
        assertEnds("SUCCESS", of("agent any\n" + declared + "stages { stage('S') { steps { echo \"${params.A} ${params.B} ${params.C} ${env.C} [${params.T}]\"\n"
                + " sh 'set +x; echo \"shell $A $P\"' } } }").param("A", "given"), "given true c1 c1 []", "shell given pw");
    }

    @Test
    void retriesAStageAndThePipeline() {
        String counting = "stages { stage('S') { %s steps { script { env.N = (env.N ?: '') + 'x'; if (env.N.length() < %d) { error 'again' } } }\n"
                + "post { always { echo \"N=${env.N}\" } } } }";
        assertEnds("SUCCESS", of("agent none; options { retry(3) }\n" + counting.formatted("", 3)), "N=x", "N=xx", "N=xxx");
        assertEnds("SUCCESS", of("agent none\n" + counting.formatted("options { retry(2) }\n", 2)), "N=x", "N=xx");
    }

    @Test
    void aMatrixHasCellsWithoutTheExcluded() {
        String matrix = "matrix { axes { axis { name 'OS'; values 'linux', 'mac' }\n axis { name 'V'; values '1', '2' } }\n"
                + "excludes { exclude { axis { name 'OS'; values 'mac' }\n axis { name 'V'; notValues '1' } } }\n"
                + "environment { BOTH = \"${OS}-${V}\" }\n when { expression { return V != '2' || OS == 'linux' } }\n"
                + "stages { stage('T') { steps { echo \"cell ${BOTH}\" } } }\n post { always { echo \"after ${OS} ${V}\" } } }";
        try (Pipeline.Run run = stage(matrix).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(List.of("cell linux-1", "cell mac-1", "cell linux-2"), run.console().stream().filter(l -> l.startsWith("cell")).toList());
            assertTrue(run.console().containsAll(List.of("[Pipeline] { (Branch: Matrix - OS = 'mac', V = '1')", "after linux 2", "after mac 1")), run.log());
        }
    }

    @Test
    void failFastForAllParallels() {
        String parallel = "stages { stage('P') { parallel { stage('a') { steps { error 'a' } }\n stage('b') { steps { sleep 60 }\n"
                + "post { aborted { echo 'b was stopped' }\n success { echo 'b went on' } } } } } }";
        assertEnds("FAILURE", of("agent none; options { parallelsAlwaysFailFast() }\n" + parallel), "b was stopped", "Failed in branch b");
        assertEnds("FAILURE", of("agent none\n" + parallel), "b went on");
    }

    @Test
    void skipsStagesOnceUnstable() {
        String stages = "stages { stage('A') { steps { unstable 'so so' } }\n stage('B') { steps { echo 'B ran' } } }";
        assertEnds("UNSTABLE", of("agent none\n" + stages), "B ran");
        assertEnds("UNSTABLE", of("agent none; options { skipStagesAfterUnstable() }\n" + stages),
                "Stage \"B\" skipped due to earlier stage(s) marking the build as unstable");
    }

    /** Nested stages of a skipped one are shown as skipped for the same reason; no post of theirs runs. */
    @Test
    void skipsWhatIsWithin() {
        String inner = "when { expression { false } }\n stages { stage('I') { steps { echo 'ran' }\n post { always { echo 'post' } } } }\n post { always { echo 'outer post' } }";
        try (Pipeline.Run run = stage(inner).run()) {
            assertTrue(run.console().contains("Stage \"I\" skipped due to when conditional"), run.log());
            assertTrue(run.console().stream().noneMatch(List.of("ran", "post", "outer post", "Post stage")::contains), run.log());
        }
    }

    @Test
    void takesAgentsByLabel() {
        Pipeline p = of("agent { label 'linux' }\n stages { stage('A') { steps { echo \"on ${NODE_NAME}\" } }\n stage('B') { agent { node { label \"${WHERE}\"\n"
                + " customWorkspace 'elsewhere' } }\n steps { echo \"then ${NODE_NAME} ${env.WORKSPACE.endsWith('elsewhere')}\" } } }").env("WHERE", "mac && fast");
        p.settings().agents = List.of(new pipeline.engine.Settings.AgentSpec("one", "linux", 1), new pipeline.engine.Settings.AgentSpec("two", "mac fast", 1));
        assertEnds("SUCCESS", p, "on one", "then two true");
    }

    @Test
    void runsOnePipelineBlockOnly() {
        String block = "pipeline { agent none; stages { stage('S') { steps { echo 'x' } } } }\n";
        try (Pipeline.Run run = Pipeline.of(block + block).run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertTrue(run.log().contains("java.lang.IllegalStateException: Only one pipeline { ... } block can be executed in a single run."), run.log());
        }
    }
}
