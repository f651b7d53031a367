package last9;

import groovy.json.JsonOutput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * {@code make cost}: counts each shape, prices it, prints the table; {@code build/cost.json} has what was counted. With {@code -Dcost.docs=true} the table goes
 * into docs/performance.md. No test: its name keeps it out of {@code make test}.
 */
class CostTable extends LibraryTest {
    private static final Path PAGE = CHECKOUT.resolve("docs/performance.md");
    private static final String BEGIN = "<!-- cost: written by make cost-docs -->\n";
    private static final String END = "<!-- end of cost -->";

    @Test
    void printsWhatMarkersCost() throws IOException {
        Map<CostShape, Cost> costs = new EnumMap<>(CostShape.class);
        for (CostShape shape : CostShape.values()) {
            costs.put(shape, shape.count());
        }
        String table = table(costs);
        System.out.println(table);
        Map<String, Object> counted = new LinkedHashMap<>();
        costs.forEach((shape, cost) -> counted.put(shape.title, Map.of("nodes", cost.nodes(), "operations", cost.operations(), "environmentReads", cost.environmentReads(),
                "classBytes", cost.classBytes(), "looks", cost.looks(), "lines", cost.lines(), "characters", cost.characters())));
        Files.createDirectories(CHECKOUT.resolve("build"));
        Files.writeString(CHECKOUT.resolve("build/cost.json"), JsonOutput.prettyPrint(JsonOutput.toJson(counted)) + "\n");
        if (Boolean.getBoolean("cost.docs")) {
            String page = Files.readString(PAGE);
            Files.writeString(PAGE, page.substring(0, page.indexOf(BEGIN) + BEGIN.length()) + table + page.substring(page.indexOf(END)));
        }
    }

    /** The line of the page about that shape. */
    static String row(CostShape shape) {
        try {
            return Files.readAllLines(PAGE).stream().dropWhile(line -> !BEGIN.equals(line + "\n")).filter(line -> line.startsWith("| " + shape.title + " |"))
                    .findFirst().orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String table(Map<CostShape, Cost> costs) {
        CostModel trusted = CostModel.of(false);
        CostModel sandbox = CostModel.of(true);
        StringBuilder t = new StringBuilder("| | flow nodes | lines of log | operations | of them `env` | trusted ms | × `sh 'true'` | sandbox ms | × `sh 'true'` |\n"
                + "|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        costs.forEach((shape, c) -> t.append(String.format(Locale.ROOT, "| %s | %d | %d | %d | %d | %.0f | %.2f | %.0f | %.2f |%n", shape.title, c.flowNodes(), c.lines(),
                c.operations(), c.environmentReads(), trusted.milliseconds(c), trusted.ratio(c), sandbox.milliseconds(c), sandbox.ratio(c))));
        Cost warm = costs.get(CostShape.WARM);
        Cost first = costs.get(CostShape.FIRST);
        t.append(String.format(Locale.ROOT, "%nOf a marker (trusted / sandbox): its `sh` %.0f / %.0f ms, blocks and small steps %.0f / %.0f, Groovy %.0f / %.0f. Of a build's first besides: "
                + "compiling and loading %.0f / %.0f kB of classes, %.0f / %.0f.%n", sh(trusted), sh(sandbox), trusted.steps(warm.nodes()) - sh(trusted),
                sandbox.steps(warm.nodes()) - sh(sandbox), trusted.groovy(warm.operations(), warm.environmentReads()),
                sandbox.groovy(warm.operations(), warm.environmentReads()), first.classBytes().get(0) / 1000.0, first.classBytes().get(1) / 1000.0,
                trusted.classes(first.classBytes().get(0)), sandbox.classes(first.classBytes().get(1))));
        return t.toString();
    }

    private static double sh(CostModel model) {
        return model.steps(Map.of("sh", 1));
    }
}
