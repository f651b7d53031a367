package last9;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** What the words of a row's head mean, from {@code shapes/words.txt}, which {@code tests/controller/} reads as well. */
final class Words {
    private static final Map<String, String> WORDS = read();

    private Words() {}

    /** A regular expression, a fault as JSON, a list of words. */
    static String of(String name) {
        if (!WORDS.containsKey(name)) {
            throw new IllegalArgumentException("shapes/words.txt does not say what '" + name + "' is");
        }
        return WORDS.get(name);
    }

    /** A line of steps with each marker's steps as one word, and waiting as one {@code sleep}. */
    static String shorten(String steps) {
        String text = steps.replaceAll(of("waiting"), "sleep");
        for (String around : of("around").split(" \\| ")) {
            String inside = around.replace("%", of("in-folder"));
            for (String word : List.of("marker", "node-marker")) {
                text = text.replaceAll(of(word).replace("%", inside), word + "$1");
            }
        }
        return text;
    }

    private static Map<String, String> read() {
        try {
            return Files.readString(Path.of("src/test/resources/shapes/words.txt")).lines().filter(l -> !l.startsWith("#") && !l.isBlank())
                    .map(l -> l.split(" = ", 2)).collect(Collectors.toMap(p -> p[0].trim(), p -> p[1]));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
