package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pipeline.run.Pipeline;

/** The Jenkinsfiles in the folders of examples/: several teams on one Jenkins, markers beside a Freestyle job, containers. */
class ScenariosTest extends LibraryTest {
    private static final Path EXAMPLES = CHECKOUT.resolve("examples");
    private static final String ACME = FakeLast9.token(Map.of("organization_slug", "acme"));
    private static final String EMEA = FakeLast9.token(Map.of("organization_slug", "acme-emea"));
    private static final String SEARCH = FakeLast9.token(Map.of("organization_slug", "acme-search"));

    /** In place of the usual one: one Last9 with three organizations, and a token for each that names its own. */
    @BeforeAll
    static void startLast9() {
        last9 = FakeLast9.start(CHECKOUT, "--organization", "acme", "acme-emea", "acme-search", "--refresh-token", ACME, EMEA, SEARCH);
    }

    /** Each profile's markers reach its own organization, with its own credential and metrics cluster, and no other. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void routingProfilesKeepOrganizationsApart(boolean sandboxed) {
        try (var run = example("several-teams/routing-profiles", sandboxed).credential("last9-acme", ACME).credential("last9-acme-emea", EMEA).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("acme start null, acme stop null, acme-emea start emea-metrics, acme-emea stop emea-metrics",
                    told("organization", "event_state", "data_source_name"), run.log());
            assertQuiet(run);
        }
    }

    /** A profile whose credential is missing sends nothing at all: no other team's credential steps in. */
    @Test
    void missingCredentialOfAProfileSendsNothingElsewhere() {
        try (var run = example("several-teams/routing-profiles", false).credential("last9-acme", ACME).credential("last9-refresh-token", SEARCH).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("acme start, acme stop", told("organization", "event_state"), run.log());
            assertTrue(run.log().contains("there is no credential 'last9-acme-emea'"), run.log());
        }
    }

    /** What a folder's properties name is where its jobs' markers go, with not a word in the Jenkinsfile. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void folderPropertiesReachTheMarkers(boolean sandboxed) {
        String folder = "def withFolderProperties(Closure body) { withEnv(['LAST9_ORG_SLUG=acme-search', 'LAST9_CREDENTIAL_ID=search-token']) { body() } }";
        try (var run = example("several-teams/folder-properties", sandboxed, folder).credential("search-token", SEARCH).credential("last9-refresh-token", ACME).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("acme-search start search, acme-search stop search", told("organization", "event_state", "service"), run.log());
            assertQuiet(run);
        }
    }

    /** One credential id in every folder: the token alone decides, so the same Jenkinsfile serves each team. */
    @Test
    void tokenOfTheFolderDecides() {
        for (var team : Map.of("acme", ACME, "acme-search", SEARCH).entrySet()) {
            try (var run = example("01-declarative-window", false).credential("last9-refresh-token", team.getValue()).run()) {
                assertEquals("SUCCESS", run.result(), run.log());
                assertEquals(team.getKey() + " start, " + team.getKey() + " stop", told("organization", "event_state"), run.log());
                assertQuiet(run);
            }
            last9.reset();
        }
    }

    /** Build parameters choose tenant and credential; blank ones leave it to the administrator. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "acme-emea | emea-token | acme-emea start staging, acme-emea stop staging",
        "''        | ''         | acme start staging, acme stop staging",
    })
    void buildParametersChooseTheTenant(String tenant, String credential, String expected) {
        try (var run = example("several-teams/build-parameters", false).env("LAST9_ORG_SLUG", "acme")
                .param("TENANT", tenant).param("TENANT_CREDENTIAL", credential).param("ENVIRONMENT", "staging")
                .credential("emea-token", EMEA).credential("last9-refresh-token", ACME).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(expected, told("organization", "event_state", "env"), run.log());
            assertQuiet(run);
        }
    }

    /** The downstream job tells of the build that triggered it: its result, outcome, name, number and address, not its own. */
    @ParameterizedTest
    @CsvSource({"SUCCESS, success", "UNSTABLE, unstable", "FAILURE, failure"})
    void downstreamJobSendsTheMarkerOfTheBuildThatTriggeredIt(String result, String outcome) {
        String upstream = "[result: '" + result + "', fullProjectName: 'payments/deploy', number: 41, absoluteUrl: 'https://jenkins/job/41/', duration: 1234L]";
        String jenkinsfile = text("freestyle/marker-after-build").replace("currentBuild.upstreamBuilds[0]", upstream);
        assertFalse(jenkinsfile.contains("upstreamBuilds"));
        try (var run = pipeline(jenkinsfile, false).credential("last9-refresh-token", ACME).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("stop " + outcome + " " + result + " payments/deploy 41 https://jenkins/job/41/ 1234", told("event_state", "deployment.outcome",
                    "jenkins_build_result", "jenkins_job_name", "jenkins_build_number", "jenkins_build_url", "jenkins_build_duration_ms"), run.log());
            // Nothing of the marker job itself under the other spelling.
            assertEquals("null null " + outcome, told("jenkins.build_result", "jenkins.build_url", "deployment.outcome"), run.log());
            assertQuiet(run);
        }
    }

