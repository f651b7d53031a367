package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The documented Jenkinsfiles: exactly the documented markers, in order, and the build's own result. What comes of each stands in {@code examples.txt}. */
class ExamplesTest extends OnABench {
    static Stream<Arguments> rows() {
        return Shape.examples().stream().flatMap(row -> Stream.of(Arguments.of(row.name, "trusted", row), Arguments.of(row.name, "sandboxed", row)));
    }

    /** Each example gives the markers that the README promises, with its window's id, no warning and no secret, trusted and in the sandbox. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("rows")
    void sendsTheDocumentedMarkers(String example, String how, Shape row) {
        assertEquals(List.of(), row.differences(LibraryTest.CHECKOUT, how.equals("sandboxed"), bench));
    }

    /** Every example is held to its markers here: a new one needs a row of its own. */
    @Test
    void knowsEveryExample() throws IOException {
        try (Stream<Path> files = Files.list(LibraryTest.CHECKOUT.resolve("examples"))) {
            assertEquals(files.map(f -> f.getFileName().toString()).filter(f -> f.endsWith(".Jenkinsfile")).map(f -> f.replace(".Jenkinsfile", "")).sorted().toList(),
                    Shape.examples().stream().map(row -> row.name.split(",")[0]).distinct().sorted().toList());
        }
    }
}
