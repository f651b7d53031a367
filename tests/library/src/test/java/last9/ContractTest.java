package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import groovy.json.JsonOutput;
import groovy.json.JsonSlurperClassic;
import hudson.util.Secret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import pipeline.run.Pipeline;

/**
 * The Groovy half against {@code tests/contract/}: an engine of the test's own keeps the request that the library really writes, and gives the
 * answer of the example. What the real engine makes of the same examples is the Python tests' part.
 */
class ContractTest extends LibraryTest {
    private static final Path CONTRACT = CHECKOUT.resolve("tests/contract");

    @TempDir
    Path folder;

    /** A step writes a request of the example's very form: what the example says, the library says in the same words and types. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "block-start               | 0 | withLast9Deployment(serviceName: 'payments-api', environment: 'production', orgSlug: 'acme', customAttributes: [team: 'payments', nothing: null, number: 42, flag: true, quote: 'it\\'s \"quoted\" $HOME %PATH% \\\\ back', lines: 'one\\ntwo', unicode: 'Zürich \\u2713 \\ud83d\\ude80', nested: [a: [1, 'two', null]]]) { }",
        "block-stop                | 1 | try { withLast9Deployment(serviceName: 'payments-api', environment: 'production', orgSlug: 'acme', paramAllowlist: 'VERSION', envAllowlist: 'DEPLOY_REGION') { error 'boom' } } catch (e) { }",
        "manual-stop-without-start | 0 | last9DeploymentMarker(serviceName: 'payments-api')",
        "bad-event-state           | 0 | last9DeploymentMarker(serviceName: 'payments-api', eventState: 'begin', enviroment: 'production')",
        "dry-run                   | 0 | last9DeploymentMarker(serviceName: 'payments-api', eventState: 'START', dryRun: 'true', attributeNames: 'dotted')",
        "host-from-parameter       | 0 | last9DeploymentMarker(serviceName: 'payments-api', eventState: 'stop', failOnError: 'true', orgSlug: 'acme', apiBaseUrlParam: 'APIBASEURL')",
        "unknown-routing-profile   | 0 | try { withLast9Deployment(serviceName: 'payments-api', environment: 'production', failOnError: 'true', routingProfileParam: 'ROUTINGPROFILE', paramAllowlist: 'ROUTINGPROFILE') { } } catch (e) { }",
        "test-connection           | 0 | last9TestConnection(sendTestEvent: 'true', timeoutSeconds: '10', dryRun: 'false')",
        "report                    | 0 | last9DeploymentReport(summary: 'true', timeoutSeconds: '10')",
    })
    void writesTheExamplesRequest(String name, int nth, String steps) throws IOException {
        Map<String, Object> example = ScriptedEngine.object(Files.readString(CONTRACT.resolve("requests/" + name + ".json")));
        String config = example.containsKey("config") ? "last9Config(new groovy.json.JsonSlurperClassic().parseText('" + JsonOutput.toJson(example.get("config")) + "'))\n" : "";
        ScriptedEngine engine = new ScriptedEngine(folder);
        try (var run = served(engine, config + "node { " + steps + " }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            Map<String, Object> written = engine.requests().get(nth);
            assertEquals(List.of(), missing("", example, written), () -> "of the example, not in " + written);
            for (String same : List.of("contract", "step", "options", "config", "profile")) {
                assertEquals(example.get(same), written.get(same), same);
            }
            assertEquals(example.getOrDefault("credential", written.get("credential")), written.get("credential"));
        }
    }

    /** The one rule that both halves have: each case of resolution.json gives the profile and the credential that it says. */
    @Test
    @SuppressWarnings("unchecked")
    void resolvesProfileAndCredential() throws IOException {
        List<Map<String, Object>> cases = (List<Map<String, Object>>) new JsonSlurperClassic().parseText(Files.readString(CONTRACT.resolve("resolution.json")));
        assertTrue(cases.size() > 10);
        for (Map<String, Object> c : cases) {
            ScriptedEngine engine = new ScriptedEngine(Files.createTempDirectory(folder, "case"));
            String steps = "last9Config(new groovy.json.JsonSlurperClassic().parseText('" + JsonOutput.toJson(c.getOrDefault("config", Map.of())).replace("\\", "\\\\") + "'))\n"
                    + "node { last9DeploymentMarker(new groovy.json.JsonSlurperClassic().parseText('" + JsonOutput.toJson(c.get("options")) + "') + [serviceName: 's']) }";
            Pipeline p = served(engine, steps);
            ((Map<String, String>) c.getOrDefault("parameters", Map.of())).forEach(p::param);
            ((Map<String, String>) c.getOrDefault("environment", Map.of())).forEach(p::env);
            p.credential(((Map<String, String>) c.get("credential")).get("value"), "secret-token");
            try (var run = p.run()) {
                Map<String, Object> written = engine.requests().get(0);
                assertEquals(c.get("profile"), written.get("profile"), () -> c.get("case") + "\n" + run.log());
                assertEquals(c.get("credential"), written.get("credential"), () -> c.get("case") + "\n" + run.log());
            }
        }
    }

