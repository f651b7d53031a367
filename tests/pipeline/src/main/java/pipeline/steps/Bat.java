package pipeline.steps;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import pipeline.engine.Step;

/**
 * {@code bat 'script'}: on a Windows agent runs Wine's cmd, with Windows' line ends as durable-task does (read, not recorded), but not by
 * {@code call}: with that Wine 8 makes 1 of every exit code but 0. On any other agent it fails [401].
 */
@Step.Named(value = "bat", type = "org.jenkinsci.plugins.workflow.steps.durable_task.BatchScriptStep", sole = "script", needs = "hudson.FilePath")
public final class Bat extends Sh {
    private static final long serialVersionUID = 1L;
    /** As durable-task's: cmd itself writes the outputs to files. Unlike there, they are shown when it has ended. */
    private static final String WRAPPER = "@echo off\r\n"
            + "cmd /c \"%RUNNER_BATCH%\" > \"%RUNNER_BATCH%.out\" 2> \"%RUNNER_BATCH%.log\"\r\nexit /b %ERRORLEVEL%\r\n";
    private static final String RUN = "#!/bin/sh\n\"$RUNNER_WINE\" cmd /c \"$RUNNER_BATCH.wrap.bat\"\n"
            + "code=$?\ncat \"$RUNNER_FILE.out\"\ncat \"$RUNNER_FILE.log\" >&2\nexit $code\n";

    @Override
    public void start() throws IOException {
        if (!call.context().agent.windows) {
            throw new IOException("Batch scripts can only be run on Windows nodes");
        }
        super.start();
    }

    @Override
    DurableTask launch(Path folder, Map<String, String> env) throws IOException {
        Map<String, String> wine = build().settings().wine;
        Path main = Path.of(call.context().agent.workspace + "@tmp").resolve("jenkins-main-" + call.id() + ".bat");
        Files.createDirectories(main.getParent());
        Files.writeString(main, script.replace("\r\n", "\n").replace("\n", "\r\n"));
        Files.writeString(Path.of(main + ".wrap.bat"), WRAPPER);
        env.put("WINEPREFIX", wine.get("prefix"));
        env.put("WINEDEBUG", "-all");
        env.put("WINEPATH", wine.get("path"));
        env.put("LC_ALL", "C.UTF-8");
        env.put("RUNNER_WINE", wine.get("wine"));
        env.put("RUNNER_FILE", main.toString());
        env.put("RUNNER_BATCH", call.context().agent.named(main.toString()));
        return new DurableTask(folder, RUN, env, returnStdout, "sh");
    }
}
