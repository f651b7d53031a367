package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import pipeline.run.Job;
import pipeline.run.Pipeline;

/** A window is closed in every case, if need be by a later build of the job; and never one of a build that still runs. */
class EarlierBuildsTest extends LibraryTest {
    private static final String WINDOW = "withLast9Deployment(serviceName: 'payments-api', environment: 'production', orgSlug: 'acme')";
    private static final String HANGS = "node { " + WINDOW + " { sh 'echo started; sleep 600' } }";
    private static final String MARKER = "node { last9DeploymentMarker serviceName: 'billing' }";
    private static final String CLOSED = "[Last9] Closed the deployment of payments-api that build #%d left open";

    private Job job;

    @BeforeEach
    void newJob() {
        job = new Job("demo");
    }

    @AfterEach
    void endJob() {
        job.close();
    }

    private Pipeline.Run run(String jenkinsfile) {
        return job.run(pipeline(jenkinsfile));
    }

    private Pipeline.Run killed(String jenkinsfile) {
        Pipeline.Run run = job.run(pipeline(jenkinsfile).afterText("kill", "^started"));
        assertEquals("ABORTED", run.result(), run.log());
        return run;
    }

    private static String record(Pipeline.Run run) {
        return String.valueOf(run.state().env.get("LAST9_RECORD"));
    }

    private static List<String> closed(Pipeline.Run run) {
        return run.console().stream().filter(line -> line.contains("[Last9] Closed")).toList();
    }

    private static List<Map<String, Object>> stops(String service) {
        return last9.received().stream().filter(e -> "stop".equals(e.get("event_state")) && service.equals(attributes(e).get("service_name"))).toList();
    }

    /** The window of a build that was killed hard gets its stop with the next build's first marker: unknown, with the facts of the build that is gone. */
    @Test
    void theNextBuildClosesIt() {
        Pipeline.Run killed = killed(HANGS);
        assertEquals("start payments-api", markers());
        Pipeline.Run next = run(MARKER);
        assertEquals("start payments-api, stop billing, stop payments-api", markers());
        Map<String, Object> start = attributes(last9.received().get(0));
        Map<String, Object> stop = attributes(last9.received().get(2));
        assertEquals(start.get("deployment.id"), stop.get("deployment.id"));
        assertEquals("unknown", stop.get("deployment.outcome"));
        for (String same : List.of("jenkins.job_name", "jenkins.build_number", "jenkins.node_name", "deployment_environment")) {
            assertEquals(start.get(same), stop.get(same), same);
        }
        assertEquals("ABORTED", stop.get("jenkins.build_result"));
        assertEquals("http://jenkins.example.test/job/demo/1/", stop.get("jenkins.build_url"));
        long ended = java.time.Instant.parse(last9.received().get(2).get("timestamp").toString()).toEpochMilli();
        assertTrue(Math.abs(ended - killed.state().endedAt) < 1500, ended + " is not when the build ended, " + killed.state().endedAt);
        assertEquals(List.of(CLOSED.formatted(1)), closed(next));
        assertEquals(List.of(), warnings(next));
        assertFalse(record(next).contains(stop.get("deployment.id").toString()), record(next));
        Pipeline.Run third = run(MARKER);
        assertEquals(List.of(), closed(third), "once closed it is closed");
        assertEquals(1, stops("payments-api").size());
    }

