package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import pipeline.run.Pipeline;

/** Where a marker goes: each connection field at each level. */
class LevelsTest extends LibraryTest {
    /** From the lowest level to the highest, below them the token's claims or the built-in default. */
    private static final List<String> LEVELS =
            List.of("global", "config-variable", "config-parameter", "config", "profile", "variable", "parameter", "option");
    /** An address that a parameter chose is refused, because no one else has named it; the warning names the host. */
    private static final Map<String, String> REFUSED = Map.of("config-parameter", "127.0.1.1", "parameter", "127.0.1.2");
    /** A Last9 for each of the other levels. */
    private static final Map<String, FakeLast9> HOSTS = new LinkedHashMap<>();

    /** In place of the usual one: knows any organization, and a token of each level that names one. */
    @BeforeAll
    static void startLast9() {
        List<String> arguments = new ArrayList<>(List.of("--organization", "*", "--refresh-token"));
        LEVELS.forEach(level -> arguments.add(FakeLast9.token(Map.of("organization_slug", level))));
        last9 = FakeLast9.start(CHECKOUT, arguments.toArray(String[]::new));
    }

    /** Without an address among Jenkins' global properties. */
    static Pipeline pipeline(String steps) {
        return Pipeline.of("@Library('last9') _\n" + steps).library(CHECKOUT).realTime().credential("last9-refresh-token", last9.refreshToken);
    }

    /** What the field is at that level. */
    private static String value(String field, String level) {
        return switch (field) {
            case "credentialId" -> "credential-" + level;
            case "apiBaseUrl" -> REFUSED.containsKey(level) ? "http://" + REFUSED.get(level) + ":9" : HOSTS.get(level).url;
            default -> level;
        };
    }

    /** One build that sets the field at one level after the other, the lowest first, and sends a marker after each. */
    private static String eachLevelInTurn(String field, String variable) {
        boolean profile = field.equals("routingProfile");
        List<String> withEnv = new ArrayList<>();
        List<String> options = new ArrayList<>(List.of("serviceName: 's'"));
        StringBuilder script = new StringBuilder("node {\n");
        if (profile) {
            script.append("last9Config routingProfiles: [" + String.join(", ", LEVELS.stream().map(l -> "'" + l + "': [dataSourceName: '" + l + "']").toList()) + "]\n");
        }
        script.append(marker(withEnv, options));
        for (String level : LEVELS) {
            String value = value(field, level);
            switch (level) {
                case "global" -> withEnv.add(variable + "=" + value);
                case "config-variable" -> {
                    withEnv.add("CONFIG_VARIABLE=" + value);
                    script.append("last9Config " + field + "EnvVar: 'CONFIG_VARIABLE'\n");
                }
                case "config-parameter" -> script.append("last9Config " + field + "Param: 'CONFIG_PARAMETER'\n");
                case "config" -> script.append("last9Config " + field + ": '" + value + "'\n");
                case "profile" -> {
                    if (!profile) {
                        script.append("last9Config routingProfiles: [team: [" + field + ": '" + value + "']]\n");
                        options.add("routingProfile: 'team'");
                    }
                }
                case "variable" -> {
                    withEnv.add("VARIABLE=" + value);
                    options.add(field + "EnvVar: 'VARIABLE'");
                }
                case "parameter" -> options.add(field + "Param: 'PARAMETER'");
                default -> options.add(field + ": '" + value + "'");
            }
            if (!(profile && level.equals("profile"))) {
                script.append(marker(withEnv, options));
            }
        }
        return script + "}";
    }

    private static String marker(List<String> withEnv, List<String> options) {
        String variables = String.join(", ", withEnv.stream().map(v -> "'" + v + "'").toList());
        return "withEnv([" + variables + "]) { last9DeploymentMarker " + String.join(", ", options) + " }\n";
    }

