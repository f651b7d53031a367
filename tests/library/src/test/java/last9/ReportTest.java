package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import groovy.json.JsonSlurperClassic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pipeline.run.Pipeline;

/** {@code last9DeploymentReport}: the build's windows as files in its archive, wherever it is called, and never a failed build. */
class ReportTest extends LibraryTest {
    private static final List<String> FILES =
            List.of("last9-deployments.css", "last9-deployments.html", "last9-deployments.json", "last9-deployments.md");

    private static Path archive(Pipeline.Run run) {
        return run.home().resolve("jobs/demo/builds/1/archive");
    }

    private static List<String> archived(Pipeline.Run run) throws IOException {
        if (!Files.isDirectory(archive(run))) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(archive(run))) {
            return files.filter(Files::isRegularFile).map(f -> archive(run).relativize(f).toString()).sorted().toList();
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> json(Pipeline.Run run) throws IOException {
        return (Map<String, Object>) new JsonSlurperClassic().parseText(Files.readString(archive(run).resolve("last9-deployments.json")));
    }

    @SuppressWarnings("unchecked")
    private static List<Map<String, Object>> deployments(Pipeline.Run run) throws IOException {
        return (List<Map<String, Object>>) json(run).get("deployments");
    }

    /** Nothing of the report is left beside the workspace or in it. */
    private static void assertTidy(Pipeline.Run run) throws IOException {
        try (Stream<Path> files = Files.walk(run.workspaces())) {
            assertEquals(List.of(), files.filter(f -> f.getFileName().toString().matches("report-.*|last9-deployments.*|archive")).toList());
        }
    }

    /** In post of a build without an agent, in the sandbox, after a failure: four files with what Last9 has, and the headline as description. */
    @Test
    void archivesThePageFromPost() throws IOException {
        String jenkinsfile = """
            @Library('last9') _
            pipeline {
              agent none
              stages { stage('Deploy') { agent any; steps { script {
                parallel(
                  a: { withLast9Deployment(serviceName: 'api', environment: 'production', version: '1.2') { sh 'true' } },
                  b: { withLast9Deployment(serviceName: 'worker', environment: 'production') { sh 'exit 1' } })
              } } } }
              post { always { script {
                def told = last9DeploymentReport(summary: true)
                echo "told: ${told}"
                echo "description: ${currentBuild.description}"
              } } }
            }
            """;
        try (var run = Pipeline.of(jenkinsfile).library("last9", CHECKOUT, false).sandbox(true).realTime()
                .env("LAST9_API_BASE_URL", last9.url).credential("last9-refresh-token", last9.refreshToken).run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertEquals(FILES, archived(run), run.log());
            assertEquals(List.of(), warnings(run));
            String headline = "2 deployments: 1 succeeded, 1 failed";
            assertTrue(run.console().contains("told: [archived:true, headline:" + headline + ", directory:null, warnings:[]]"), run.log());
            assertTrue(run.console().contains("description: " + headline), run.log());
            assertEquals(received(), told(run));
            assertTidy(run);
            assertSilentAbout(last9.refreshToken, run);
        }
    }

    /** What Last9 has of each window: service, start, stop, outcome. */
    private static TreeSet<String> received() {
        return last9.received().stream().collect(Collectors.groupingBy(e -> attributes(e).get("deployment.id"))).values().stream()
                .map(w -> attributes(w.get(0)).get("service_name") + " " + w.get(0).get("timestamp") + " " + w.get(1).get("timestamp")
                        + " " + attributes(w.get(1)).get("deployment.outcome"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static TreeSet<String> told(Pipeline.Run run) throws IOException {
        return deployments(run).stream()
                .map(d -> d.get("service") + " " + d.get("start") + " " + d.get("stop") + " " + d.get("outcome"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Markers through any var, windows still open, points, late and queued ones: the report shows each as such. */
    @Test
    void tellsWhatBecameOfEachMarker() throws IOException {
        last9.fault("[{\"on\": \"event\", \"times\": 1, \"status\": 429, \"headers\": {\"Retry-After\": \"60\"}}, {\"on\": \"event\", \"times\": 1, \"status\": 403}]");
        String jenkinsfile = """
            node {
              last9DeploymentMarker serviceName: 'late', eventState: 'start'
              last9DeploymentMarker serviceName: 'forbidden'
              last9DeploymentMarker serviceName: 'late'
              last9DeploymentMarker serviceName: 'point'
              last9DeploymentMarker serviceName: 'open', eventState: 'start'
              last9DeploymentMarker serviceName: 'lost', apiBaseUrl: 'http://127.0.0.1:9', timeoutSeconds: 1
              last9DeploymentMarker serviceName: 'shown', dryRun: true
              last9DeploymentMarker environment: 'refused'
              last9DeploymentReport()
            }
            """;
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            var fates = deployments(run).stream().collect(Collectors.toMap(d -> d.get("service").toString(),
                    d -> d.get("startMarker") + " " + d.get("stopMarker") + " " + d.get("outcome")));
            assertEquals(Map.of("late", "late sent success", "forbidden", "null refused success", "point", "null sent success", "open", "sent null running",
                    "lost", "null kept success", "shown", "null dry run success"), fates, run.log());
            assertTidy(run);
        }
    }

    /** What the library asked of the engine: the keys of the contract. */
    private static Map<?, ?> request(Pipeline.Run run) {
        return run.steps().stream().filter(s -> "writeFile".equals(s.get("step")))
                .map(s -> String.valueOf(((Map<?, ?>) s.get("args")).get("text"))).filter(t -> t.contains("last9DeploymentReport"))
                .map(t -> (Map<?, ?>) new JsonSlurperClassic().parseText(t)).findFirst().orElseThrow();
    }

    /** With {@code archive: false}, however that is written, the files are where the answer says, for a step of the team's own, and not in the archive. */
    @ParameterizedTest
    @ValueSource(strings = {"false", "'no'"})
    void leavesTheFilesToTheTeam(String no) throws IOException {
        String jenkinsfile = """
            node {
              last9DeploymentMarker serviceName: 's'
              def told = last9DeploymentReport(archive: %s)
              echo "archived ${told.archived}"
              dir(told.directory) { echo readFile('last9-deployments.md').readLines()[0] }
            }
            """.formatted(no);
        try (var run = pipeline(jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().containsAll(List.of("archived false", "1 deployment: 1 succeeded")), run.log());
            assertEquals(List.of(), archived(run));
        }
    }

    /** The library asks the engine with the keys of the contract, and no others. */
    @Test
    void asksAsTheContractSays() {
        try (var run = pipeline("node { last9DeploymentReport(summary: true) }").run()) {
            assertTrue(request(run).keySet().containsAll(Set.of("contract", "step", "timestampMs", "options", "report")), run.log());
            assertEquals(Map.of("summary", true), request(run).get("options"));
            assertEquals(Set.of("id", "records"), ((Map<?, ?>) request(run).get("report")).keySet());
            assertTrue(run.log().contains("[Last9] Deployment report: no deployments"), run.log());
        }
    }

    /** After a restart of the controller the report says that something is missing, in the log and in the files, and shows the rest. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void saysWhatARestartLost(boolean something) throws IOException {
        String before = something ? "last9DeploymentMarker serviceName: 'before'" : "echo 'nothing yet'";
        String jenkinsfile = "node { %s\n sleep 1\n last9DeploymentMarker serviceName: 'after'\n last9DeploymentReport() }".formatted(before);
        try (var run = pipeline(jenkinsfile).restartAt("sleep", 1).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(List.of("after"), deployments(run).stream().map(d -> d.get("service")).toList());
            assertEquals(something ? 1 : 0, warnings(run).stream().filter(w -> w.contains("controller restarted")).count(), run.log());
            assertEquals(something, json(run).get("notes").toString().contains("controller restarted"));
        }
    }

    /** A restart while the report is being made, or archived, neither loses nor doubles it. */
    @ParameterizedTest
    @CsvSource({"sh, 2", "archiveArtifacts, 1"})
    void survivesARestartItself(String step, int nth) throws IOException {
        String jenkinsfile = "node { last9DeploymentMarker serviceName: 's'\n def told = last9DeploymentReport(summary: true)\n echo \"${told.archived}\" }";
        try (var run = pipeline(jenkinsfile).restartAt(step, nth).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(FILES, archived(run), run.log());
            assertEquals(1, deployments(run).size());
            assertTrue(run.console().contains("true"), run.log());
            assertTidy(run);
        }
    }

    /** Records are bounded in number and size, also in the sandbox; what had to go is counted. */
    @Test
    void keepsRecordsWithinBounds() {
        String jenkinsfile = """
            def records = new org.last9.Records(this)
            List<String> many = []
            for (String text in params.MANY.split(',')) { many.add(text) }
            records.add(many)
            echo "${records.all().records.size()} kept, ${records.all().recordsDropped} dropped, first ${records.all().records[0]}"
            records.add([params.LARGE])
            echo "${records.all().records.size() < 200}, lost ${records.all().recordsLost}"
            """;
        try (var run = Pipeline.of("@Library('last9') _\n" + jenkinsfile).library("last9", CHECKOUT, false).sandbox(true).realTime()
                .param("MANY", IntStream.rangeClosed(1, 1005).mapToObj(n -> "record " + n).collect(Collectors.joining(",")))
                .param("LARGE", "x".repeat(999_000)).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("1000 kept, 5 dropped, first record 6"), run.log());
            assertTrue(run.console().contains("true, lost null"), run.log());
        }
    }

    /** No engine that answers, no room in the archive, wrong arguments: a warning each, and the build goes on. */
    @Test
    void neverFailsTheBuild() throws IOException {
        String jenkinsfile = """
            node {
              last9DeploymentMarker serviceName: 's'
              sh 'mkdir -p ../../jobs/demo/builds/1 && touch ../../jobs/demo/builds/1/archive' // a file where the archive should be
              def told = last9DeploymentReport('everything')
              echo "warnings ${told.warnings.size()}, archived ${told.archived}"
              withEnv(['LAST9_PYTHON=ENGINE']) { last9DeploymentReport() }
              echo 'still here'
            }
            """;
        try (var run = pipeline(jenkinsfile.replace("ENGINE", engineWithoutAnswer())).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().containsAll(List.of("still here", "warnings 1, archived false")), run.log());
            assertEquals(1, warnings(run).stream().filter(w -> w.contains("could not be archived")).count(), run.log());
            assertEquals(1, warnings(run).stream().filter(w -> w.contains("the engine ended with exit status 1, so there is no report")).count(), run.log());
            assertTidy(run);
            assertTrue(warnings(run).stream().anyMatch(w -> w.contains("last9DeploymentReport ignored positional arguments")), run.log());
        }
    }

    /** A person's abort while the report is made is an abort. */
    @Test
    void letsAnAbortThrough(@TempDir Path folder) throws IOException {
        Path endless = Files.writeString(folder.resolve("python"), "#!/bin/sh\nexec sleep 60\n"); // the real engine might be done before the abort
        assertTrue(endless.toFile().setExecutable(true));
        try (var run = pipeline("node { last9DeploymentReport()\n echo 'not reached' }").agentEnv("LAST9_PYTHON", endless.toString()).abortAt("sh", 1).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("not reached"), run.log());
        }
    }
}
