package pipeline.run;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import pipeline.engine.Build;
import pipeline.engine.BuildState;
import pipeline.engine.Settings;

/** Goes on with a saved build in a new JVM: what a restarted controller does. */
public final class NewProcess {
    private NewProcess() {}

    static BuildState goOn(Settings settings, byte[] saved, Consumer<String> sink) {
        try {
            Path file = Files.createTempFile("saved-build", ".bin");
            write(file, settings, saved);
            List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
            command.addAll(JvmOptions.ALL);
            command.addAll(List.of("-cp", System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                    NewProcess.class.getName(), file.toString()));
            Thread.sleep(settings.downMillis);
            Process p = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            try (BufferedReader r = new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.UTF_8))) {
                r.lines().forEach(sink);
            }
            if (p.waitFor() != 0) {
                throw new IllegalStateException("The process that was to go on with the build ended with " + p.exitValue());
            }
            try (ObjectInputStream in = new ObjectInputStream(Files.newInputStream(file))) {
                return (BuildState) in.readObject();
            } finally {
                Files.delete(file);
            }
        } catch (IOException | InterruptedException | ClassNotFoundException e) {
            throw new IllegalStateException("The build could not go on in a new process", e);
        }
    }

    private static void write(Path file, Object... objects) throws IOException {
        try (ObjectOutputStream out = new ObjectOutputStream(Files.newOutputStream(file))) {
            for (Object o : objects) {
                out.writeObject(o);
            }
        }
    }

    /** The new process: reads the saved build from the file, runs it to its end, leaves its state there. */
    public static void main(String[] args) throws IOException, ClassNotFoundException {
        Path file = Path.of(args[0]);
        Settings settings;
        byte[] saved;
        try (ObjectInputStream in = new ObjectInputStream(Files.newInputStream(file))) {
            settings = (Settings) in.readObject();
            saved = (byte[]) in.readObject();
        }
        Build build = new Build(settings);
        java.io.PrintStream out = new java.io.PrintStream(System.out, true, StandardCharsets.UTF_8);
        build.resume(saved, out::println);
        write(file, build.state());
    }
}
