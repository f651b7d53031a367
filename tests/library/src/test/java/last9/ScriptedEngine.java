package last9;

import groovy.json.JsonOutput;
import groovy.json.JsonSlurperClassic;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import pipeline.run.Pipeline;

/**
 * In place of an interpreter with the engine in it: keeps each request that the library really writes, and the launcher's arguments, and does what
 * the test has written down for that run. The launcher, the shell and everything around are the real ones.
 */
final class ScriptedEngine {
    /** Everything is well and nothing is pending. */
    static final String DELIVERED = answer("{\"delivered\": true, \"pending\": {\"own\": null, \"kept\": []}}");
    private final Path folder;
    private int runs;

    ScriptedEngine(Path folder) {
        this.folder = folder;
        write("run-else", DELIVERED);
    }

    /** Shell text that writes this answer (its missing keys added) and ends as the engine does. */
    static String answer(String json) {
        Map<String, Object> answer = new LinkedHashMap<>(Map.of("last9Answer", 2, "delivered", false, "accepted", true, "warnings", List.of()));
        answer.putAll(object(json));
        return "cat > \"$answer\" <<'ANSWER'\n" + JsonOutput.toJson(answer) + "\nANSWER\nexit 77\n";
    }

    /** What the next run not yet spoken of does, as shell text with {@code $request} and {@code $answer}; without more of these: {@link #DELIVERED}. */
    ScriptedEngine then(String shell) {
        write("run-" + runs++, shell);
        return this;
    }

    /** A pipeline whose agents have this engine. */
    Pipeline serve(Pipeline p) {
        Path program = write("engine", """
            #!/bin/sh
            all="$*"
            while [ "$1" != --request ]; do shift; done
            request=$2 answer=$4 folder='%s'
            nth=0
            while ! mkdir "$folder/turn-$nth" 2>/dev/null; do nth=$((nth + 1)); done
            number=$(printf %%03d "$nth")
            printf '%%s' "$all" > "$folder/arguments-$number"
            pwd > "$folder/place-$number"
            mv "$request" "$folder/request-$number"
            if [ -e "$folder/run-$nth" ]; then . "$folder/run-$nth"; else . "$folder/run-else"; fi
            """.formatted(folder));
        program.toFile().setExecutable(true);
        return p.agentEnv("LAST9_PYTHON", program.toString());
    }

    /** The requests so far, in order. */
    List<Map<String, Object>> requests() {
        return read("request-").stream().map(ScriptedEngine::object).toList();
    }

    /** The launcher's arguments so far, each as one text. */
    List<String> arguments() {
        return read("arguments-");
    }

    /** The folders that the engine ran in. */
    List<String> places() {
        return read("place-").stream().map(String::trim).toList();
    }

    private List<String> read(String beginning) {
        List<String> texts = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.getFileName().toString().startsWith(beginning)).sorted().toList()) {
                texts.add(Files.readString(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return texts;
    }

    private Path write(String name, String text) {
        try {
            return Files.writeString(folder.resolve(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String json) {
        return (Map<String, Object>) new JsonSlurperClassic().parseText(json);
    }
}