    /** A controller that dies under PERFORMANCE_OPTIMIZED durability leaves a build that failed: its window is closed as well, from a folder library too. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aBuildThatCouldNotResume(boolean trusted) {
        Pipeline lost = pipeline(HANGS).afterText("restart", "^started");
        lost.settings().performanceOptimized = true;
        assertEquals("FAILURE", job.run(lost).result());
        Pipeline next = Pipeline.of("@Library('last9') _\n" + MARKER).library("last9", CHECKOUT, trusted).sandbox(true).realTime()
                .env("LAST9_API_BASE_URL", last9.url).credential("last9-refresh-token", last9.refreshToken);
        Pipeline.Run run = job.run(next);
        assertEquals(List.of(CLOSED.formatted(1)), closed(run), run.log());
    }

    /** A running build is left alone, with any result: unstable, a caught failure; its own stop has its outcome. */
    @ParameterizedTest
    @ValueSource(strings = {"unstable 'flaky'", "catchError { error 'no' }", "currentBuild.result = 'FAILURE'"})
    void aRunningBuildIsLeftAlone(String result, @TempDir Path folder) {
        List<Pipeline.Run> others = new ArrayList<>();
        Path seen = folder.resolve("seen");
        String body = result + "\nsh 'echo started; until [ -e " + seen + " ]; do sleep 0.1; done'";
        Pipeline first = pipeline("node { " + WINDOW + " { " + body + " } }").afterText("^started", () -> {
            others.add(run(MARKER));
            others.add(run(MARKER));
            seen.toFile().mkdir();
        });
        Pipeline.Run run = job.run(first);
        assertEquals(List.of(), closed(others.get(0)), run.log());
        assertEquals(List.of(), closed(others.get(1)));
        assertTrue(record(others.get(1)).contains("\"running\":[1]"), record(others.get(1)));
        assertEquals(1, stops("payments-api").size());
        assertNotEquals("unknown", attributes(stops("payments-api").get(0)).get("deployment.outcome"));
        assertEquals(List.of(), closed(run(MARKER)), "it has closed its window itself");
    }

    /** A build that waits at an input for an answer still runs, although a stage of it has failed. */
    @Test
    void aBuildThatWaitsForAnInput() {
        List<Pipeline.Run> others = new ArrayList<>();
        Pipeline first = pipeline("node { " + WINDOW + " { catchError { error 'no' }\ninput 'go on?' } }").afterText("go on", () -> others.add(run(MARKER)), ";abort");
        Pipeline.Run run = job.run(first);
        assertEquals(List.of(), closed(others.get(0)), run.log());
        assertEquals(1, stops("payments-api").size(), run.log());
        assertEquals("aborted", attributes(stops("payments-api").get(0)).get("deployment.outcome"));
    }

    /** A build that was running while others went by, and then was killed, is found by number: the walk does not end before it. */
    @Test
    void aBuildThatWasRunningAndDied() {
        Pipeline first = pipeline(HANGS).afterText("^started", () -> {
            run(MARKER);
            run(MARKER);
        }, ";kill");
        Pipeline.Run killed = job.run(first);
        assertEquals("ABORTED", killed.result(), killed.log());
        assertEquals(List.of(CLOSED.formatted(1)), closed(run(MARKER)));
        assertEquals(List.of(), closed(run(MARKER)));
    }

    /** Several windows in parallel, of several services, and builds without any marker in between: each is closed once. */
    @Test
    void parallelWindows() {
        String branch = "node { withLast9Deployment(serviceName: '%s') { sh 'sleep 600' } }";
        String file = "parallel a: { " + branch.formatted("a") + " }, b: { " + branch.formatted("b") + " }, c: { node { withLast9Deployment(serviceName: 'c') { "
                + "while (true) { sleep 1; if (currentBuild.buildVariables.LAST9_RECORD.split('\"at\"').size() == 4) { echo 'started'; sleep 600 } } } } }";
        job.run(pipeline(file).agent("large", "", 5).afterText("kill", "^started"));
        run("echo 'no marker'");
        run("echo 'no marker'");
        assertEquals(3, closed(run(MARKER)).size());
        assertEquals(List.of(), closed(run(MARKER)));
        assertEquals(List.of(1, 1, 1), List.of(stops("a").size(), stops("b").size(), stops("c").size()));
    }

    /** A build that is killed before it could close what others left hands it on: both windows are closed by the one after it. */
    @Test
    void aBuildKilledWhileItCloses() {
        killed(HANGS);
        last9.fault("[{\"about\": \"\\\"unknown\\\"\", \"status\": 503}]");
        killed("node { " + WINDOW.replace("payments-api", "search") + " { sh 'echo started; sleep 600' } }");
        last9.wellAgain();
        Pipeline.Run third = run(MARKER);
        assertEquals(2, closed(third).size(), third.log());
        assertEquals(List.of(1, 1), List.of(stops("payments-api").size(), stops("search").size()));
        assertEquals("1", attributes(stops("payments-api").get(0)).get("jenkins.build_number"));
        assertEquals("2", attributes(stops("search").get(0)).get("jenkins.build_number"));
    }

