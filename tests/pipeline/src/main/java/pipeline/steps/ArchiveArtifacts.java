package pipeline.steps;

import hudson.AbortException;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import pipeline.engine.Step;

/** {@code archiveArtifacts 'reports/**'}: copies files of the workspace to the build's archive. */
@Step.Named(value = "archiveArtifacts", type = "hudson.tasks.ArtifactArchiver", sole = "artifacts", needs = "hudson.FilePath")
public final class ArchiveArtifacts extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String artifacts;
    @Arg String excludes;
    @Arg boolean allowEmptyArchive;
    @Arg boolean fingerprint;
    @Arg boolean onlyIfSuccessful;
    @Arg boolean defaultExcludes = true;
    @Arg boolean caseSensitive = true;
    @Arg boolean followSymlinks = true;

    @Override
    public void start() throws IOException {
        call.log("Archiving artifacts");
        Path from = Path.of(call.context().folder);
        Path to = build().settings().homePath().resolve("jobs").resolve(build().settings().jobName).resolve("builds")
                .resolve(String.valueOf(build().settings().number)).resolve("archive");
        int found = copy(from, to, artifacts, excludes);
        if (found == 0 && !allowEmptyArchive) {
            throw new AbortException("No artifacts found that match the file pattern \"" + artifacts + "\". Configuration error?");
        }
        if (found == 0) {
            call.log("No artifacts found that match the file pattern \"" + artifacts + "\". Configuration error?");
        }
        call.succeed(null);
    }

    /** Copies the files that match; returns how many they were. */
    static int copy(Path from, Path to, String includes, String excludes) throws IOException {
        int found = 0;
        for (Path p : files(from)) {
            Path relative = from.relativize(p);
            if (matches(includes, relative) && (excludes == null || !matches(excludes, relative))) {
                Files.createDirectories(to.resolve(relative).getParent());
                Files.copy(p, to.resolve(relative), StandardCopyOption.REPLACE_EXISTING);
                found++;
            }
        }
        return found;
    }

    private static List<Path> files(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> s = Files.walk(folder)) {
            return new ArrayList<>(s.filter(Files::isRegularFile).sorted().toList());
        }
    }

    /** Ant's patterns, several separated by commas: {@code **}/ stands for any folders, none included. */
    private static boolean matches(String patterns, Path relative) {
        for (String pattern : patterns.split("\\s*,\\s*")) {
            String glob = pattern.endsWith("/") ? pattern + "**" : pattern;
            PathMatcher m = FileSystems.getDefault().getPathMatcher("glob:" + glob.replace("**/", "{**/,}"));
            if (m.matches(relative)) {
                return true;
            }
        }
        return false;
    }
}
