package pipeline.recordings;

import groovy.json.JsonSlurperClassic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** One recorded pipeline of a real Jenkins. */
final class Recording {
    static final Path FOLDER = Path.of("recordings");

    /** What one build of it did. */
    record Outcome(int number, Map<String, Object> parameters, String result, List<String> console, List<Map<String, Object>> steps,
            Integer flowNodes) {}

    private final Map<String, Object> json;
    private final String name;

    @SuppressWarnings("unchecked")
    private Recording(Path file) {
        name = file.getFileName().toString().replace(".json", "");
        try {
            json = (Map<String, Object>) new JsonSlurperClassic().parseText(Files.readString(file));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** All of them, in order of number. */
    static List<Recording> all() throws IOException {
        try (Stream<Path> s = Files.list(FOLDER)) {
            return s.filter(p -> p.toString().endsWith(".json")).sorted().map(Recording::new).toList();
        }
    }

    int number() {
        return (Integer) json.get("number");
    }

    String jenkinsfile() {
        return (String) json.get("jenkinsfile");
    }

    boolean is(String property) {
        return Boolean.TRUE.equals(json.get(property));
    }

    /** False only for a folder-level library. */
    boolean trusted() {
        return !Boolean.FALSE.equals(json.get("trusted"));
    }

    /** The builds before the one that the recording is about, then that one. */
    @SuppressWarnings("unchecked")
    List<Outcome> builds() {
        List<Outcome> r = new ArrayList<>();
        for (Map<String, Object> earlier : (List<Map<String, Object>>) json.getOrDefault("earlier_builds", List.of())) {
            r.add(outcome(earlier, (Integer) earlier.get("build")));
        }
        r.add(outcome(json, (Integer) json.getOrDefault("build", 1)));
        return r;
    }

    @SuppressWarnings("unchecked")
    private static Outcome outcome(Map<String, Object> m, int number) {
        return new Outcome(number, (Map<String, Object>) m.getOrDefault("parameters", Map.of()), (String) m.get("result"),
                (List<String>) m.get("console"), (List<Map<String, Object>>) m.get("steps"), (Integer) m.get("flow_nodes"));
    }

    /** Writes the recorded library to a folder; false if the recording has none. */
    @SuppressWarnings("unchecked")
    boolean writeLibrary(Path to) throws IOException {
        Map<String, Object> files = (Map<String, Object>) json.get("library");
        if (files == null) {
            return false;
        }
        for (Map.Entry<String, Object> f : files.entrySet()) {
            Path p = to.resolve(f.getKey());
            Files.createDirectories(p.getParent());
            if (f.getValue() instanceof Map<?, ?> bytes) {
                Files.write(p, Base64.getDecoder().decode((String) bytes.get("base64")));
            } else {
                Files.writeString(p, (String) f.getValue());
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return name;
    }
}
