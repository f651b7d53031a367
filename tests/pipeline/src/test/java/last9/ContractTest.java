package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import groovy.json.JsonSlurperClassic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
        "block-stop                | 1 | try { withLast9Deployment(serviceName: 'payments-api', environment: 'production', orgSlug: 'acme') { error 'boom' } } catch (e) { }",
        "manual-stop-without-start | 0 | last9DeploymentMarker(serviceName: 'payments-api')",
        "bad-event-state           | 0 | last9DeploymentMarker(serviceName: 'payments-api', eventState: 'begin', enviroment: 'production')",
        "unknown-routing-profile   | 0 | try { withLast9Deployment(serviceName: 'payments-api', environment: 'production', failOnError: true, routingProfileParam: 'PROFILE') { } } catch (e) { }",
    })
    void writesTheExamplesRequest(String name, int nth, String steps) throws IOException {
        try (var run = answeredBy(name, "node { " + steps + " }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            Map<String, Object> written = requests().get(nth);
            Map<String, Object> example = object(Files.readString(CONTRACT.resolve("requests/" + name + ".json")));
            assertEquals(List.of(), missing("", example, written), () -> "of the example, not in " + written);
            assertEquals(example.get("options"), without(written.get("options"), "dryRun"));
            assertEquals(example.get("step"), written.get("step"));
        }
    }

    /** The library writes no key that the contract does not name. */
    @Test
    void writesNothingElse() throws IOException {
        String page = Files.readString(CONTRACT.resolve("README.md"));
        TreeSet<String> named = new TreeSet<>();
        String table = page.substring(page.indexOf("## Request, version 1"), page.indexOf("## Answer, version 1"));
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
        try (var run = answeredBy("block-start", jenkinsfile).run()) {
            assertEquals(4, requests().size(), run.log());
            for (Map<String, Object> request : requests()) {
                TreeSet<String> unnamed = new TreeSet<>(request.keySet());
                unnamed.removeAll(named);
                assertEquals(new TreeSet<String>(), unnamed);
            }
        }
    }

    /** The library understands the example's answer: what the step returns, whether a window is open then, what it keeps for the next marker. */
    @ParameterizedTest
    @ValueSource(strings = {"manual-stop-without-start", "bad-event-state", "stop-with-pending-start"})
    void understandsTheExamplesAnswer(String name) throws IOException {
        Map<String, Object> answer = answer(name);
        String jenkinsfile = """
            node {
              def first = last9DeploymentMarker(serviceName: 's', eventState: 'start')
              echo 'returned ' + groovy.json.JsonOutput.toJson(first)
              last9DeploymentMarker(serviceName: 's')
            }
            """;
        try (var run = answeredBy(name, jenkinsfile).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            Map<String, Object> returned = object(run.console().stream().filter(line -> line.startsWith("returned ")).findFirst().orElseThrow().substring(9));
            for (String key : List.of("delivered", "deploymentId", "warnings")) {
                assertEquals(answer.get(key), returned.get(key), () -> key + "\n" + run.log());
            }
            Map<String, Object> second = requests().get(1);
            assertEquals(Boolean.TRUE.equals(answer.get("accepted")), second.containsKey("window"), "a refused start opens no window");
            assertEquals(answer.get("pending"), second.get("pending"), "what was kept goes along with the next marker");
        }
    }

    /** A Jenkinsfile whose engine keeps each request and gives that example's answer. */
    private Pipeline answeredBy(String name, String jenkinsfile) throws IOException {
        String rest = groovy.json.JsonOutput.toJson(without(answer(name), "last9Answer")).substring(1);
        Path line = Files.writeString(folder.resolve("answer.txt"), "{\"last9Answer\":1," + rest + "\n"); // that key is the line's first
        Path engine = Files.writeString(folder.resolve("engine"), """
            #!/bin/sh
            mv "$6" "$(mktemp "%s/request-$(date +%%s%%N)-XXXX")"
            cat "%s"
            """.formatted(folder, line));
        assertTrue(engine.toFile().setExecutable(true));
        return pipeline(jenkinsfile).agentEnv("LAST9_PYTHON", engine.toString()).param("PROFILE", "acmee");
    }

    private List<Map<String, Object>> requests() throws IOException {
        List<Map<String, Object>> requests = new ArrayList<>();
        try (var files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith("request-")).sorted().toList()) {
                requests.add(object(Files.readString(file)));
            }
        }
        return requests;
    }

    private static Map<String, Object> answer(String name) throws IOException {
        return object(groovy.json.JsonOutput.toJson(object(Files.readString(CONTRACT.resolve("answers/" + name + ".json"))).get("answer")));
    }

    /** Paths of the example that the written request lacks, or has with another JSON type. Causes differ from job to job. */
    private static List<String> missing(String path, Object example, Object written) {
        List<String> missing = new ArrayList<>();
        if (example instanceof Map<?, ?> expected && written instanceof Map<?, ?> found) {
            expected.forEach((key, value) -> {
                boolean optional = path.equals("/build") || path.equals("/parameters");
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

    @SuppressWarnings("unchecked")
    private static Map<String, Object> without(Object map, String key) {
        Map<String, Object> rest = new java.util.LinkedHashMap<>((Map<String, Object>) map);
        rest.remove(key);
        return rest;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(String json) {
        return (Map<String, Object>) new JsonSlurperClassic().parseText(json);
    }
}
