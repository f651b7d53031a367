package pipeline.steps;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;
import pipeline.engine.Step;

/** {@code deleteDir()} [510]. */
@Step.Named(value = "deleteDir", type = "org.jenkinsci.plugins.workflow.steps.DeleteDirStep", needs = "hudson.FilePath")
public final class DeleteDir extends Step {
    private static final long serialVersionUID = 1L;

    @Override
    public void start() throws IOException {
        Path folder = Path.of(call.context().folder);
        if (Files.exists(folder)) {
            try (Stream<Path> s = Files.walk(folder)) {
                for (Path p : s.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(p);
                }
            }
        }
        call.succeed(null);
    }
}
