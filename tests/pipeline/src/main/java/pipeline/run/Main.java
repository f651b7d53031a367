package pipeline.run;

import groovy.json.JsonOutput;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * {@code run-pipeline FILE}: runs a Jenkinsfile, prints its log and, as one last line, JSON with result, steps and what the fake
 * Last9 received. Ends with 0 for every result of the build; with 2 when the runner itself cannot do its job.
 */
public final class Main {
    private Main() {}

    public static void main(String[] args) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try {
            run(args, out);
        } catch (Unable e) {
            System.err.println("run-pipeline: " + e.getMessage());
            System.exit(2);
        } catch (Exception e) {
            System.err.println("run-pipeline: the runner failed: " + e);
            e.printStackTrace();
            System.exit(2);
        }
        System.exit(0);
    }

    /** The runner cannot do its job; the message names the remedy. */
    static final class Unable extends Exception {
        private static final long serialVersionUID = 1L;

        Unable(String message) {
            super(message);
        }
    }

    private static void run(String[] args, PrintStream out) throws Exception {
        if (args.length != 1) {
            throw new Unable("give one Jenkinsfile: tests/pipeline/run-pipeline FILE (make pipeline FILE=…)");
        }
        Path file = Path.of(args[0]);
        if (!Files.isRegularFile(file)) {
            throw new Unable("there is no file " + file.toAbsolutePath() + "; name an existing Jenkinsfile");
        }
        Path checkout = Path.of(System.getProperty("pipeline.checkout", "."));
        Pipeline p = Pipeline.of(Files.readString(file)).realTime().library(checkout).log(out::println);
        Options.apply(p, System.getenv(), file);
        List<?> received = List.of();
        Pipeline.Run run;
        try (FakeLast9 last9 = FakeLast9.startIfNeeded(p, checkout)) {
            run = p.run();
            received = last9.received();
        }
        Map<String, Object> last = new LinkedHashMap<>();
        last.put("result", run.result());
        last.put("steps", run.steps());
        last.put("received", received);
        last.put("cost", run.cost());
        out.println(JsonOutput.toJson(last));
        keep(run);
    }

    private static void keep(Pipeline.Run run) throws IOException {
        if (System.getenv("PIPELINE_KEEP") == null) {
            run.close();
        }
    }
}