    /** A stop that Last9 did not get in its own build is sent by the next, with the time that it had. */
    @Test
    void aStopThatNeverGotThrough() {
        last9.fault("[{\"about\": \"\\\"stop\\\"\", \"status\": 429, \"headers\": {\"Retry-After\": \"60\"}}]");
        Pipeline.Run first = run("node { " + WINDOW + " { } }\nsleep 3");
        assertEquals(0, stops("payments-api").size());
        last9.wellAgain();
        assertEquals(List.of(CLOSED.formatted(1)), closed(run(MARKER)), first.log());
        long stopped = java.time.Instant.parse(stops("payments-api").get(0).get("timestamp").toString()).toEpochMilli();
        assertTrue(first.state().endedAt - stopped > 2000, "the time of the stop, not of the build's end");
    }

    /** A stop that was kept and went out with a later marker of its own build does not concern the next build. */
    @Test
    void aStopThatGotThroughLater() {
        last9.fault("[{\"about\": \"\\\"stop\\\"\", \"times\": 1, \"status\": 429, \"headers\": {\"Retry-After\": \"60\"}}]");
        Pipeline.Run first = run("node { " + WINDOW + " { }\nlast9DeploymentMarker serviceName: 'search' }");
        assertEquals(1, stops("payments-api").size(), first.log());
        assertFalse(record(first).contains("payments-api"), record(first));
        assertEquals(List.of(), closed(run(MARKER)));
    }

    /** A manual window that a good build left open is named once and not closed; a stop in a later build ends it, with its id and its start. */
    @Test
    void aManualWindowAcrossBuilds() {
        run("node { last9DeploymentMarker serviceName: 'payments-api', environment: 'production', eventState: 'start' }");
        Pipeline.Run second = run(MARKER);
        assertEquals(1, second.console().stream().filter(l -> l.contains("Build #1 left the deployment of payments-api open")).count(), second.log());
        Pipeline.Run third = run(MARKER + "\n" + MARKER);
        assertEquals(0, third.console().stream().filter(l -> l.contains("Build #1")).count(), third.log());
        assertEquals(0, stops("payments-api").size());
        Pipeline.Run fourth = run("node { last9DeploymentMarker serviceName: 'payments-api', environment: 'production' }");
        Map<String, Object> stop = attributes(stops("payments-api").get(0));
        assertEquals(attributes(last9.received().get(0)).get("deployment.id"), stop.get("deployment.id"), fourth.log());
        assertEquals("success", stop.get("deployment.outcome"));
        assertTrue(Integer.parseInt(stop.get("deployment.window_duration_ms").toString()) > 0);
        assertFalse(record(fourth).contains("payments-api"), record(fourth));
        run("node { last9DeploymentMarker serviceName: 'payments-api', environment: 'production' }");
        assertNull(attributes(stops("payments-api").get(1)).get("deployment.id"), "that window has had its stop");
    }

    /** With closeOpenWindows manual windows are closed, too; those of a build that was killed are in any case. */
    @Test
    void manualWindowsThatAreClosed() {
        String start = "node { last9DeploymentMarker serviceName: 'payments-api', eventState: 'start'\necho 'started'\nsleep 1 }";
        run(start);
        Pipeline.Run second = run("last9Config closeOpenWindows: true\n" + MARKER);
        assertEquals(List.of(CLOSED.formatted(1)), closed(second), second.log());
        assertEquals(List.of(), warnings(second));
        killed(start.replace("sleep 1", "sh 'sleep 600'"));
        assertEquals(List.of(CLOSED.formatted(3)), closed(run(MARKER)));
    }

    private static final String PROFILES = "{\"a\":{\"credentialId\":\"token-a\",\"apiBaseUrl\":\"%s\"},\"b\":{\"credentialId\":\"token-b\",\"apiBaseUrl\":\"%s\"}}";
    private static final String HANGS_AT_A = HANGS.replace("orgSlug: 'acme'", "routingProfile: 'a'");
    private static final String MARKER_B = "node { last9DeploymentMarker serviceName: 'billing', routingProfile: 'b' }";

