package pipeline.steps;

import java.nio.file.Files;
import pipeline.engine.Step;

/** {@code fileExists 'file'} [708]. */
@Step.Named(value = "fileExists", type = "org.jenkinsci.plugins.workflow.steps.FileExistsStep", sole = "file", needs = "hudson.FilePath")
public final class FileExists extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String file;

    @Override
    public void start() {
        if (file == null || file.isBlank()) {
            call.log("The fileExists step was called with a null or empty string, so the current directory will be checked instead.");
        }
        call.succeed(Files.exists(call.context().file(file == null ? "" : file)));
    }
}