    static Stream<Arguments> fields() {
        return Stream.of(
                Arguments.of("orgSlug", "LAST9_ORG_SLUG", "acme"),
                Arguments.of("credentialId", "LAST9_CREDENTIAL_ID", "acme"),
                Arguments.of("dataSourceName", "LAST9_DATA_SOURCE_NAME", "null"),
                Arguments.of("routingProfile", "LAST9_ROUTING_PROFILE", "null"));
    }

    /** Of each field the highest level that has a value counts: literal, parameter, variable, profile, last9Config in the same order, LAST9_*, token, default. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("fields")
    void resolvesEachFieldAtEachLevel(String field, String variable, String lowest) {
        Pipeline p = inTurn(field, variable).env("LAST9_API_BASE_URL", last9.url);
        // each token says another organization of itself
        LEVELS.forEach(level -> p.credential("credential-" + level, FakeLast9.token(Map.of("organization_slug", level))));
        List<String> expected = new ArrayList<>(List.of(lowest));
        LEVELS.stream().filter(l -> !(field.equals("routingProfile") && l.equals("profile"))).forEach(expected::add);
        try (var run = p.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(expected, observed(field), run.log());
        }
    }

    /** The address, too: each marker arrives where the highest level says, and nowhere else. */
    @Test
    void resolvesTheAddressAtEachLevel() {
        try {
            LEVELS.stream().filter(level -> !REFUSED.containsKey(level)).forEach(level ->
                    HOSTS.put(level, FakeLast9.start(CHECKOUT, "--organization", "*", "--refresh-token", last9.refreshToken)));
            try (var run = inTurn("apiBaseUrl", "LAST9_API_BASE_URL").run()) {
                assertEquals("SUCCESS", run.result(), run.log());
                assertEquals(1, last9.received().size(), "the token's own address, as long as no level has one: " + run.log());
                HOSTS.forEach((level, host) -> assertEquals(1, host.received().size(), level + ": " + run.log()));
                assertEquals(List.of("127.0.1.1", "127.0.1.2"), warnings(run).stream().map(w -> w.replaceAll(".*?(127\\.0\\.1\\.\\d+).*", "$1")).toList(), run.log());
            }
        } finally {
            HOSTS.values().forEach(FakeLast9::close);
        }
    }

    private static Pipeline inTurn(String field, String variable) {
        return pipeline(eachLevelInTurn(field, variable)).param("PARAMETER", value(field, "parameter")).param("CONFIG_PARAMETER", value(field, "config-parameter"));
    }

    private static List<String> observed(String field) {
        return switch (field) {
            case "dataSourceName", "routingProfile" -> last9.received().stream().map(e -> String.valueOf(e.get("data_source_name"))).toList();
            default -> last9.received().stream().map(e -> String.valueOf(e.get("organization"))).toList();
        };
    }

    /** If neither settings nor token name an address, the marker goes to Last9's own. */
    @Test
    void fallsBackToLast9sOwnAddress() {
        try (var run = pipeline("node { last9DeploymentMarker serviceName: 's', orgSlug: 'acme' }")
                .credential("last9-refresh-token", FakeLast9.token(Map.of())).agentEnv("HTTPS_PROXY", "http://127.0.0.1:9").agentEnv("LAST9_DEBUG", "true").run()) {
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(run.log().contains("https://app.last9.io/"), run.log());
        }
    }

    /** A level that is blank, null or missing is skipped: the next one is used. */
    @Test
    void passesBlankLevelsBy() {
        String steps = """
            last9Config routingProfiles: [team: [orgSlug: '', dataSourceName: 'of the team']], orgSlug: '  '
            node {
              withEnv(['BLANK=', 'LAST9_ORG_SLUG=global']) {
                last9DeploymentMarker serviceName: 's', routingProfile: 'team', orgSlug: null, orgSlugParam: 'NO_SUCH', orgSlugEnvVar: 'BLANK'
              }
            }
            """;
        try (var run = pipeline(steps).env("LAST9_API_BASE_URL", last9.url).run()) {
            assertEquals(List.of("global"), observed("orgSlug"), run.log());
            assertEquals(List.of("of the team"), observed("dataSourceName"), run.log());
            assertEquals(List.of(), warnings(run));
        }
    }
}
