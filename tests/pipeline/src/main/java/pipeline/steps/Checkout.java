package pipeline.steps;

import hudson.AbortException;
import hudson.plugins.git.GitSCM;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import pipeline.engine.Step;

/** {@code checkout scm}: clones a local repository into the folder; returns GIT_*, sets no variable [103]. */
@Step.Named(value = "checkout", type = "org.jenkinsci.plugins.workflow.steps.scm.GenericSCMStep", sole = "scm", needs = "hudson.FilePath")
public final class Checkout extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) Object scm;

    @Override
    public void start() throws IOException, InterruptedException {
        if (!(scm instanceof GitSCM git)) {
            throw new UnsupportedOperationException("The pipeline runner checks out nothing but scm, not " + scm);
        }
        Path folder = Path.of(call.context().folder);
        Files.createDirectories(folder);
        call.log("Cloning the remote Git repository");
        call.log("Cloning repository " + git.url());
        String branch = git(folder, "-C", git.repositoryPath(), "rev-parse", "--abbrev-ref", "HEAD");
        git(folder, "init", "-q");
        git(folder, "fetch", "-q", "--tags", "--force", git.repositoryPath(), "+refs/heads/*:refs/remotes/origin/*");
        String commit = git(folder, "rev-parse", "refs/remotes/origin/" + branch);
        git(folder, "config", "remote.origin.url", git.url());
        git(folder, "checkout", "-q", "-f", commit);
        call.log("Checking out Revision " + commit + " (refs/remotes/origin/" + branch + ")");
        call.log("Commit message: \"" + git(folder, "log", "-1", "--format=%s") + "\"");
        call.succeed(new TreeMap<>(Map.of("GIT_BRANCH", "origin/" + branch, "GIT_COMMIT", commit, "GIT_URL", git.url())));
    }

    private String git(Path folder, String... args) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("git", "-c", "safe.directory=*", "-c", "advice.detachedHead=false"));
        command.addAll(List.of(args));
        ProcessBuilder b = new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        b.environment().clear();
        b.environment().putAll(build().environment(call.context()));
        Process p = b.start();
        String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).trim();
        if (p.waitFor() != 0) {
            throw new AbortException("Error fetching remote repo 'origin': " + out);
        }
        return out;
    }
}
