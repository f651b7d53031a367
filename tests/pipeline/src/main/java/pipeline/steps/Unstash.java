package pipeline.steps;

import hudson.AbortException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import pipeline.engine.Step;

/** {@code unstash 'name'} [401]. */
@Step.Named(value = "unstash", type = "org.jenkinsci.plugins.workflow.support.steps.stash.UnstashStep", sole = "name", needs = "hudson.FilePath")
public final class Unstash extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String name;

    @Override
    public void start() throws IOException {
        Path from = Stash.folder(build().settings().homePath(), name);
        if (!Files.isDirectory(from)) {
            throw new AbortException("No such saved stash ‘" + name + "’");
        }
        ArchiveArtifacts.copy(from, Path.of(call.context().folder), "**", null);
        call.succeed(null);
    }
}
