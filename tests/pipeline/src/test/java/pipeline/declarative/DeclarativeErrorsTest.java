package pipeline.declarative;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pipeline.run.Pipeline;

/** What Declarative does not accept fails before anything runs, in Jenkins' words; what the runner does not imitate is named. */
class DeclarativeErrorsTest {
    private static final String REFUSED = "The pipeline runner does not imitate ";

    private static void assertRejected(String text, String error) {
        try (Pipeline.Run run = Pipeline.of(text).run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertEquals(List.of(), run.steps());
            assertTrue(run.log().contains("MultipleCompilationErrorsException: startup failed:\nWorkflowScript: "), run.log());
            assertTrue(run.log().contains(": " + error), run.log());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "agent none | Missing required section \"stages\"",
        "stages { stage('A') { steps { echo 'a' } } } | Missing required section \"agent\"",
        "agent some; stages { stage('A') { steps { echo 'a' } } } | Only \"agent none\", \"agent any\" or \"agent {...}\" are allowed.",
        "agent none; banana { }; stages { stage('A') { steps { echo 'a' } } } | Undefined section \"banana\"",
        "agent none; stages { } | No stages specified",
        "agent none; stages { stage('A') { steps { echo 'a' } }; stage('A') { steps { echo 'b' } } } | Duplicate stage name: \"A\"",
        "agent none; stages { stage('A') { echo 'a' } } | Unknown stage section \"echo\".",
        "agent none; stages { stage('A') { steps { echo 'a' }; post { often { echo 'b' } } } } | Invalid condition \"often\" - valid conditions are [always, changed,",
        "agent none; environment { A = B }; stages { stage('A') { steps { echo 'a' } } } | Environment variable values must either be single quoted,",
    })
    void rejectsSections(String body, String error) {
        assertRejected("pipeline { " + body + " }", error);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "def x = 1 | Expected a step",
        "if (true) { echo 'a' } | Expected a step",
        "env.A = 'b' | Expected a step",
        "'a'.trim() | Method calls on objects not allowed outside \"script\" blocks.",
        "withEnv(['A=b']) { def x = 1 } | Expected a step",
        "ourVar { def x = 1 } | Expected a step",
        "node { echo 'a' } | Missing required parameter: \"label\"",
        "sh(scrpt: 'x') | Invalid parameter \"scrpt\", did you mean \"script\"?",
        "stage('b') { echo 'a' } | Invalid step \"stage\" used - not allowed in this context - The stage step cannot be used in Declarative Pipelines",
    })
    void rejectsSteps(String step, String error) {
        assertRejected("pipeline { agent none; stages { stage('A') { steps { " + step + " } } } }", error);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "tools { maven 'm' } | the section \"tools\"",
        "input { message 'go on?' } | the directive \"input\"",
        "agent { docker 'image' } | the agent type \"docker\"",
        "options { ansiColor('xterm') } | the stage option \"ansiColor\"",
        "when { changeset '*.java' } | the when condition \"changeset\"",
    })
    void refusesByName(String section, String what) {
        assertRejected("pipeline { agent none; stages { stage('A') { " + section + "; steps { echo 'a' } } } }", REFUSED + what);
    }

    @ParameterizedTest
    @CsvSource({"'node { pipeline { agent none } }'", "'if (true) { pipeline { agent none } }'"})
    void rejectsAPipelineWithinAnything(String text) {
        assertRejected(text, "pipeline block must be at the top-level, not within another block.");
    }
}
