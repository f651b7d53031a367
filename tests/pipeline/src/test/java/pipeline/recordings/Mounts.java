package pipeline.recordings;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The folders outside of the workspace that some recordings need: one mounted noexec [470], one whose {@code ws@tmp} is read-only [471]. */
final class Mounts implements AutoCloseable {
    private final List<Path> mounted = new ArrayList<>();

    Mounts(Path mnt, String jenkinsfile) throws IOException, InterruptedException {
        if (jenkinsfile.contains("/mnt/noexec/")) {
            mount(mnt.resolve("noexec"), "noexec");
        }
        if (jenkinsfile.contains("/mnt/ro/")) {
            mount(mnt.resolve("ro/ws@tmp"), "ro");
        }
        if (jenkinsfile.contains("/mnt/elsewhere")) {
            Files.createDirectories(mnt.resolve("elsewhere"));
        }
    }

    private void mount(Path at, String option) throws IOException, InterruptedException {
        Files.createDirectories(at);
        Process p = new ProcessBuilder("mount", "-t", "tmpfs", "-o", option, "tmpfs", at.toString()).start();
        assumeTrue(p.waitFor() == 0, "only root can mount a folder " + option);
        mounted.add(at);
    }

    @Override
    public void close() throws IOException, InterruptedException {
        for (Path p : mounted) {
            new ProcessBuilder("umount", "-l", p.toString()).start().waitFor();
        }
    }
}