    /** A window around a whole job, from a pipeline without an agent: it ends as that job did, by what the build step throws. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "SUCCESS  | echo 'deployed'                             | success",
        "FAILURE  | throw new hudson.AbortException('no such')  | failure",
        "FAILURE  | fail('FAILURE')                             | failure",
        "UNSTABLE | fail('UNSTABLE')                            | unstable",
        "ABORTED  | fail('ABORTED')                             | aborted",
    })
    void windowAroundAJobEndsAsTheJobDid(String result, String job, String outcome) {
        // pipeline-build-step: BuildTriggerListener throws this, with DownstreamFailureCause's words, for a job that did not succeed
        String step = """
            class NotSuccessful extends jenkins.model.CauseOfInterruption {
                String result
                @com.cloudbees.groovy.cps.NonCPS String getShortDescription() { "deploy-payments-api #7 completed with status $result (propagate: false to ignore)" }
            }
            def fail(String result) {
                throw new org.jenkinsci.plugins.workflow.steps.FlowInterruptedException(hudson.model.Result.fromString(result), false, new NotSuccessful(result: result))
            }
            def build(Map job) { assert job.job == 'deploy-payments-api'; %s }
            """.formatted(job);
        try (var run = example("freestyle/window-around-a-job", false, step).credential("last9-refresh-token", ACME).run()) {
            assertEquals(result, run.result(), run.log());
            assertEquals("start null, stop " + outcome, told("event_state", "deployment.outcome"), run.log());
            assertEquals(1, last9.received().stream().map(e -> attributes(e).get("deployment.id")).distinct().count());
            assertEquals(2, run.console().stream().filter("Timeout set to expire in 1 min 15 sec"::equals).count(), run.log()); // no one has pressed stop
            assertQuiet(run);
        }
    }

    /** The deployment runs in its own container, the markers where Python is; a failing deployment is a failed window. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "kubernetes/declarative-pod                          | def container(String name, Closure body) { echo \"in $name\"; body() }",
        "agent-without-python/marker-outside-the-container   | docker = [image: { image -> [inside: { options, body -> echo \"in $image\"; body() }] }]",
        "agent-without-python/image-with-python              | def unused() { }",
    })
    void containersKeepMarkersAndDeploymentApart(String example, String steps) {
        String jenkinsfile = text(example).replaceAll("(?s)agent \\{\n.*?\n    }\n", "agent any\n").replace("echo deploying payments-api", "exit 1");
        assertTrue(jenkinsfile.contains("agent any") && jenkinsfile.contains("sh 'exit 1'"), jenkinsfile);
        // In Jenkins `container` and `docker` come with their plugins; here they only run their block.
        String script = steps.startsWith("def ") ? jenkinsfile + steps : jenkinsfile.replace("pipeline {", steps + "\npipeline {");
        try (var run = pipeline(script, false).credential("last9-refresh-token", ACME).run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertEquals("start null, stop failure", told("event_state", "deployment.outcome"), run.log());
            assertQuiet(run);
        }
    }

    /** On an agent with curl and without Python the example's window arrives. */
    @Test
    void curlSendsWherePythonIsMissing() throws IOException {
        String jenkinsfile = text("agent-without-python/by-curl").replaceAll("(?s)agent \\{\n.*?\n    }\n", "agent any\n").replace("https://app.last9.io", last9.url);
        try (var run = Pipeline.of(jenkinsfile).library(CHECKOUT).realTime().env("LAST9_TIMEOUT_SECONDS", "60").credential("last9-refresh-token", ACME)
                .agentEnv("PATH", LibraryTest.toolsButPython().toString()).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start null, stop success", told("event_state", "deployment.outcome"), run.log());
            assertEquals(2, run.console().stream().filter(line -> line.startsWith("[Last9] Sent by curl")).count(), run.log());
        }
    }

    /** Every Jenkinsfile in a folder has a test above: a new one needs a row of its own. */
    @Test
    void knowsEveryScenario() throws IOException {
        try (Stream<Path> files = Files.walk(EXAMPLES)) {
            assertEquals(new TreeSet<>(List.of("agent-without-python/by-curl", "agent-without-python/image-with-python", "agent-without-python/marker-outside-the-container",
                    "freestyle/marker-after-build", "freestyle/window-around-a-job", "kubernetes/declarative-pod",
                    "several-teams/build-parameters", "several-teams/folder-properties", "several-teams/routing-profiles")),
                    files.map(f -> EXAMPLES.relativize(f).toString()).filter(f -> f.contains("/") && f.endsWith(".Jenkinsfile"))
                            .map(f -> f.replace(".Jenkinsfile", "")).collect(Collectors.toCollection(TreeSet::new)));
        }
    }

    private static Pipeline example(String name, boolean sandboxed, String... more) {
        return pipeline(text(name) + String.join("\n", more), sandboxed);
    }

    private static Pipeline pipeline(String jenkinsfile, boolean sandboxed) {
        return Pipeline.of(jenkinsfile).library("last9", CHECKOUT, !sandboxed).sandbox(sandboxed).realTime().env("LAST9_API_BASE_URL", last9.url).env("LAST9_TIMEOUT_SECONDS", "60");
    }

    private static String text(String example) {
        try {
            return Files.readString(EXAMPLES.resolve(example + ".Jenkinsfile"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Those keys of each event, in order: its own or, where it has none, its attributes'. */
    private static String told(String... keys) {
        return last9.received().stream().map(e -> Stream.of(keys)
                .map(key -> String.valueOf(e.getOrDefault(key, attributes(e).get(key))))
                .collect(Collectors.joining(" "))).collect(Collectors.joining(", "));
    }

    private static void assertQuiet(Pipeline.Run run) {
        assertEquals(List.of(), warnings(run), run.log());
        for (String secret : List.of(ACME, EMEA, SEARCH)) {
            assertSilentAbout(secret, run);
        }
    }
}
