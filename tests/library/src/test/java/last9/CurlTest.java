package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import groovy.json.JsonOutput;
import groovy.json.JsonSlurperClassic;
import hudson.util.Secret;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pipeline.run.Pipeline;

/** On an agent without Python curl sends the marker: the same one with fewer labels, to no one else, and any failure is logged and harmless. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class CurlTest extends LibraryTest {
    private static final Path CONTRACT = CHECKOUT.resolve("tests/contract");
    /** Labels that both ways send, and the custom attributes of these tests. */
    private static final List<String> SHARED = List.of("service", "service_name", "deployment_environment", "env", "deployment.id", "deployment.outcome",
            "deployment.window_duration_ms", "version", "jenkins.job_name", "jenkins.build_number", "jenkins.build_url");
    private static final String SENT = "[Last9] Sent by curl, as this agent has no usable Python: ";
    private static final String WINDOW = "withLast9Deployment(serviceName: 's', environment: 'production', version: '1.2') { echo 'body ran' }\n";
    private static final String QUEUED = ". The marker is queued until this build sends another from an agent with Python. If there is none, it is lost";
    private static Path tools;

    @BeforeAll
    static void findTools() throws IOException {
        tools = toolsButPython();
    }

    /** On an agent without Python, with the set-up that curl needs. */
    private static Pipeline bare(String jenkinsfile) {
        return pipeline(jenkinsfile).agentEnv("PATH", tools.toString()).env("LAST9_ORG_SLUG", "acme");
    }

    private static List<String> sent(Pipeline.Run run) {
        return run.console().stream().filter(line -> line.startsWith(SENT)).map(line -> line.substring(SENT.length(), line.indexOf(". It lacks"))).toList();
    }

    private static long shells(Pipeline.Run run) {
        return run.steps().stream().filter(s -> "sh".equals(s.get("step"))).count();
    }

    private static List<String> exchangesAndEvents() {
        return last9.paths().stream().map(path -> path.substring(path.lastIndexOf('/') + 1)).toList();
    }

    /** In each shell: a block, a manual pair and a stop in post arrive as windows, one line each, no warning, no token in log or file; the build remembers the node. */
    @ParameterizedTest
    @ValueSource(strings = {"dash", "bash", "busybox", "ksh", "zsh"})
    void sendsInEachShell(String shell) throws IOException {
        String jenkinsfile = """
            pipeline {
              agent any
              stages {
                stage('Deploy') {
                  steps {
                    withLast9Deployment(serviceName: 'block', environment: 'production') { echo 'body ran' }
                    last9DeploymentMarker serviceName: 'pair', eventState: 'start'
                    last9DeploymentMarker serviceName: 'pair'
                    last9DeploymentMarker serviceName: 'post', eventState: 'start'
                  }
                }
              }
              post { always { last9DeploymentMarker serviceName: 'post' } }
            }
            """;
        String program = shell;
        if (shell.equals("busybox")) {
            Path link = Files.createTempDirectory("shell").resolve("sh");
            Files.createSymbolicLink(link, Path.of("/usr/bin/busybox"));
            program = link.toString();
        }
        try (var run = bare(jenkinsfile).shell(program).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start block, stop block, start pair, stop pair, start post, stop post", markers(), run.log());
            assertEquals(List.of("start marker of block", "stop marker of block", "start marker of pair", "stop marker of pair", "start marker of post", "stop marker of post"),
                    sent(run).stream().map(line -> line.substring(4, line.indexOf(" (deployment)"))).toList());
            assertEquals(List.of(), warnings(run));
            assertEquals(7, shells(run), "the launcher once, then curl at once");
            for (int i : List.of(0, 2, 4)) {
                Map<String, Object> stop = attributes(last9.received().get(i + 1));
                assertEquals(attributes(last9.received().get(i)).get("deployment.id"), stop.get("deployment.id"));
                assertEquals("success", stop.get("deployment.outcome"));
            }
            assertSilentAbout(last9.refreshToken, run);
            try (var files = Files.walk(run.workspaces())) {
                assertEquals(List.of("answer"), files.map(f -> f.getFileName().toString()).filter(f -> f.matches("(marker|answer|request)-.*|incoming.pyz"))
                        .map(f -> f.split("-")[0]).toList(), "the last answer stays, as the engine's does");
            }
        }
    }

    /** What both ways send is the same; what curl lacks is what the table in docs/attributes.md does not name. */
    @Test
    void sendsTheLabelsOfTheTable() throws IOException {
        String steps = "withLast9Deployment(serviceName: 'payments-api', environment: 'production', version: '2.14', eventName: 'release', dataSourceName: 'metrics', "
                + "customAttributes: [team: 'it\\'s \"quoted\" \\\\ $HOME %s \\u00fc \\ud83d\\ude80', lines: 'one\\ntwo', n: 3, flag: true, none: null, list: [1], 'deployment.id': 'x', env: 'own', jenkins_job_name: 'j']) "
                + "{ unstable 'tests' }\n";
        List<Map<String, Object>> byPython;
        List<Map<String, Object>> byCurl;
        for (String names : List.of("dotted", "underscore")) {
            last9.reset();
            try (var run = pipeline("node { " + steps + " }").env("LAST9_ATTRIBUTE_NAMES", names).env("LAST9_ORG_SLUG", "acme").run()) {
                assertEquals(2, last9.received().size(), run.log());
                byPython = last9.received();
            }
            last9.reset();
            try (var run = bare("node { " + steps + " }").env("LAST9_ATTRIBUTE_NAMES", names).run()) {
                assertEquals(2, sent(run).size(), run.log());
                byCurl = last9.received();
            }
            for (int i = 0; i < 2; i++) {
                assertEquals(shared(byPython.get(i), names), shared(byCurl.get(i), names));
                TreeMap<String, Object> more = new TreeMap<>(attributes(byCurl.get(i)));
                more.keySet().removeIf(name -> SHARED.stream().anyMatch(s -> spelled(s, names).equals(name)) || List.of("team", "lines", "n", "flag", "jenkins_job_name").contains(name));
                assertEquals(Map.of(), more);
            }
        }
        String page = Files.readString(CHECKOUT.resolve("docs/attributes.md"));
        String table = page.substring(page.indexOf("## What curl sends"));
        for (String name : SHARED) {
            assertTrue(table.contains("`" + name + "`"), name);
        }
    }

    private static String spelled(String name, String names) {
        return names.equals("underscore") ? name.replace('.', '_') : name;
    }

    /** The event without what only Python knows and what differs from run to run. */
    private static Map<String, Object> shared(Map<String, Object> event, String names) {
        TreeMap<String, Object> found = new TreeMap<>(event);
        TreeMap<String, Object> labels = new TreeMap<>(attributes(event));
        labels.keySet().removeIf(name -> !List.of("team", "lines", "n", "flag", "jenkins_job_name").contains(name) && SHARED.stream().noneMatch(s -> spelled(s, names).equals(name)));
        for (String differing : List.of("deployment.id", "deployment.window_duration_ms")) {
            labels.computeIfPresent(spelled(differing, names), (name, value) -> value.toString().replaceAll("[0-9a-f]", "0").replaceAll("0+", "0"));
        }
        found.put("attributes", labels);
        found.remove("received_at");
        found.put("timestamp", found.get("timestamp").toString().replaceAll("[0-9]", "0"));
        return found;
    }

    /** The contract's examples: of each that the engine delivers curl sends the same event, its labels apart that only Python knows. */
    @ParameterizedTest
    @ValueSource(strings = {"block-start", "block-stop", "closes-left-open", "manual-stop-without-start", "stop-with-pending-start"})
    void composesTheExamplesEvent(String name) throws IOException {
        Map<String, Object> example = ScriptedEngine.object(Files.readString(CONTRACT.resolve("answers/" + name + ".json")));
        List<?> all = (List<?>) example.get("received");
        String request = Files.readString(CONTRACT.resolve("requests/" + name + ".json"));
        String at = iso(((Number) ScriptedEngine.object(request).get("timestampMs")).longValue());
        Map<String, Object> expected = all.stream().map(CurlTest::map).filter(e -> at.equals(e.get("timestamp"))).reduce((a, b) -> b).orElseThrow();
        Pipeline p = Pipeline.of("@Library('last9') _\nimport org.last9.CurlMarker\n"
                + "node { def made = CurlMarker.of(this, env.EXAMPLE, 'the marker')\necho 'problem ' + made.problem\necho 'made ' + made.text.split('\\n')[2] }").library(CHECKOUT);
        p.env("EXAMPLE", request);
        CurlTest.map(example.get("environment")).forEach((key, value) -> p.env(key, value.toString()));
        p.env("LAST9_ORG_SLUG", "acme").env("LAST9_API_BASE_URL", "http://127.0.0.1:8080");
        try (var run = p.run()) {
            String made = run.console().stream().filter(line -> line.startsWith("made ")).findFirst().orElseThrow(() -> new AssertionError(run.log())).substring(5);
            Map<String, Object> event = ScriptedEngine.object(made.replace("\\\"", "\"").replace("\\\\", "\\"));
            Map<String, Object> labels = new TreeMap<>(map(expected.get("attributes")));
            Map<?, ?> custom = map(map(ScriptedEngine.object(request).get("options")).getOrDefault("customAttributes", Map.of()));
            labels.keySet().removeIf(label -> !SHARED.contains(label) && !(custom.get(label) instanceof String) && !(custom.get(label) instanceof Boolean)
                    && !(custom.get(label) instanceof Integer));
            assertTrue(labels.size() >= 2, labels.toString());
            // Of these the runner's own build is another one than the example's.
            List<String> ofTheBuild = List.of("jenkins.job_name", "jenkins.build_number", "jenkins.build_url");
            Map<String, Object> found = new TreeMap<>(map(event.get("attributes")));
            assertTrue(found.keySet().containsAll(ofTheBuild));
            found.keySet().removeAll(ofTheBuild);
            labels.keySet().removeAll(ofTheBuild);
            assertEquals(labels, found);
            for (String key : List.of("event_name", "event_state", "timestamp")) {
                assertEquals(expected.get(key), event.get(key));
            }
            assertEquals(expected.get("data_source_name"), event.get("data_source_name"));
        }
    }

    private static String iso(long milliseconds) {
        return java.time.format.DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(java.time.ZoneOffset.UTC).format(java.time.Instant.ofEpochMilli(milliseconds));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> map(Object value) {
        return (Map<String, Object>) value;
    }

    /** How a deployment ended is decided by one set of rules: each case of outcomes.json, which the engine's tests read, too. */
    @Test
    void judgesAsTheEngineDoes() throws IOException {
        List<?> cases = (List<?>) new JsonSlurperClassic().parseText(Files.readString(CONTRACT.resolve("outcomes.json")));
        assertTrue(cases.size() > 20);
        String jenkinsfile = "@Library('last9') _\nimport org.last9.Outcome\nfor (each in new groovy.json.JsonSlurperClassic().parseText(env.CASES)) { echo 'is ' + Outcome.of(each, each.said ?: '') }";
        try (var run = Pipeline.of(jenkinsfile).library(CHECKOUT).env("CASES", JsonOutput.toJson(cases)).run()) {
            List<String> expected = cases.stream().map(c -> "is " + map(c).get("outcome") + " " + map(c).get("case")).toList();
            List<String> found = run.console().stream().filter(line -> line.startsWith("is ")).toList();
            assertEquals(expected, IntStream.range(0, found.size()).mapToObj(i -> found.get(i) + " " + map(cases.get(i)).get("case")).toList());
        }
    }

    /** If Last9 does anything instead of answering: bounded, one warning a marker that says what to do, no secret, nothing called sent; an agent with Python sends it later. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', value = {
        "hang     | [{\"on\": \"exchange\", \"delay\": 60}]                                        | no answer within 1 s",
        "hang late | [{\"on\": \"event\", \"delay\": 60}]                                          | no answer within 1 s",
        "503      | [{\"status\": 503}]                                                            | Last9 answers 503",
        "drop     | [{\"on\": \"event\", \"drop\": \"before\"}]                                    | the connection was cut (curl: 52)",
        "redirect | [{\"status\": 302, \"headers\": {\"Location\": \"http://127.0.0.1:9/\"}}]       | Last9 redirects (302), which is not followed",
        "401      | [{\"on\": \"exchange\", \"status\": 401}]                                       | Last9 refuses the token (401). Check the credential",
    })
    void isKeptIfItFails(String name, String fault, String problem) {
        last9.fault(fault);
        String steps = "withLast9Deployment(serviceName: 's', timeoutSeconds: 2) { echo 'body ran' }\necho 'well again'\n"
                + "node('equipped') { withEnv(['PATH=" + System.getenv("PATH") + "']) { last9DeploymentMarker serviceName: 'later' } }\n";
        try (var run = bare("node('bare') { " + steps + " }").agent("one", "bare", 1).agent("two", "equipped", 1).log(at("well again", last9::wellAgain)).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("body ran"), run.log());
            assertEquals(2, warnings(run).size(), run.log());
            for (String warning : warnings(run)) {
                assertTrue(warning.contains("marker of s (deployment) was not sent, neither by Python, which is missing here, nor by curl: "), warning);
                assertTrue(warning.contains(problem) && warning.endsWith(QUEUED), warning);
            }
            assertEquals(List.of(), sent(run));
            assertEquals("start s, stop later, stop s", last9.received().stream().map(e -> e.get("event_state") + " " + attributes(e).get("service_name"))
                    .distinct().sorted().collect(Collectors.joining(", ")), run.log());
            assertEquals(1, last9.received().stream().filter(e -> "start".equals(e.get("event_state"))).map(e -> e.get("timestamp")).distinct().count());
            assertSilentAbout(last9.refreshToken, run);
        }
    }

    /** If a setting is missing, wrong, or chosen by a person who only starts builds, curl sends no request, and one line says which and what to do. */
    @ParameterizedTest(name = "{0} {1}")
    @CsvSource(delimiter = '|', value = {
        // options                                   | parameter              | variable                              | the warning says
        "-                                           | -                      | LAST9_ORG_SLUG=                       | Set orgSlug and apiBaseUrl (LAST9_ORG_SLUG and LAST9_API_BASE_URL), or install Python",
        "orgSlug: 'acme'                             | -                      | LAST9_API_BASE_URL=                   | Set orgSlug and apiBaseUrl",
        "apiBaseUrl: 'http://last9.example.com'      | -                      | -                                     | orgSlug, apiBaseUrl or the routing profile is not usable",
        "apiBaseUrl: 'https://u:p@127.0.0.1'         | -                      | -                                     | is not usable",
        "apiBaseUrl: 'https://127.0.0.1/\\nurl = x'  | -                      | -                                     | is not usable",
        "orgSlug: 'a/../b'                           | -                      | -                                     | is not usable",
        "routingProfile: 'nope'                      | -                      | -                                     | is not usable",
        "routingProfile: 'p'                         | -                      | LAST9_ROUTING_PROFILES={\"p\":{\"orgSlgu\":\"x\"}} | is not usable",
        "apiBaseUrlParam: 'TARGET'                   | TARGET=@LAST9             | -                                     | a build parameter names host or organization",
        "orgSlugParam: 'TARGET'                      | TARGET=acme            | -                                     | a build parameter names host or organization",
        "apiBaseUrl: params.TARGET                   | TARGET=@LAST9             | -                                     | the value of the build parameter TARGET may be a part of it",
        "apiBaseUrl: \"https://api${params.TARGET}\" | TARGET=.example.com:1/x | -                                    | the value of the build parameter TARGET may be a part of it",
        "apiBaseUrl: \"https://api.${params.TARGET}\" | TARGET=secret:example.com | -                                | the value of the build parameter TARGET may be a part of it",
        "orgSlug: params.TARGET                      | TARGET=Acme            | -                                     | the value of the build parameter TARGET may be a part of it",
        "apiBaseUrlEnvVar: 'Target'                  | TARGET=@LAST9             | -                                     | a build parameter is called TARGET",
        "-                                           | last9_api_base_url=@LAST9 | -                                     | a build parameter is called last9_api_base_url",
        "-                                           | https_proxy=http://127.0.0.1:9 | -                             | a build parameter is called https_proxy",
        "-                                           | CURL_CA_BUNDLE=/tmp/x  | -                                     | a build parameter is called CURL_CA_BUNDLE",
        "environment: 'null'                         | -                      | -                                     | Correct the call of the step",
        "environment: ['a', 'b']                     | -                      | -                                     | Correct the call of the step",
        "eventState: \"${env.NOPE}\"                | -                      | -                                     | Correct the call of the step",
        "dryRun: 'maybe'                             | -                      | -                                     | a dry run needs Python",
        "eventState: 'begin'                         | -                      | -                                     | Correct the call of the step",
    })
    void asksNobodyUnlessTheDestinationIsSure(String options, String parameter, String variable, String problem) {
        Pipeline p = bare("node { last9DeploymentMarker(serviceName: 's'" + (options.equals("-") ? "" : ", " + options) + ")\necho 'goes on' }");
        if (!parameter.equals("-")) {
            String[] pair = parameter.replace("@LAST9", last9.url).split("=", 2);
            p.param(pair[0], pair[1].startsWith("secret:") ? new Secret(pair[1].substring(7)) : pair[1]);
        }
        if (!variable.equals("-")) {
            p.env(variable.split("=", 2)[0], variable.split("=", 2)[1]);
        }
        try (var run = p.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("goes on"), run.log());
            assertEquals(List.of(), last9.paths(), run.log());
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains(problem) && warnings(run).get(0).endsWith(QUEUED), run.log());
            assertEquals(1, shells(run), "curl is not even started");
        }
    }

    /** What people write as a matter of course is sent: literals beside parameters of other kinds, a profile that a parameter selects, last9Config. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', value = {
        "last9DeploymentMarker serviceName: 's', version: params.VERSION",
        "last9DeploymentMarker serviceName: 's', routingProfileParam: 'VERSION'",
        "last9DeploymentMarker serviceName: 's', version: params.CUSTOMER",
        "last9Config orgSlug: 'acme'; withEnv(['LAST9_ORG_SLUG=']) { last9DeploymentMarker serviceName: 's' }",
        "withEnv(['MY_ORG=acme', 'LAST9_ORG_SLUG=']) { last9DeploymentMarker serviceName: 's', orgSlugEnvVar: 'MY_ORG' }",
        "last9DeploymentMarker serviceName: 's', apiBaseUrl: env.LAST9_API_BASE_URL + '/api/v4/'",
    })
    void sendsWhereTheSettingsSay(String steps) {
        try (var run = bare("node { " + steps + " }").param("VERSION", "team").param("SKIP", true).param("CUSTOMER", steps.contains("CUSTOMER") ? "acme" : "").param("PASSWORD", new Secret("hunter2"))
                .env("LAST9_ROUTING_PROFILES", "{\"team\":{\"orgSlug\":\"acme\"}}").run()) {
            assertEquals(List.of(), warnings(run), run.log());
            assertEquals("stop s", markers(), run.log());
        }
    }

    /** As a folder-level library no call on this way is rejected: sent, refused, failed and tested. */
    @Test
    void runsInTheSandbox() {
        String jenkinsfile = "@Library('last9') _\nnode { " + WINDOW + "last9DeploymentMarker serviceName: 't', customAttributes: [a: 'b', 'deployment.outcome': 'x', version: null]\n"
                + "try { withLast9Deployment(serviceName: 'u', routingProfile: 'p') { timeout(time: 1, unit: 'MILLISECONDS') { sleep 5 } } } catch (e) { }\n"
                + "last9DeploymentMarker serviceName: 'v', orgSlugParam: 'ORG'\nlast9DeploymentMarker serviceName: 'w', apiBaseUrl: 'http://127.0.0.1:9'\nlast9TestConnection()\n }";
        try (var run = Pipeline.of(jenkinsfile).library("last9", CHECKOUT, false).sandbox(true).realTime().env("LAST9_API_BASE_URL", last9.url).env("LAST9_ORG_SLUG", "acme")
                .env("LAST9_ROUTING_PROFILES", "{\"p\":{\"orgSlug\":\"acme\"}}").param("ORG", "acme").param("PASSWORD", new Secret("hunter2"))
                .credential("last9-refresh-token", last9.refreshToken).agentEnv("PATH", tools.toString()).run()) {
            assertFalse(run.log().contains("not permitted"), run.log());
            assertEquals("start s, stop s, stop t, start u, stop u", markers(), run.log());
            assertEquals("timeout", attributes(last9.received().get(4)).get("deployment.outcome"), run.log());
            assertEquals(2, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("a build parameter names host or organization") && warnings(run).get(1).contains("no connection"), run.log());
            assertTrue(run.log().contains("Until then markers from here are sent by curl"), run.log());
        }
    }

    /** An abort while curl sends the stop: it is sent once more, the very same, with the short limit; the build is aborted. */
    @Test
    void obeysAnAbortDuringTheStop() {
        String steps = "node { " + WINDOW + "echo 'not reached' }";
        var log = at("body ran", () -> last9.fault(HANGS_ONCE));
        try (var run = bare(steps).abortAt("sh", 3, 1200).log(log).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("not reached"), run.log());
            assertEquals("start s, stop s", markers(), run.log());
            assertEquals(List.of("start marker of s (deployment)", "stop marker of s (deployment)"), sent(run).stream().map(line -> line.substring(4)).toList());
            assertEquals("success", attributes(last9.received().get(1)).get("deployment.outcome"));
            assertEquals(List.of(), warnings(run));
        }
    }

    /** An abort while curl sends the start: the body does not run, and the stop goes out. */
    @Test
    void obeysAnAbortDuringTheStart() {
        last9.fault(HANGS_ONCE);
        try (var run = bare("node { " + WINDOW + " }").abortAt("sh", 2, 1200).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("body ran"), run.log());
            assertEquals("stop s", markers(), run.log());
            assertEquals("aborted", attributes(last9.received().get(0)).get("deployment.outcome"));
        }
    }

    /** An abort between the end of curl and Jenkins' look: what Last9 has is not sent again; what it has not is, once. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"[] | 2 | start s, stop s", "[{\"on\": \"event\", \"times\": 1, \"status\": 503}] | 3 | start s, stop s"})
    void anAbortInTheGap(String fault, int attempts, String markers) {
        var log = at("body ran", () -> last9.fault(fault));
        try (var run = bare("node { " + WINDOW + "echo 'not reached' }").abortInGap("sh", 3).log(log).run()) {
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("not reached"), run.log());
            assertEquals(markers, markers(), run.log());
            assertEquals(attempts, exchangesAndEvents().stream().filter("change_events"::equals).count(), run.log());
        }
    }

    /** The controller is restarted while curl runs: the pipeline goes on, and the window is whole. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void survivesARestart(int nth) {
        last9.fault("[{\"on\": \"exchange\", \"delay\": 0.7}]");
        try (var run = bare("node { " + WINDOW + "echo 'after' }").env("LAST9_TIMEOUT_SECONDS", "120").restartAt("sh", nth).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("after"), run.log());
            assertEquals("start s, stop s", markers(), run.log());
        }
    }

    /** If the controller is restarted while it reads curl's answer, the marker is not sent again. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void isNotSentAgainByARestart(int nth) {
        try (var run = bare("node { " + WINDOW + " }").env("LAST9_TIMEOUT_SECONDS", "120").restartAt("readFile", nth).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("start s, stop s", markers(), run.log());
        }
    }

    /** The longest texts there are: each is cut as the engine cuts it, and what is too much for a line of curl's configuration stays behind, not the marker. */
    @ParameterizedTest
    @CsvSource({"'\u00fc', 512", "'\ud83d\ude80', 512", "'x\u20ac', 512", "'\"', 1024"})
    void isCutAndNotLost(String letter, int length) {
        String steps = "node { last9DeploymentMarker serviceName: 's', version: '9', environment: '" + letter + "' * 2000, customAttributes: (1..19).collectEntries { ['k' + it, '" + letter + "' * 2000] } }";
        try (var run = bare(steps).run()) {
            assertEquals(List.of(), warnings(run), run.log());
            Map<String, Object> labels = attributes(last9.received().get(0));
            String value = labels.get("k1").toString();
            assertEquals(length, value.length());
            assertTrue(value.getBytes(java.nio.charset.StandardCharsets.UTF_8).length <= 1024);
            assertEquals(List.of("s", "9", value), java.util.stream.Stream.of("service", "version", "env").map(labels::get).toList());
            assertEquals(19, labels.keySet().stream().filter(name -> name.startsWith("k")).count());
        }
        last9.reset();
        steps = "node { last9DeploymentMarker serviceName: 's', customAttributes: (1..19).collectEntries { ['\"' * 1000 + it, '\"' * 1024] } }";
        try (var run = bare(steps).run()) {
            assertEquals(List.of(), warnings(run), run.log());
            Map<String, Object> labels = attributes(last9.received().get(0));
            assertTrue(labels.containsKey("service") && labels.containsKey("jenkins.build_number") && labels.size() > 10, labels.keySet().toString());
        }
    }

    /** Neither Python nor curl: one warning a marker, which names the marker and both remedies. */
    @Test
    void namesBothRemedies() throws IOException {
        Path nothing = toolsButPython();
        Files.delete(nothing.resolve("curl"));
        try (var run = bare("node { " + WINDOW + " }").agentEnv("PATH", nothing.toString()).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(2, warnings(run).size(), run.log());
            for (int i : List.of(0, 1)) {
                String warning = warnings(run).get(i);
                String begins = "[Last9] WARNING: the " + List.of("start", "stop").get(i) + " marker of s (deployment) was not sent: this agent has no usable Python. Tried: python3 (";
                assertTrue(warning.startsWith(begins) && warning.endsWith(". The marker is queued and will be sent with this build's next marker. If none succeeds, it is lost"), warning);
                assertTrue(warning.contains("Install Python 3.9 or newer") && warning.contains("Or install curl"), warning);
            }
            assertEquals(List.of(), last9.paths());
        }
    }

    /** A curl that lies in the workspace is not run, though PATH names it first. */
    @Test
    void runsNoCurlOfACheckout() throws IOException {
        Path nothing = toolsButPython();
        Files.delete(nothing.resolve("curl"));
        String steps = "sh 'printf \"#!/bin/sh\\\\ntouch $PWD/pwned\\\\n\" > curl; chmod +x curl'\nwithEnv([\"PATH=$WORKSPACE:.:$PATH\"]) { " + WINDOW + " }\nsh 'ls'\n";
        try (var run = bare("node { " + steps + " }").agentEnv("PATH", nothing.toString()).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("curl") && !run.console().contains("pwned"), run.log());
            assertEquals(2, warnings(run).size(), run.log());
        }
    }

    /** A node is remembered only as far as it is known: outside of the container there is a Python, which sends again all that it can. */
    @Test
    void goesBackToPython() {
        String steps = "node { withEnv(['PATH=" + tools + "']) { last9DeploymentMarker serviceName: 'inside' }\nlast9DeploymentMarker serviceName: 'outside'\n"
                + "withEnv(['PATH=" + tools + "']) { last9DeploymentMarker serviceName: 'inside' } }";
        try (var run = pipeline(steps).env("LAST9_ORG_SLUG", "acme").run()) {
            assertEquals(List.of(), warnings(run), run.log());
            assertEquals("stop inside, stop outside, stop inside", markers(), run.log());
            assertEquals(2, sent(run).size(), run.log());
            assertTrue(attributes(last9.received().get(1)).containsKey("message"), run.log());
            assertFalse(attributes(last9.received().get(0)).containsKey("message"), run.log());
        }
    }

    /** A dry run, a report and a step that names other nodes are not curl's: each is logged as before. */
    @Test
    void doesNothingElse() {
        String steps = "node('bare') { last9DeploymentMarker serviceName: 'dry', dryRun: 'yes'\nlast9DeploymentReport()\nlast9DeploymentMarker serviceName: 's', agentLabel: 'other' }";
        try (var run = bare(steps).agent("one", "bare", 1).agent("two", "other", 1).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(List.of(), last9.paths(), run.log());
            List<String> subjects = warnings(run).stream().map(w -> w.substring(17, w.indexOf(" was not sent: this agent has no usable Python. Tried: "))).toList();
            assertEquals(List.of("the stop marker of dry (deployment)", "the deployment report", "the stop marker of s (deployment)", "the stop marker of s (deployment)"), subjects);
            assertEquals(List.of(true, false, false, true), warnings(run).stream().map(w -> w.contains("The marker is queued")).toList(), "not while another node is left");
            assertTrue(run.console().contains("[Last9] Sending from a node with the label 'other' instead, for the rest of this build"), run.log());
        }
    }

    /** The report of a later agent knows what curl has sent. */
    @Test
    void isInTheReport() throws IOException {
        String steps = "node { withEnv(['PATH=" + tools + "']) { " + WINDOW + " }\ndef report = last9DeploymentReport(archive: false)\necho 'headline ' + report.headline\nsh \"cat '${report.directory}'/*.md\" }";
        try (var run = pipeline(steps).env("LAST9_ORG_SLUG", "acme").run()) {
            assertEquals(List.of(), warnings(run), run.log());
            assertTrue(run.log().contains("headline ") && !run.log().contains("headline null"), run.log());
            assertTrue(run.console().stream().anyMatch(line -> line.contains("1.2") && line.contains("success")), run.log());
        }
    }

    /** failOnError fails the build if curl could not deliver, and does not if it could. */
    @Test
    void failsTheBuildIfAsked() {
        try (var run = bare("node { last9DeploymentMarker serviceName: 's', failOnError: true\necho 'first'\nlast9DeploymentMarker serviceName: 't', failOnError: true, apiBaseUrl: 'http://127.0.0.1:9' }").run()) {
            assertEquals("FAILURE", run.result(), run.log());
            assertTrue(run.console().contains("first"), run.log());
            assertEquals("stop s", markers());
        }
    }

    /** The connection test says which way a marker would take from here: by curl, or by none and why. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"acme | Until then markers from here are sent by curl, with fewer attributes", "'' | Markers from here are not sent by curl either: curl needs the organization"})
    void theConnectionTestNamesTheWay(String organization, String words) {
        String steps = "node { def result = last9TestConnection()\necho 'returned ' + result.ok + ' ' + result.findings*.state }";
        try (var run = bare(steps).env("LAST9_ORG_SLUG", organization).run()) {
            List<String> failed = run.console().stream().filter(line -> line.startsWith("[Last9] failed  interpreter")).toList();
            assertEquals(1, failed.size(), run.log());
            assertTrue(failed.get(0).contains("this agent has no usable Python") && failed.get(0).contains(words), failed.get(0));
            assertTrue(run.console().contains("returned false [failed]"), run.log());
            assertEquals(organization.isEmpty(), run.log().contains("Connection test: markers will not get through"), run.log());
            assertEquals(List.of(), warnings(run), run.log());
            assertEquals(List.of(), last9.paths());
        }
    }
}