    /** What only the controller knows of a build goes along: password parameters by name alone, variables that a shell drops, causes as JSON text. */
    @Test
    void gathersWhatTheEngineCannotSee() {
        ScriptedEngine engine = new ScriptedEngine(folder);
        String steps = "node { dir('sub') { last9DeploymentMarker serviceName: 's', envAllowlist: ['BAR-X.y', 'PLAIN', 'NOT-SET'] } }";
        try (var run = served(engine, steps).run()) {
            Map<String, Object> written = engine.requests().get(0);
            assertEquals(Map.of("BAR-X.y", "odd"), written.get("environment"), run.log());
            assertEquals(List.of("DB_PASSWORD"), written.get("secretParameters"));
            assertEquals(Map.of("ROUTINGPROFILE", "acmee", "VERSION", "1.2.3", "APIBASEURL", "https://last9.io.example.com"), written.get("parameters"));
            String causes = ((Map<?, ?>) written.get("build")).get("causes").toString();
            assertTrue(((List<?>) new JsonSlurperClassic().parseText(causes)).get(0).toString().contains("_class=hudson.model.Cause$UserIdCause"), causes);
            assertTrue(written.get("folder").toString().endsWith("/workspace/demo/sub"), written.get("folder").toString());
            assertFalse(written.toString().contains("hunter2"));
        }
    }

    /** The library writes no key that the contract does not name. */
    @Test
    void writesNothingElse() throws IOException {
        String page = Files.readString(CONTRACT.resolve("README.md"));
        TreeSet<String> named = new TreeSet<>();
        String table = page.substring(page.indexOf("## Request, version 2"), page.indexOf("## The credential"));
        Pattern.compile("^\\| `(\\w+)` \\|", Pattern.MULTILINE).matcher(table).results().forEach(row -> named.add(row.group(1)));
        assertTrue(named.size() > 15, named.toString());
        String jenkinsfile = """
            last9DeploymentMarker serviceName: 's'
            node {
              last9Config timeoutSeconds: 10
              last9DeploymentMarker serviceName: 's', eventState: 'start'
              withLast9Deployment(serviceName: 's', routingProfile: 'nope') { unstable 'tests' }
            }
            """;
        ScriptedEngine engine = new ScriptedEngine(folder).then(ScriptedEngine.answer("{\"outages\": {}, \"pending\": {\"own\": \"x\", \"kept\": []}}"));
        try (var run = served(engine, jenkinsfile).run()) {
            assertEquals(4, engine.requests().size(), run.log());
            for (Map<String, Object> request : engine.requests()) {
                TreeSet<String> unnamed = new TreeSet<>(request.keySet());
                unnamed.removeAll(named);
                assertEquals(new TreeSet<String>(), unnamed);
            }
        }
    }

    /** The library understands the example's answer: what the step returns, whether a window is open then. */
    @ParameterizedTest
    @ValueSource(strings = {"manual-stop-without-start", "bad-event-state", "block-start"})
    void understandsTheExamplesAnswer(String name) throws IOException {
        Map<String, Object> example = ScriptedEngine.object(Files.readString(CONTRACT.resolve("answers/" + name + ".json")));
        Map<String, Object> answer = ScriptedEngine.object(JsonOutput.toJson(example.get("answer")));
        ScriptedEngine engine = new ScriptedEngine(folder).then(ScriptedEngine.answer(JsonOutput.toJson(answer)));
        String jenkinsfile = """
            node {
              def first = last9DeploymentMarker(serviceName: 's', eventState: 'start')
              echo 'returned ' + groovy.json.JsonOutput.toJson(first)
              last9DeploymentMarker(serviceName: 's')
            }
            """;
        try (var run = served(engine, jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            Map<String, Object> returned = ScriptedEngine.object(run.console().stream().filter(line -> line.startsWith("returned ")).findFirst().orElseThrow().substring(9));
            for (String key : List.of("delivered", "warnings")) {
                assertEquals(answer.get(key), returned.get(key), () -> key + "\n" + run.log());
            }
            boolean accepted = Boolean.TRUE.equals(answer.get("accepted"));
            assertEquals(accepted, returned.get("deploymentId") != null, "a start that was not refused has an id");
            assertEquals(accepted, engine.requests().get(1).containsKey("window"), "a refused start opens no window");
        }
    }

    private static Pipeline served(ScriptedEngine engine, String jenkinsfile) {
        return engine.serve(pipeline(jenkinsfile)).param("ROUTINGPROFILE", "acmee").param("VERSION", "1.2.3").param("DB_PASSWORD", new Secret("hunter2"))
                .param("APIBASEURL", "https://last9.io.example.com").env("BAR-X.y", "odd");
    }

    /** Paths of the example that the written request lacks, or has with another JSON type. Causes differ from job to job. */
    private static List<String> missing(String path, Object example, Object written) {
        List<String> missing = new ArrayList<>();
        if (example instanceof Map<?, ?> expected && written instanceof Map<?, ?> found) {
            expected.forEach((key, value) -> {
                boolean optional = Set.of("/build", "/body", "/report", "/parameters").contains(path) || key.equals("pending");
                if (!found.containsKey(key) && !optional) {
                    missing.add(path + "/" + key);
                } else if (found.containsKey(key)) {
                    missing.addAll(missing(path + "/" + key, value, found.get(key)));
                }
            });
        } else if (example != null && written != null && kind(example) != kind(written)) {
            missing.add(path + " is " + written);
        }
        return missing;
    }

    private static Class<?> kind(Object value) {
        return value instanceof Number ? Number.class : value instanceof List ? List.class : value instanceof Map ? Map.class : value.getClass();
    }
}
