package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import groovy.json.JsonOutput;
import hudson.util.Secret;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pipeline.run.Pipeline;

/** Where a marker goes and what it carries: nothing that is another team's or secret. Each field at each level is in {@link LevelsTest}. */
class SettingsTest extends LibraryTest {

    /** In place of the usual one: knows any organization. */
    @BeforeAll
    static void startLast9() {
        last9 = FakeLast9.start(CHECKOUT, "--organization", "*");
    }

    /** Without an address among Jenkins' global properties. */
    static Pipeline pipeline(String steps) {
        return Pipeline.of("@Library('last9') _\n" + steps).library(CHECKOUT).realTime().credential("last9-refresh-token", last9.refreshToken);
    }

    /** What each marker had in that field when it arrived. */
    private static List<String> received(String field) {
        return last9.received().stream().map(e -> String.valueOf(e.get(field))).toList();
    }

    /** A profile that is not there, or has a mistake in it, is one warning and no marker: never another team's organization. The body runs. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "routingProfiles: [theirs: [orgSlug: 'theirs']]                 | 'ours' is not defined (known: theirs)",
        "timeoutSeconds: 5                                              | 'ours' is not defined (known: none)",
        "routingProfiles: [ours: [orgSlg: 'ours']]                      | has an unknown field 'orgSlg'",
        "routingProfiles: [ours: 'ours']                                | is not a map of connection fields",
        "routingProfiles: [ours: [routingProfile: 'theirs']]            | has an unknown field 'routingProfile'",
        "routingProfiles: 'ours'                                        | routingProfiles in last9Config is not a map",
    })
    void neverSendsToAnotherTeam(String config, String warning) {
        String steps = "last9Config " + config + "\nnode { withLast9Deployment(serviceName: 's', routingProfile: 'ours') { echo 'body ran' } }";
        try (var run = pipeline(steps).env("LAST9_API_BASE_URL", last9.url).env("LAST9_ORG_SLUG", "theirs").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(run.console().contains("body ran"), run.log());
            assertTrue(warnings(run).stream().anyMatch(w -> w.contains(warning)), run.log());
            assertEquals(List.of(), last9.paths());
        }
    }

    /** The administrator's profiles count, one that last9Config defines a second time is refused, and broken JSON is said where a profile is asked for. */
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
            assertEquals(List.of("admin", "option"), received("organization"), run.log());
            assertEquals(2, warnings(run).size(), run.log());
            assertTrue(warnings(run).get(0).contains("'team' is defined twice"), run.log());
            assertTrue(warnings(run).get(1).contains("LAST9_ROUTING_PROFILES is not a JSON object"), run.log());
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
            assertEquals(List.of("of the stage", "of the block", "of the pipeline"), received("data_source_name"), run.log());
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

    /** A person who may only start builds cannot send the token elsewhere: by `…Param`, by `…EnvVar`, or by a parameter of the administrator's variable's name. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "HOST               | , apiBaseUrlParam: 'HOST'",
        "HOST               | , apiBaseUrlEnvVar: 'HOST'",
        "LAST9_API_BASE_URL | ''",
    })
    void keepsTheTokenFromAParametersHost(String parameter, String option) {
        FakeLast9 elsewhere = FakeLast9.start(CHECKOUT);
        try (elsewhere; var run = pipeline("node { last9DeploymentMarker serviceName: 's'" + option.replace("''", "") + " }").param(parameter, elsewhere.url).run()) {
            assertEquals(List.of(), elsewhere.paths());
            assertEquals(List.of(), last9.received());
            assertEquals(1, warnings(run).size(), run.log());
        }
    }

    /** A value that last9Config cannot use is a warning, with the place and the nearest name, and costs no marker. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '"', value = {
        "orgSlg: 'x'                | unknown option 'orgSlg' in last9Config is ignored: did you mean 'orgSlug'?",
        "timeoutSeconds: [a: 1]     | timeoutSeconds is",
        "attributeNames: 'dots'     | attributeNames must be 'dotted' or 'underscore'",
        "customAttributes: 'x'      | customAttributes is ignored: it is not a map",
        "'acme'                     | last9Config ignored positional arguments: acme. Use named options: last9Config(orgSlug: 'acme'",
        "(['orgSlug', 'acme'])      | last9Config ignored positional arguments",
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
            assertEquals(List.of("a"), received("organization"), run.log());
            assertEquals(List.of("b"), received("data_source_name"), run.log());
            assertFalse(attributes(last9.received().get(0)).containsKey("jenkins_job_name"), run.log());
        }
    }
}