    /** A build with the profiles a and b: each has a Last9 and a credential of its own. */
    private static Pipeline routed(String jenkinsfile, FakeLast9 a) {
        return withCredentials(jenkinsfile, a).env("LAST9_ROUTING_PROFILES", PROFILES.formatted(a.url, last9.url));
    }

    private static Pipeline withCredentials(String jenkinsfile, FakeLast9 a) {
        return CostTest.sandboxed(jenkinsfile).credential("token-a", a.refreshToken).credential("token-b", last9.refreshToken);
    }

    private void killedAtA(FakeLast9 a) {
        Pipeline.Run run = job.run(routed(HANGS_AT_A, a).afterText("kill", "^started"));
        assertEquals("ABORTED", run.result(), run.log());
        assertEquals("start", a.received().get(0).get("event_state"));
    }

    private static long steps(Pipeline.Run run, String step) {
        return run.steps().stream().filter(s -> step.equals(s.get("step"))).count();
    }

    private static long bindings(Pipeline.Run run) {
        return run.console().stream().filter(line -> line.startsWith("Masking supported pattern")).count();
    }

    private static List<Object> states(FakeLast9 of) {
        return of.received().stream().map(e -> e.get("event_state")).toList();
    }

    /** A window that another credential opened, which a routing profile of the next build names, is closed with that one by exactly one more shell. */
    @Test
    void anotherCredentialOfTheBuild() {
        try (FakeLast9 a = FakeLast9.start(CHECKOUT)) {
            killedAtA(a);
            int before = last9.paths().size();
            Pipeline.Run next = job.run(routed(MARKER_B + "\n" + MARKER_B, a));
            assertEquals("SUCCESS", next.result(), next.log());
            assertEquals(List.of(CLOSED.formatted(1)), closed(next), next.log());
            assertEquals(List.of(), warnings(next));
            assertEquals(List.of(3L, 3L), List.of(steps(next, "sh"), bindings(next)), next.log());
            assertEquals(List.of("start", "stop"), states(a));
            assertEquals("unknown", attributes(a.received().get(1)).get("deployment.outcome"));
            assertEquals(attributes(a.received().get(0)).get("deployment.id"), attributes(a.received().get(1)).get("deployment.id"));
            assertEquals("stop billing, stop billing", markers(), "nothing goes out twice");
            assertEquals(4, last9.paths().size() - before, "an exchange and an event for each marker, nothing for the window");
            assertFalse(record(next).contains("payments-api"), record(next));
            assertSilentAbout(a.refreshToken, next);
            Pipeline.Run third = job.run(routed(MARKER_B, a));
            assertEquals(1, steps(third, "sh"), third.log());
            assertEquals(2, a.received().size());
        }
    }

    /** A credential that no setting of the build names, or only a build parameter: it is not bound, one line says so, once, and no shell more runs. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aCredentialThatNoSettingNames(boolean parameter) {
        try (FakeLast9 a = FakeLast9.start(CHECKOUT)) {
            killedAtA(a);
            int before = a.paths().size();
            String file = MARKER_B.replace("routingProfile: 'b'", "credentialId: 'token-b'");
            for (int lines : new int[] {1, 0}) {
                Pipeline next = withCredentials(file, a);
                if (parameter) {
                    next.param("LAST9_ROUTING_PROFILES", PROFILES.formatted(a.url, last9.url));
                }
                Pipeline.Run run = job.run(next);
                assertEquals("SUCCESS", run.result(), run.log());
                assertEquals(lines, run.console().stream().filter(l -> l.contains("needs the credential 'token-a'")).count(), run.log());
                assertEquals(List.of(1L, 1L), List.of(steps(run, "sh"), bindings(run)), run.log());
                assertEquals(List.of(), warnings(run));
            }
            assertEquals(before, a.paths().size(), "no request went there");
        }
    }

    /** A record that pairs a credential of the build with a host of another: neither token goes there with the other's. */
    @Test
    void aRecordThatMixesThem() {
        try (FakeLast9 a = FakeLast9.start(CHECKOUT)) {
            String mixed = "{\"v\":1,\"open\":[{\"id\":\"x\",\"at\":1790000000123,\"o\":{\"serviceName\":\"evil\",\"credentialId\":\"token-a\",\"apiBaseUrl\":\"%s\"}}]}";
            job.run(routed("env.LAST9_RECORD = '" + mixed.formatted(last9.url) + "'", a));
            Pipeline.Run next = job.run(routed(MARKER_B, a));
            assertEquals("SUCCESS", next.result(), next.log());
            assertEquals(1, warnings(next).size(), next.log());
            assertEquals(List.of(), a.paths());
            assertEquals("stop billing", markers());
            assertEquals(2, last9.paths().size(), last9.paths().toString());
        }
    }

