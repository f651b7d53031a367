package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import pipeline.run.Pipeline;

/**
 * What many windows in one build cost ({@code make endurance}). Counts and bytes are held to grow in proportion; time is printed, for
 * it says more about the machine. The figures stand in docs/performance.md.
 */
@Tag("endurance")
class ScaleTest extends LibraryTest {
    private static final String WINDOW = "withLast9Deployment(serviceName: \"service-${n}\", environment: 'production') { %s }";
    private static final String DEPLOYS = WINDOW.formatted("echo 'deploying'");
    private static final double TOLERANCE = 0.02;

    /** One build: how many windows, and what they cost. */
    private record Cost(int windows, int flowNodes, int logLines, int logBytes, int programBytes, int openBytes, int environmentBytes,
            double seconds) {
        static Cost of(int windows, Pipeline pipeline) {
            long began = System.nanoTime();
            try (var run = pipeline.run()) {
                double seconds = (System.nanoTime() - began) / 1e9;
                assertEquals("SUCCESS", run.result(), run.log());
                assertEquals(0, warnings(run).size(), () -> warnings(run).get(0));
                int environment = run.state().env.entrySet().stream().mapToInt(e -> e.getKey().length() + e.getValue().length() + 2).sum();
                Cost cost = new Cost(windows, run.flowNodes(), run.console().size(), run.log().length(), run.state().largestProgram, run.savedBytes("sleep"),
                        environment, seconds);
                System.out.printf("%d windows: %d flow nodes, %d log lines (%d kB), program %d kB (in the bodies %d kB), environment %d bytes, %.1f s%n", windows, cost.flowNodes,
                        cost.logLines, cost.logBytes / 1000, cost.programBytes / 1000, cost.openBytes / 1000, cost.environmentBytes, seconds);
                return cost;
            }
        }
    }

    /**
     * A thousand windows in sequence: each adds the same number of steps and lines, and neither what Jenkins saves of the program
     * nor the environment grows at all. The engine is replaced by a program that only answers; launcher and library are the real ones.
     */
    @Test
    void aThousandWindowsInSequence(@TempDir Path folder) throws IOException {
        Path engine = answering(folder);
        List<Cost> costs = new ArrayList<>();
        for (int windows : new int[] {100, 300, 1000}) {
            String jenkinsfile = "node { for (int n = 0; n < " + windows + "; n++) { " + DEPLOYS + " } }";
            costs.add(Cost.of(windows, pipeline(jenkinsfile).agentEnv("LAST9_PYTHON", engine.toString())));
        }
        assertProportional(costs);
        assertTrue(costs.get(2).programBytes <= costs.get(0).programBytes * (1 + TOLERANCE), costs.toString());
        assertTrue(costs.get(2).environmentBytes <= costs.get(0).environmentBytes + 10, costs.toString());
    }

    /** 200 windows side by side: each branch adds the same number of steps and lines, and the same to what is saved of the program. */
    @Test
    void twoHundredWindowsInParallel(@TempDir Path folder) throws IOException {
        Path engine = answering(folder);
        List<Cost> costs = new ArrayList<>();
        for (int windows : new int[] {20, 60, 200}) {
            costs.add(Cost.of(windows, inParallel(windows).agentEnv("LAST9_PYTHON", engine.toString())));
        }
        assertProportional(costs);
        double perBranch = (double) (costs.get(1).openBytes - costs.get(0).openBytes) / (costs.get(1).windows - costs.get(0).windows);
        double later = (double) (costs.get(2).openBytes - costs.get(1).openBytes) / (costs.get(2).windows - costs.get(1).windows);
        assertTrue(later <= perBranch * 1.1, costs.toString());
        assertTrue(costs.get(2).environmentBytes <= costs.get(0).environmentBytes + 10, costs.toString());
    }

    /** 40 windows side by side with the real engine, forty processes at once: all 80 markers arrive, in pairs. */
    @Test
    void fortyWindowsAtOnceAllArrive() {
        Cost.of(40, inParallel(40));
        var events = last9.received();
        assertEquals(80, events.size());
        for (String state : List.of("start", "stop")) {
            var of = events.stream().filter(e -> state.equals(e.get("event_state"))).map(LibraryTest::attributes).toList();
            assertEquals(40, of.stream().map(a -> a.get("deployment.id")).distinct().count());
            assertEquals(40, of.stream().map(a -> a.get("service_name")).distinct().count());
        }
        assertEquals(40, events.stream().map(e -> attributes(e).get("deployment.id")).distinct().count());
    }

    /** They last long enough that all of them are open at once: only then does the program that is saved hold them all. */
    private static Pipeline inParallel(int windows) {
        return pipeline("""
                def branches = [:]
                for (int i = 0; i < %d; i++) { int n = i; branches["b${n}"] = { node { %s } } }
                parallel branches
                """.formatted(windows, WINDOW.formatted("sleep " + (2 + windows / 10)))).env("LAST9_TIMEOUT_SECONDS", "300");
    }

    /** Flow nodes and log lines: what the later windows add for each is what the earlier ones added. */
    private static void assertProportional(List<Cost> costs) {
        Cost first = costs.get(0);
        Cost second = costs.get(1);
        Cost third = costs.get(2);
        double few = second.windows - first.windows;
        double many = third.windows - second.windows;
        assertEquals((second.flowNodes - first.flowNodes) / few, (third.flowNodes - second.flowNodes) / many, TOLERANCE, costs.toString());
        assertEquals((second.logLines - first.logLines) / few, (third.logLines - second.logLines) / many, TOLERANCE, costs.toString());
        double logBytes = (second.logBytes - first.logBytes) / few;
        assertEquals(logBytes, (third.logBytes - second.logBytes) / many, logBytes * TOLERANCE, costs.toString());
    }

    /** In an interpreter's place: reads (and removes) the request and answers that it was delivered. */
    private static Path answering(Path folder) throws IOException {
        Path program = folder.resolve("python");
        Files.writeString(program, """
            #!/bin/sh
            while [ "$1" != --request ]; do shift; done
            rm "$2"
            echo '{"last9Answer":2,"delivered":true,"accepted":true,"deploymentId":null,"warnings":[],"failBuild":null,"pending":{"own":null,"kept":[]}}' > "$4"
            exit 77
            """);
        assertTrue(program.toFile().setExecutable(true));
        return program;
    }
}
