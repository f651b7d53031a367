package pipeline.steps;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import pipeline.engine.Step;

/** {@code readFile 'file'}; encoding Base64 for bytes [401, 708]. */
@Step.Named(value = "readFile", type = "org.jenkinsci.plugins.workflow.steps.ReadFileStep", sole = "file", needs = "hudson.FilePath")
public final class ReadFile extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String file;
    @Arg String encoding;

    @Override
    public void start() throws IOException {
        Path p = call.context().file(file);
        if (Files.isDirectory(p)) {
            call.failUnrecorded(new IOException("Is a directory"));
            return;
        }
        byte[] bytes = Files.readAllBytes(p);
        call.succeed("Base64".equals(encoding) ? Base64.getEncoder().encodeToString(bytes)
                : new String(bytes, encoding == null ? StandardCharsets.UTF_8 : Charset.forName(encoding)));
    }
}
