package last9;

import static last9.LibraryTest.CHECKOUT;
import static last9.LibraryTest.attributes;
import static last9.LibraryTest.warnings;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import groovy.json.JsonOutput;
import hudson.util.Secret;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import pipeline.run.Pipeline;

/** Where a marker goes and what it carries: each connection field at each level, and nothing that is another team's or secret. */
class SettingsTest {
    /** From the lowest level to the highest, below them the token's claims or the built-in default. */
    private static final List<String> LEVELS =
            List.of("global", "config-variable", "config-parameter", "config", "profile", "variable", "parameter", "option");

    private static StandIn last9;

    @BeforeAll
    static void startLast9() {
        List<String> arguments = new ArrayList<>(List.of("--organization", "*", "--refresh-token"));
        LEVELS.forEach(level -> arguments.add(token(Map.of("organization_slug", level))));
        last9 = StandIn.start(CHECKOUT, arguments.toArray(String[]::new));
    }

    @AfterAll
    static void stopLast9() {
        last9.close();
    }

    @AfterEach
    void forget() {
        last9.reset();
    }

    /** A refresh token that says that of itself; nobody could verify its signature. */
    private static String token(Map<String, Object> claims) {
        Map<String, Object> all = new HashMap<>(Map.of("scopes", List.of("write"), "exp", 4_102_444_800L));
        all.putAll(claims);
        return Stream.of(JsonOutput.toJson(Map.of("alg", "HS256")), JsonOutput.toJson(new java.util.TreeMap<>(all)), "no signature")
                .map(s -> Base64.getUrlEncoder().withoutPadding().encodeToString(s.getBytes(StandardCharsets.UTF_8))).reduce((a, b) -> a + "." + b).orElseThrow();
    }

    private static Pipeline pipeline(String steps) {
        return Pipeline.of("@Library('last9') _\n" + steps).library(CHECKOUT).realTime().credential("last9-refresh-token", last9.refreshToken);
    }

    private static String host(String level) {
        return "127.0.1." + (LEVELS.indexOf(level) + 1);
    }

    /** What the field is at that level. */
    private static String value(String field, String level) {
        return switch (field) {
            case "credentialId" -> "credential-" + level;
            case "apiBaseUrl" -> "http://" + host(level) + ":9"; // nobody listens there, and the warning names the host
            default -> level;
        };
    }

