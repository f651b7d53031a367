package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** This judge and {@code tests/controller/} read {@code words.txt} alike: both are held to {@code shapes/shortened.txt}. */
class WordsTest {
    static Stream<Arguments> lines() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("src/test/resources/shapes/shortened.txt"));
        return lines.stream().filter(l -> !l.startsWith("#") && !l.isBlank()).map(l -> Arguments.of((Object[]) l.split(" => ")));
    }

    /** What is exactly one marker, and only that, becomes the word. */
    @ParameterizedTest
    @MethodSource("lines")
    void shortens(String steps, String shortened) {
        assertEquals(shortened, Words.shorten(steps));
    }
}