    /** The further run harms nothing: a Last9 that hangs or a credential that is gone costs one line at most, no failure, and no second try in the build. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theFurtherRunFails(boolean hangs) {
        try (FakeLast9 a = FakeLast9.start(CHECKOUT)) {
            killedAtA(a);
            a.fault("[{\"on\": \"exchange\", \"times\": 9, \"delay\": 60}]");
            String file = "last9Config failOnError: true\n" + MARKER_B + "\n" + MARKER_B;
            Pipeline next = hangs ? routed(file, a) : CostTest.sandboxed(file).credential("token-b", last9.refreshToken).env("LAST9_ROUTING_PROFILES", PROFILES.formatted(a.url, last9.url));
            Pipeline.Run run = job.run(next);
            assertEquals("SUCCESS", run.result(), run.log());
            assertEquals("stop billing, stop billing", markers());
            assertEquals(hangs ? 0 : 1, warnings(run).size(), run.log());
            assertEquals(hangs ? 3 : 2, steps(run, "sh"), run.log());
            a.wellAgain();
            assertEquals(List.of(CLOSED.formatted(1)), closed(job.run(routed(MARKER_B, a))));
        }
    }

    /** An abort during the further run is obeyed: no deployment begins, its stop goes out, a marker that is delivered is not sent again. */
    @ParameterizedTest
    @ValueSource(strings = {"withLast9Deployment(serviceName: 'billing', routingProfile: 'b') { echo 'deploying' }", "last9DeploymentMarker serviceName: 'billing', routingProfile: 'b'"})
    void anAbortDuringTheFurtherRun(String steps) {
        try (FakeLast9 a = FakeLast9.start(CHECKOUT)) {
            killedAtA(a);
            a.fault("[{\"on\": \"exchange\", \"times\": 9, \"delay\": 60}]");
            Pipeline.Run run = job.run(routed("node { " + steps + "\necho 'goes on' }", a).abortAt("sh", 2));
            assertEquals("ABORTED", run.result(), run.log());
            assertFalse(run.console().contains("deploying") || run.console().contains("goes on"), run.log());
            assertEquals(steps.startsWith("with") ? "start billing, stop billing" : "stop billing", markers(), run.log());
            assertEquals(List.of(), warnings(run));
            a.wellAgain();
            assertEquals(List.of(CLOSED.formatted(1)), closed(job.run(routed(MARKER_B, a))));
        }
    }

    /** A build that was deleted takes its record along: nothing is known of its window. One before it, whose window a record holds, is closed all the same. */
    @Test
    void deletedBuilds() {
        killed(HANGS);
        last9.fault(TAKES_NOTHING);
        run(MARKER);
        last9.wellAgain();
        job.delete(1);
        assertEquals(List.of(CLOSED.formatted(1)), closed(run(MARKER)), "the second build had taken it over");
        killed(HANGS);
        job.delete(4);
        assertEquals(List.of(), closed(run(MARKER)));
    }

    /** After the job was renamed its windows are closed under the name that Jenkins now gives their builds. */
    @Test
    void aRenamedJob() {
        killed(HANGS);
        job.rename("renamed");
        assertEquals(List.of(CLOSED.formatted(1)), closed(run(MARKER)));
        assertEquals("renamed", attributes(stops("payments-api").get(0)).get("jenkins.job_name"));
    }

