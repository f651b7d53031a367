package pipeline.steps;

import hudson.AbortException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import pipeline.engine.Step;

/** {@code stash 'name'}: keeps the folder's files for {@code unstash} [401]. */
@Step.Named(value = "stash", type = "org.jenkinsci.plugins.workflow.support.steps.stash.StashStep", sole = "name", needs = "hudson.Launcher")
public final class Stash extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String name;
    @Arg String includes = "**";
    @Arg String excludes;
    @Arg boolean allowEmpty;
    @Arg boolean useDefaultExcludes = true;

    static Path folder(Path home, String name) {
        return home.resolve("stashes").resolve(name);
    }

    @Override
    public void start() throws IOException {
        int n = ArchiveArtifacts.copy(Path.of(call.context().folder), folder(build().settings().homePath(), name), includes, excludes);
        if (n == 0 && !allowEmpty) {
            throw new AbortException("No files included in stash ‘" + name + "’");
        }
        Files.createDirectories(folder(build().settings().homePath(), name));
        call.log("Stashed " + n + " file(s)");
        call.succeed(null);
    }
}
