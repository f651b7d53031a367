package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import pipeline.run.Pipeline;

/** The library as a folder-level one: every call of it is held against approved signatures. */
class SandboxTest extends LibraryTest {

    private static Pipeline sandboxed(String jenkinsfile) {
        return Pipeline.of(jenkinsfile)
                .library("last9", CHECKOUT, false)
                .sandbox(true)
                .realTime()
                .env("LAST9_API_BASE_URL", last9.url)
                .credential("last9-refresh-token", last9.refreshToken);
    }

    /** Every level of configuration, pairing, an upstream build's person, no node and failOnError work in the sandbox. */
    @Test
    void runsEverythingElse() {
        String jenkinsfile = """
            @Library('last9') _
            last9Config 'nothing', paramAllowlist: 'VERSION', envAllowlist: ['REGION'], timeoutSeconds: 30, routingProfiles: [team: [orgSlug: 'acme']]
            withLast9Deployment(serviceName: 's', routingProfile: 'team', customAttributes: [a: [1, [b: null]], c: 1.5]) { echo 'no node' }
            node {
              last9DeploymentMarker serviceName: 's', eventState: 'start', dataSourceName: 'd', orgSlugParam: 'ORG', apiBaseUrlEnvVar: 'NOPE'
              last9DeploymentMarker serviceName: 's'
              try { last9DeploymentMarker serviceName: 's', apiBaseUrl: 'http://127.0.0.1:9', timeoutSeconds: 1, failOnError: true } catch (e) { echo "failed as asked: ${e.message}" }
              try { withLast9Deployment(serviceName: 's') { assert false } } catch (Throwable t) { echo 'body failed' }
              withEnv(['LAST9_ROUTING_PROFILES={"x":{"orgSlug":"acme"}}']) { last9DeploymentMarker serviceName: 's', routingProfile: 'x' }
              last9DeploymentMarker serviceName: 's', dryRun: true
              last9DeploymentMarker(null, serviceName: 's', dryRun: true) { withLast9Deployment({ echo 'all the same' }, [serviceName: 't', dryRun: true]) }
            }
            """;
        try (var run = sandboxed(jenkinsfile).param("VERSION", "1.2").param("ORG", "acme").env("REGION", "eu")
                .cause("upstream:release#7:bob").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(!run.log().contains("Scripts not permitted"), run.log());
            assertTrue(run.log().contains("failed as asked: [Last9]"), run.log());
            assertTrue(run.console().contains("all the same"), run.log());
            assertEquals("start s, stop s, start s, stop s, start s, stop s, stop s", markers(), run.log());
            last9.received().forEach(e -> assertEquals("bob", attributes(e).get("jenkins.build_user"), run.log()));
            last9.received().forEach(e -> assertEquals("1.2", attributes(e).get("build_param_version")));
            last9.received().forEach(e -> assertEquals("eu", attributes(e).get("env_region")));
        }
    }

    /** In the sandbox, warnings have the same words: the sandbox rejects no call on the way. */
    @Test
    void tellsWhatWentWrong() {
        String jenkinsfile = """
            @Library('last9') _
            node {
              withEnv(['LAST9_PYTHON=ENGINE']) {
                last9DeploymentMarker serviceName: 's'
                last9DeploymentReport()
              }
              last9DeploymentMarker serviceName: 's', credentialId: 'no-such-credential'
              last9TestConnection credentialId: 'no-such-credential'
              sh 'mkdir -p ../../jobs/demo/builds/1 && touch ../../jobs/demo/builds/1/archive' // a file where the archive should be
              last9DeploymentReport()
            }
            """;
        try (var run = sandboxed(jenkinsfile.replace("ENGINE", engineWithoutAnswer())).run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            assertTrue(!run.log().contains("Scripts not permitted"), run.log());
            for (String told : List.of("the engine ended with exit status 1, so it is not known whether", "the engine ended with exit status 1, so there is no report",
                    "there is no credential 'no-such-credential'", "the deployment report could not be archived")) {
                assertTrue(run.log().contains(told), told + ": " + run.log());
            }
        }
    }
}