    /** Ten builds without a marker hide what is behind them: no build looks so far back. */
    @Test
    void noFurtherThanTenBuilds() {
        killed(HANGS);
        for (int i = 0; i < 9; i++) {
            job.run(Pipeline.of("echo 'no marker'"));
        }
        job.delete(5);
        job.run(Pipeline.of("echo 'no marker'"));
        assertEquals(List.of(CLOSED.formatted(1)), closed(run(MARKER)), "nine builds in between, and it is the tenth");
        killed(HANGS);
        for (int i = 0; i < 10; i++) {
            job.run(Pipeline.of("echo 'no marker'"));
        }
        assertEquals(List.of(), closed(run(MARKER)));
    }

    /** A foreign record, of any form, costs no marker and leads the token nowhere. */
    @ParameterizedTest
    @ValueSource(strings = {
        "no JSON", "[]", "{\"v\":1}", "{\"v\":2,\"open\":[]}", "{\"v\":1,\"open\":7,\"left\":{},\"commits\":[],\"running\":\"x\",\"settled\":\"y\"}",
        "{\"v\":1,\"open\":[7,{},{\"id\":1},{\"id\":\"x\",\"at\":1790000000123,\"o\":7}],\"left\":[7,{\"open\":[{\"id\":\"y\",\"at\":1790000000123}]}],\"commits\":{\"a\":7}}",
        "{\"v\":1,\"settled\":99999999999999999999,\"running\":[null,-1,99999999999]}",
        "{\"v\":1,\"open\":[{\"id\":\"x\",\"at\":1790000000123,\"o\":{\"serviceName\":\"evil\",\"apiBaseUrl\":\"https://evil.example.com\"}}]}",
        "{\"v\":1,\"open\":[{\"id\":\"x\",\"at\":1790000000123,\"o\":{\"serviceName\":\"evil\",\"credentialId\":\"another\"}}]}",
        "{\"v\":1,\"left\":[{\"build\":\"7\",\"open\":[{\"id\":\"../..\",\"at\":1790000000123,\"o\":{\"serviceName\":[\"a\"]}}]}]}",
    })
    void aHostileRecord(String text) {
        run("env.LAST9_RECORD = '''" + text + "'''");
        Pipeline.Run next = run(MARKER + "\n" + MARKER);
        assertEquals("SUCCESS", next.result(), next.log());
        assertEquals("stop billing, stop billing", markers(), next.log());
        assertTrue(warnings(next).size() <= 1, next.log());
        assertTrue(record(next).length() <= 3000, record(next));
        assertSilentAbout(last9.refreshToken, next);
    }

    /** A record that is far too long is none. */
    @Test
    void anEndlessRecord() {
        run("env.LAST9_RECORD = '{\"v\":1,\"open\":[' + ('7,' * 100000) + '7]}'");
        assertEquals(List.of(), warnings(run(MARKER)));
        assertEquals("stop billing", markers());
    }

    /** It never exceeds 3 kB, however many windows are open and however long their names are, and never holds a secret. */
    @Test
    void theRecordStaysSmall() {
        String open = "for (int i = 0; i < 30; i++) { last9DeploymentMarker serviceName: 'a-rather-long-name-of-a-service-' + i, environment: 'production', eventState: 'start', "
                + "orgSlug: 'acme', customAttributes: [secret: 'hunter2'] }";
        Pipeline.Run run = run("node { " + open + "\nlast9DeploymentMarker(serviceName: 'x' * 5000, eventState: 'start') }");
        assertEquals("SUCCESS", run.result(), run.log());
        assertTrue(record(run).length() > 1000 && record(run).length() <= 3000, record(run));
        assertEquals(10, record(run).split("\"o\":").length - 1, record(run));
        assertFalse(record(run).contains("hunter2") || record(run).contains(last9.refreshToken), record(run));
    }

    /** A build that has sent all it had to leaves a record of a few words, and a dry run none. */
    @Test
    void aGoodBuildsRecord() {
        Pipeline.Run run = run("node { " + WINDOW + " { } }");
        assertTrue(record(run).length() < 200, record(run));
        assertFalse(record(run).contains("payments-api"), record(run));
        assertEquals("null", record(run("node { withLast9Deployment(serviceName: 'a', dryRun: true) { } }")));
    }

