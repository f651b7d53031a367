package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import pipeline.run.Pipeline;

/** What a marker costs the controller and the reader of the log: flow nodes, shells, operations in the sandbox, bytes in the program's state, lines. */
class CostTest extends LibraryTest {
    private static final String MARKER = "last9DeploymentMarker serviceName: 'api'\n";
    private static final String WINDOW = "withLast9Deployment(serviceName: 'api', environment: 'production', customAttributes: [team: 'payments']) ";

    /** The library and the Jenkinsfile in the sandbox. */
    static Pipeline sandboxed(String jenkinsfile) {
        return Pipeline.of("@Library('last9') _\n" + jenkinsfile).library("last9", CHECKOUT, false).sandbox(true).realTime()
                .env("LAST9_API_BASE_URL", last9.url).credential("last9-refresh-token", last9.refreshToken);
    }

    /**
     * What a shape may take: operations that the sandbox intercepts, reads of {@code env} among them, kilobytes of classes, and how many times {@code sh 'true'}
     * it may take by the cost model, trusted and in the sandbox. docs/performance.md shows these ratios. The steps are in the next test.
     */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "WARM,     720, 14,   0, 1.35, 1.50",
        "WINDOW,  1500, 27,   0, 2.70, 3.00",
        "NO_NODE,  720, 14,   0, 1.40, 1.55",
        "DRY,      730, 14,   0, 1.30, 1.45",
        "FIRST,    800, 14, 285, 1.93, 2.40",
    })
    void keepsToItsPrice(CostShape shape, long operations, long environmentReads, int classKilobytes, double trusted, double sandbox) {
        Cost cost = shape.count();
        String took = shape.title + " takes " + cost;
        assertTrue(cost.operations() <= operations, took);
        assertTrue(cost.environmentReads() <= environmentReads, took);
        assertTrue(cost.classBytes().get(1) <= classKilobytes * 1000L, took);
        assertTrue(CostModel.of(false).ratio(cost) <= trusted, took + ", trusted × " + CostModel.of(false).ratio(cost));
        assertTrue(CostModel.of(true).ratio(cost) <= sandbox, took + ", in the sandbox × " + CostModel.of(true).ratio(cost));
        String[] shown = CostTable.row(shape).split(" *\\| *");
        assertEquals(cost.flowNodes(), Integer.parseInt(shown[2]), "the page is old: make cost-docs");
        assertEquals(CostModel.of(false).ratio(cost), Double.parseDouble(shown[7]), 0.03, "the page is old: make cost-docs");
        assertEquals(CostModel.of(true).ratio(cost), Double.parseDouble(shown[9]), 0.03, "the page is old: make cost-docs");
    }

    private static long shells(Pipeline.Run run) {
        return run.steps().stream().filter(s -> "sh".equals(s.get("step")) || "bat".equals(s.get("step"))).count();
    }

    /** A warm marker takes 16 flow nodes at most, a build's first 20, a node of our own 4 more; each runs one shell. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', value = {
        "a marker, the first on the node     | node { MARKER }               | node { }                | 20 | 1",
        "the next one                        | node { MARKER MARKER }        | node { MARKER }         | 16 | 1",
        "a marker outside of any node        | node { MARKER }\\nMARKER      | node { MARKER }         | 20 | 1",
        "a block: two markers, nothing else  | node { MARKER WINDOW { } }    | node { MARKER }         | 32 | 2",
        "a dry run needs no credential       | node { MARKER WINDOW_DRY { } } | node { MARKER }        | 24 | 2",
    })
    void takesFewFlowNodesAndOneShell(String what, String steps, String without, int nodes, int shells) {
        try (var run = pipeline(text(steps)).run(); var before = pipeline(text(without)).run()) {
            assertEquals(List.of(), warnings(run));
            int took = run.flowNodes() - before.flowNodes();
            assertTrue(took <= nodes, what + " takes " + took + " flow nodes:\n" + run.log());
            assertEquals(shells, shells(run) - shells(before), run.log());
        }
    }

    private static String text(String steps) {
        return steps.replace("\\n", "\n").replace("MARKER", MARKER).replace("WINDOW_DRY", "withLast9Deployment(serviceName: 'api', dryRun: true) ").replace("WINDOW", WINDOW);
    }

    /**
     * An open window keeps less than 4 kB in the program's state, and a manual one next to nothing. The names of classes and fields are written once in a
     * program, by the first window: so a window's own share is what a further one adds.
     */
    @Test
    void keepsLittleInTheProgram() {
        int none = saved("sleep 1");
        int one = saved(WINDOW + "{ sleep 1 }");
        int two = saved(WINDOW + "{ " + WINDOW + "{ sleep 1 } }");
        int manual = saved("last9DeploymentMarker(serviceName: 'api', eventState: 'start'); sleep 1");
        assertTrue(two - one < 4096, "a window keeps " + (two - one) + " bytes");
        assertTrue(one - none < 8192, "the first window keeps " + (one - none) + " bytes, names of classes included");
        assertTrue(manual - none < 512, "a manual window keeps " + (manual - none) + " bytes");
    }

    private static int saved(String steps) {
        try (var run = pipeline("node { " + steps + " }").run()) {
            assertEquals("SUCCESS", run.result(), run.log());
            return run.savedBytes("sleep");
        }
    }

    /** A delivered marker is two lines of ours; Jenkins' own steps add two more and their [Pipeline] lines, and no command is echoed. */
    @Test
    void isQuiet() {
        try (var run = pipeline("node { " + WINDOW + "{ echo 'the deployment' } }").run()) {
            List<String> ours = run.console().stream().filter(l -> l.contains("Last9") && !l.contains("LAST9_REFRESH_TOKEN")).toList();
            assertEquals(List.of("[Last9] Sending deployment marker: deployment (start) for api", "[Last9] Deployment marker sent successfully",
                    "[Last9] Sending deployment marker: deployment (stop) for api", "[Last9] Deployment marker sent successfully"), ours);
            List<String> others = run.console().stream().filter(l -> !l.startsWith("[Pipeline]") && !l.contains("[Last9]")).toList();
            assertEquals(4, others.stream().filter(l -> l.startsWith("Timeout set to expire in") || l.startsWith("Masking supported pattern")).count(), run.log());
            assertEquals(List.of("the deployment"), others.stream().filter(l -> !l.startsWith("Timeout set") && !l.startsWith("Masking supported") && !l.startsWith("Running in ")
                    && !l.startsWith("Started by") && !l.startsWith("Running on") && !l.startsWith("Finished")).toList(), "lines that are nobody's");
        }
    }

    /** A window on an agent that has had a marker writes at most 45 lines of log, four of them ours. */
    @Test
    void writesFewLines() {
        try (var one = pipeline("node { " + WINDOW + "{ } }").run(); var two = pipeline("node { " + WINDOW + "{ }\n" + WINDOW + "{ } }").run()) {
            int lines = two.console().size() - one.console().size();
            assertTrue(lines <= 45, lines + " lines:\n" + two.log());
            assertEquals(4, ours(two) - ours(one), two.log());
        }
    }

    private static long ours(Pipeline.Run run) {
        return run.console().stream().filter(line -> line.startsWith("[Last9] ")).count();
    }
}