    /** One build that sets the field at one level after the other, the lowest first, and sends a marker after each. */
    private static String eachLevelInTurn(String field, String variable) {
        boolean profile = field.equals("routingProfile");
        List<String> withEnv = new ArrayList<>();
        List<String> options = new ArrayList<>(List.of("serviceName: 's'"));
        if (field.equals("apiBaseUrl")) {
            options.add("timeoutSeconds: 1");
        }
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
                Arguments.of("apiBaseUrl", "LAST9_API_BASE_URL", "none: it is delivered"),
                Arguments.of("dataSourceName", "LAST9_DATA_SOURCE_NAME", "null"),
                Arguments.of("routingProfile", "LAST9_ROUTING_PROFILE", "null"));
    }

    /** Of each field the highest level that has a value counts: literal, parameter, variable, profile, last9Config in the same order, LAST9_*, token, default. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("fields")
    void resolvesEachFieldAtEachLevel(String field, String variable, String lowest) {
        Pipeline p = pipeline(eachLevelInTurn(field, variable)).param("PARAMETER", value(field, "parameter")).param("CONFIG_PARAMETER", value(field, "config-parameter"));
        if (!field.equals("apiBaseUrl") && !field.equals("credentialId")) {
            p.env("LAST9_API_BASE_URL", last9.url);
        }
        if (field.equals("credentialId")) {
            // each token says another organization of itself
            p.env("LAST9_API_BASE_URL", last9.url);
            LEVELS.forEach(level -> p.credential("credential-" + level, token(Map.of("organization_slug", level))));
        }
        List<String> expected = new ArrayList<>(List.of(lowest));
        LEVELS.stream().filter(l -> !(field.equals("routingProfile") && l.equals("profile"))).map(l -> field.equals("apiBaseUrl") ? host(l) : l).forEach(expected::add);
        try (var run = p.run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(expected, field.equals("apiBaseUrl") ? hosts(run) : observed(field), run.log());
        }
    }

    /** Which address each marker was meant for. One that a parameter chose is refused, since nobody else has named it: refused it is meant, too. */
    private static List<String> hosts(Pipeline.Run run) {
        List<String> hosts = new ArrayList<>(last9.received().isEmpty() ? List.of() : List.of("none: it is delivered"));
        warnings(run).forEach(w -> hosts.add(w.replaceAll(".*?(127\\.0\\.1\\.\\d+).*", "$1")));
        return hosts;
    }

    private static List<String> observed(String field) {
        return switch (field) {
            case "dataSourceName", "routingProfile" -> last9.received().stream().map(e -> String.valueOf(e.get("data_source_name"))).toList();
            default -> last9.received().stream().map(e -> String.valueOf(e.get("organization"))).toList();
        };
    }

    /** Where neither settings nor token name an address, the marker is meant for Last9's own. */
    @Test
    void fallsBackToLast9sOwnAddress() {
        try (var run = pipeline("node { last9DeploymentMarker serviceName: 's', orgSlug: 'acme', timeoutSeconds: 2 }")
                .credential("last9-refresh-token", token(Map.of())).agentEnv("HTTPS_PROXY", "http://127.0.0.1:9").run()) {
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("app.last9.io"), run.log());
        }
    }

    /** A level that is blank, null or not there is no level: the next one counts. */
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

    /** A profile that is not there, or has a mistake in it, is one warning and no marker: never another team's organization. The body runs. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "routingProfiles: [theirs: [orgSlug: 'theirs']]                 | 'ours' is not defined (known: theirs)",
        "timeoutSeconds: 5                                              | 'ours' is not defined (known: none)",
        "routingProfiles: [ours: [orgSlg: 'ours']]                      | has no use for 'orgSlg'",
        "routingProfiles: [ours: 'ours']                                | is no map of connection fields",
        "routingProfiles: [ours: [routingProfile: 'theirs']]            | has no use for 'routingProfile'",
        "routingProfiles: 'ours'                                        | 'ours' is not defined (known: none)",
    })
    void neverSendsToAnotherTeam(String config, String warning) {
        String steps = "last9Config " + config + "\nnode { withLast9Deployment(serviceName: 's', routingProfile: 'ours') { echo 'body ran' } }";
        try (var run = pipeline(steps).env("LAST9_API_BASE_URL", last9.url).env("LAST9_ORG_SLUG", "theirs").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("body ran"), run.log());
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains(warning), run.log());
            assertEquals(List.of(), last9.paths());
        }
    }

    /** The administrator's profiles count, last9Config's of the same name win, and broken JSON is told where a profile is asked for. */
    @Test
    void readsTheAdministratorsProfiles() {
        String steps = """
            node {
              last9DeploymentMarker serviceName: 's', routingProfile: 'team'
              last9Config routingProfiles: [team: [orgSlug: 'config']]
              last9DeploymentMarker serviceName: 's', routingProfile: 'team'
              withEnv(['LAST9_ROUTING_PROFILES={"team": ']) {
                last9DeploymentMarker serviceName: 's', routingProfile: 'team'
                last9DeploymentMarker serviceName: 's', orgSlug: 'option'
              }
            }
            """;
        try (var run = pipeline(steps).env("LAST9_API_BASE_URL", last9.url).env("LAST9_ROUTING_PROFILES", "{\"team\": {\"orgSlug\": \"admin\"}}").run()) {
            assertEquals(List.of("admin", "config", "option"), observed("orgSlug"), run.log());
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("LAST9_ROUTING_PROFILES is not a JSON object"), run.log());
        }
    }

    /** `…EnvVar` reads the environment of the place where the step stands: `environment {}` and `withEnv`, as a command there would. */
    @Test
    void readsTheStepsOwnEnvironment() {
        String steps = """
            pipeline {
              agent any
              environment { TEAM = 'of the pipeline' }
              stages {
                stage('a') {
                  environment { TEAM = 'of the stage' }
                  steps {
                    last9DeploymentMarker serviceName: 's', dataSourceNameEnvVar: 'TEAM'
                    withEnv(['TEAM=of the block']) { last9DeploymentMarker serviceName: 's', dataSourceNameEnvVar: 'TEAM' }
                  }
                }
              }
              post { always { last9DeploymentMarker serviceName: 's', dataSourceNameEnvVar: 'TEAM' } }
            }
            """;
        try (var run = pipeline(steps).env("LAST9_API_BASE_URL", last9.url).run()) {
            assertEquals(List.of("of the stage", "of the block", "of the pipeline"), observed("dataSourceName"), run.log());
        }
    }

    /** The two allowlists: the step's, else last9Config's, else the administrator's; a password parameter under no name and in no spelling. */
    @Test
    void sendsWhatIsAllowedAndNeverAPassword() {
        String steps = """
            node {
              last9DeploymentMarker serviceName: 'global'
              last9Config envAllowlist: ['REGION', 'PASSWORD', 'password'], paramAllowlist: 'VERSION, PASSWORD'
              last9DeploymentMarker serviceName: 'config'
              last9DeploymentMarker serviceName: 'option', envAllowlist: 'MY_VAR,PASSWORD', paramAllowlist: ['PASSWORD']
            }
            """;
        try (var run = pipeline(steps).env("LAST9_API_BASE_URL", last9.url).env("LAST9_ENV_ALLOWLIST", "REGION,PASSWORD").env("LAST9_PARAM_ALLOWLIST", "PASSWORD")
                .env("REGION", "eu").env("MY_VAR", "mine").param("VERSION", "1.2").param("PASSWORD", new Secret("hunter2hunter2")).run()) {
            assertEquals(3, last9.received().size(), run.log());
            assertEquals(List.of("{env_region=eu}", "{build_param_version=1.2, env_region=eu}", "{env_my_var=mine}"),
                    last9.received().stream().map(e -> {
                        var allowed = new java.util.TreeMap<>(attributes(e));
                        allowed.keySet().removeIf(k -> !k.startsWith("env_") && !k.startsWith("build_param_"));
                        return allowed.toString();
                    }).toList());
            assertFalse(JsonOutput.toJson(last9.received()).contains("hunter2"));
            assertFalse(run.log().contains("hunter2"), run.log());
        }
    }

    /** A connection field that a password parameter is named for: a warning and no marker, since fields stand in addresses and in the log. */
    @ParameterizedTest
    @CsvSource({"orgSlugParam", "dataSourceNameEnvVar", "credentialIdParam"})
    void refusesAPasswordAsAConnectionField(String option) {
        try (var run = pipeline("node { last9DeploymentMarker serviceName: 's', " + option + ": 'PASSWORD' }").env("LAST9_API_BASE_URL", last9.url)
                .param("PASSWORD", new Secret("hunter2hunter2")).run()) {
            assertEquals(1, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains(option + " names the password parameter 'PASSWORD'"), run.log());
            assertEquals(List.of(), last9.paths());
            assertFalse(run.log().contains("hunter2"), run.log());
        }
    }

    /** Whoever may start a build cannot send the token elsewhere: by `…Param`, by `…EnvVar`, or by a parameter of the administrator's variable's name. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "HOST               | , apiBaseUrlParam: 'HOST'",
        "HOST               | , apiBaseUrlEnvVar: 'HOST'",
        "LAST9_API_BASE_URL | ''",
    })
    void keepsTheTokenFromAParametersHost(String parameter, String option) {
        StandIn elsewhere = StandIn.start(CHECKOUT);
        try (elsewhere; var run = pipeline("node { last9DeploymentMarker serviceName: 's'" + option.replace("''", "") + " }").param(parameter, elsewhere.url).run()) {
            assertEquals(List.of(), elsewhere.paths());
            assertEquals(List.of(), last9.received());
            assertEquals(1, warnings(run).size(), run.log());
        }
    }

    /** What last9Config cannot use is told, in its place and with the nearest name, and costs no marker. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "orgSlg: 'x'                | unknown option 'orgSlg' in last9Config, ignored: did you mean 'orgSlug'?",
        "timeoutSeconds: [a: 1]     | timeoutSeconds is",
        "attributeNames: 'dots'     | attributeNames is 'dots'",
        "customAttributes: 'x'      | customAttributes is not a map",
        "'acme'                     | last9Config takes named options, ignored: acme. Write last9Config(orgSlug: 'acme'",
        "(['orgSlug', 'acme'])      | last9Config takes named options",
    })
    void tellsWhatLast9ConfigCannotUse(String config, String warning) {
        try (var run = pipeline("last9Config " + config + "\nnode { withLast9Deployment(serviceName: 's') { } }").env("LAST9_API_BASE_URL", last9.url).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals(2, last9.received().size(), run.log());
            assertTrue(warnings(run).stream().anyMatch(w -> w.contains(warning)), run.log());
        }
    }

    /** Branches that call last9Config at the same time lose nothing of each other. */
    @Test
    void keepsDefaultsOfParallelBranches() {
        String steps = """
            node {
              parallel a: { last9Config orgSlug: 'a' }, b: { last9Config dataSourceName: "${-> 'b'}" }, c: { last9Config attributeNames: 'dotted' }
              last9DeploymentMarker serviceName: 's'
            }
            """;
        try (var run = pipeline(steps).env("LAST9_API_BASE_URL", last9.url).run()) {
            assertEquals(List.of("a"), observed("orgSlug"), run.log());
            assertEquals(List.of("b"), observed("dataSourceName"), run.log());
            assertFalse(attributes(last9.received().get(0)).containsKey("jenkins_job_name"), run.log());
        }
    }
}