    /** A record that is nested thousands deep costs neither a marker nor a build, and no later build hands it on. */
    @ParameterizedTest
    @ValueSource(ints = {200, 1300, 4900})
    void aRecordNestedDeep(int depth) {
        String nested = "('[' * %d) + (']' * %d)".formatted(depth, depth);
        run("env.LAST9_RECORD = '{\"v\":1,\"open\":[{\"id\":\"x\",\"at\":1790000000123,\"o\":{\"serviceName\":' + " + nested + " + '}}]}'");
        Pipeline.Run next = run(MARKER + "\nnode { " + WINDOW + " { } }");
        assertEquals("SUCCESS", next.result(), next.log());
        assertEquals("stop billing, start payments-api, stop payments-api", markers(), next.log());
        assertEquals(List.of(), warnings(next));
        assertFalse(record(next).contains("[[["), record(next));
    }

    /** A record that says nothing, or what none says, of the builds before it hides none of their windows. */
    @ParameterizedTest
    @ValueSource(strings = {"{\"v\":1}", "{\"v\":1,\"settled\":99}"})
    void aRecordThatEndsNothing(String text) {
        killed(HANGS);
        run("env.LAST9_RECORD = '" + text + "'");
        assertEquals(List.of(CLOSED.formatted(1)), closed(run(MARKER)));
        assertEquals(List.of(), closed(run(MARKER)));
    }

    /** A stop that is only shown stops nothing: the window's own stop finds it afterwards, and a later build closes it, should none come. */
    @Test
    void aDryRunStopsNothing() {
        String manual = "node { last9DeploymentMarker serviceName: 'payments-api', environment: 'production'%s }";
        run(manual.formatted(", eventState: 'start'"));
        Pipeline.Run dry = run(manual.formatted(", dryRun: true"));
        Object id = attributes(last9.received().get(0)).get("deployment.id");
        assertTrue(dry.log().contains(id.toString()), dry.log());
        run(manual.formatted(""));
        assertEquals(id, attributes(stops("payments-api").get(0)).get("deployment.id"));
        run(manual.formatted(", eventState: 'start'") + "\n" + manual.formatted(", dryRun: true") + "\nerror 'no'");
        assertEquals(List.of(CLOSED.formatted(4)), closed(run(MARKER)));
    }

    /** The commit that was deployed last to a service and environment is compared with the next deployment there, in spite of other builds. */
    @Test
    void theCommitDeployedLast() {
        String deploy = "node { withEnv(['GIT_COMMIT=%s', 'GIT_PREVIOUS_SUCCESSFUL_COMMIT=%s']) { withLast9Deployment(serviceName: 'api', environment: '%s') { %s } } }";
        String one = "1".repeat(40);
        String two = "2".repeat(40);
        run(deploy.formatted(one, "f".repeat(40), "production", ""));
        run(deploy.formatted(two, one, "staging", ""));
        run("try { " + deploy.formatted("3".repeat(40), two, "production", "error 'no'") + " } catch (e) { }");
        run(deploy.formatted(two, two, "production", ""));
        Map<String, Object> last = attributes(stops("api").get(3));
        assertEquals(one, last.get("scm.previous_commit_sha"), "not the one that failed, nor the one of staging");
        assertNotEquals("redeploy", last.get("deployment.kind"));
    }

    /** A version that was deployed to staging and goes to production for the first time is not called a redeployment of itself. */
    @Test
    void theFirstDeploymentToAnotherPlace() {
        String deploy = "node { withEnv(['GIT_COMMIT=%1$s', 'GIT_PREVIOUS_SUCCESSFUL_COMMIT=%1$s']) { withLast9Deployment(serviceName: 'api', environment: '%2$s') { } } }";
        String one = "1".repeat(40);
        run(deploy.formatted(one, "staging"));
        run(deploy.formatted(one, "production"));
        run(deploy.formatted(one, "production"));
        Map<String, Object> first = attributes(stops("api").get(1));
        assertFalse(first.containsKey("deployment.kind") || first.containsKey("scm.previous_commit_sha"), first.toString());
        assertEquals("redeploy", attributes(stops("api").get(2)).get("deployment.kind"), "the second time it is one");
    }
}
