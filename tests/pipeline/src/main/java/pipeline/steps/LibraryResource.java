package pipeline.steps;

import hudson.AbortException;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import pipeline.engine.Step;
import pipeline.library.Library;

/** {@code libraryResource 'path'}: works without a node [606]. */
@Step.Named(value = "libraryResource", type = "org.jenkinsci.plugins.workflow.libs.ResourceStep", sole = "resource")
public final class LibraryResource extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String resource;
    @Arg String encoding;

    @Override
    public void start() throws IOException {
        List<Path> found = new ArrayList<>();
        List<String> in = new ArrayList<>();
        for (Library lib : build().loaders().libraries()) {
            Path p = lib.resource(resource);
            if (p == null) {
                throw new AbortException(resource + " references a file that is not contained within the library: " + lib.name());
            }
            if (Files.isDirectory(p)) {
                throw new IOException("Is a directory");
            }
            if (Files.exists(p)) {
                found.add(p);
                in.add(lib.name());
            }
        }
        if (found.isEmpty()) {
            throw new AbortException("No such library resource " + resource + " could be found.");
        }
        if (found.size() > 1) {
            throw new AbortException("Library resource " + resource + " ambiguous among libraries " + in);
        }
        byte[] bytes = Files.readAllBytes(found.get(0));
        call.succeed("Base64".equals(encoding) ? Base64.getEncoder().encodeToString(bytes)
                : new String(bytes, encoding == null ? StandardCharsets.UTF_8 : Charset.forName(encoding)));
    }
}
