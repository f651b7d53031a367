package last9;

import groovy.json.JsonSlurper;
import java.io.File;
import java.util.List;
import java.util.Map;

/**
 * What a marker would take on the Jenkins of {@code cost-model.json}: a model, not a measurement.
 *
 * <p>Steps have the prices that were measured there one by one. What remains of a whole marker that was measured there, too, is the price of Groovy: of a read of
 * {@code env}, of any other operation, and, in a build's first marker, of a kilobyte of compiled classes. Both are counted by the runner for the library of then
 * ({@code markers} in the file), so the model gives that marker's figures exactly, and those of another one as far as they differ in what is counted.
 */
final class CostModel {
    private static final Map<?, ?> FILE = (Map<?, ?>) new JsonSlurper().parse(new File("cost-model.json"));
    private static final Map<?, ?> MARKERS = (Map<?, ?>) FILE.get("markers");
    /** Flow nodes as {@link pipeline.run.Pipeline.Run#cost} names them, and the row with their price; a block is four nodes. */
    private static final Map<String, String> ROWS = Map.ofEntries(Map.entry("sh", "sh 'true'"), Map.entry("echo", "echo"), Map.entry("pwd", "pwd"),
            Map.entry("fileExists", "fileExists"), Map.entry("writeFile", "writeFile 3 kB"), Map.entry("readFile", "readFile 3 kB (after writeFile)"),
            Map.entry("libraryResource", "libraryResource 4 kB"), Map.entry("timeout {}", "timeout { } empty"), Map.entry("dir {}", "dir { } empty"),
            Map.entry("withEnv {}", "withEnv { } empty"), Map.entry("withCredentials {}", "withCredentials { } empty"),
            // no row of its own: a block, without the wait for an executor
            Map.entry("node {}", "dir { } empty"));
    private final int column;

    private CostModel(int column) {
        this.column = column;
    }

    static CostModel of(boolean sandboxed) {
        return new CostModel(sandboxed ? 1 : 0);
    }

    static String jenkins() {
        return (String) FILE.get("jenkins");
    }

    /** Milliseconds; each {@code sh} ends before Jenkins' first look, as the benchmark holds the engine to. */
    double milliseconds(Cost cost) {
        return steps(cost.nodes()) + groovy(cost.operations(), cost.environmentReads()) + classes(cost.classBytes().get(column));
    }

    /** How many times {@code sh 'true'}. */
    double ratio(Cost cost) {
        return milliseconds(cost) / ((Number) MARKERS.get("sh 'true'")).doubleValue();
    }

    double steps(Map<String, Integer> nodes) {
        double sum = 0;
        for (var kind : nodes.entrySet()) {
            if (!ROWS.containsKey(kind.getKey())) {
                throw new IllegalArgumentException("the cost model has no price for " + kind.getKey() + "; measure it, or say in CostModel what it is like");
            }
            sum += row(ROWS.get(kind.getKey())) * kind.getValue() / (kind.getKey().endsWith("}") ? 4 : 1);
        }
        return sum;
    }

    double groovy(double operations, double environmentReads) {
        double aRead = row("script.env.FOO (NonCPS)");
        double counted = count("operations") - count("environmentReads");
        double anOperation = (marker("of it Groovy") - count("environmentReads") * aRead) / counted;
        return environmentReads * aRead + (operations - environmentReads) * anOperation;
    }

    double classes(double bytes) {
        double loading = marker("first") - marker("warm") - row("libraryResource 4 kB");
        return bytes * loading / marker("classBytes");
    }

    private double row(String name) {
        return number(((Map<?, ?>) FILE.get("operations")).get(name));
    }

    private double marker(String name) {
        return number(MARKERS.get(name));
    }

    private static double count(String name) {
        return ((Number) MARKERS.get(name)).doubleValue();
    }

    private double number(Object columns) {
        return ((Number) ((List<?>) columns).get(column)).doubleValue();
    }
}
