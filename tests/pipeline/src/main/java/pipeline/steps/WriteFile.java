package pipeline.steps;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import pipeline.engine.Step;

/** {@code writeFile file: 'f', text: 't'}; encoding Base64 for bytes; makes missing folders [401, 708]. */
@Step.Named(value = "writeFile", type = "org.jenkinsci.plugins.workflow.steps.WriteFileStep", needs = "hudson.FilePath")
public final class WriteFile extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String file;
    @Arg(required = true) String text;
    @Arg String encoding;

    @Override
    public void start() throws IOException {
        Path p = call.context().file(file).normalize();
        if (text == null) {
            throw new NullPointerException("Cannot invoke \"String.length()\" because \"str\" is null");
        }
        byte[] bytes;
        try {
            bytes = "Base64".equals(encoding) ? Base64.getDecoder().decode(text)
                    : text.getBytes(encoding == null ? StandardCharsets.UTF_8.name() : encoding);
        } catch (IllegalArgumentException e) {
            call.failUnrecorded(e);
            return;
        }
        if (Files.isDirectory(p) || file.isEmpty()) {
            call.failUnrecorded(new FileSystemException(p + ": Is a directory"));
            return;
        }
        Files.createDirectories(p.getParent());
        Files.write(p, bytes);
        call.succeed(null);
    }
}
