package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The shapes table: windows are true in whatever shape of pipeline people write, trusted and sandboxed. */
@Execution(ExecutionMode.CONCURRENT) // most of a row's time is somebody's sleep
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // a build that never ends is a difference, too
class ShapesTest {
    @TempDir
    static Path folder;

    private static final BlockingQueue<Bench> BENCHES = new LinkedBlockingQueue<>();

    @BeforeAll
    static void setUp() {
        for (int i = 0; i < 4; i++) {
            BENCHES.add(new Bench(folder.resolve("home-" + i)));
        }
    }

    @AfterAll
    static void tidyUp() {
        BENCHES.forEach(Bench::close);
    }

    static Stream<Arguments> rows() {
        return Shape.all().stream().flatMap(s -> Stream.of("plain", "sandboxed").map(mode -> Arguments.of(s.name, mode, s)));
    }

    /** Markers in order with outcome and id, the build's result and the steps taken are those that the row says. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("rows")
    void isTrue(String name, String mode, Shape shape) throws InterruptedException {
        Bench bench = BENCHES.take();
        try {
            assertEquals(List.of(), shape.differences(LibraryTest.CHECKOUT, mode.equals("sandboxed"), bench));
        } finally {
            BENCHES.add(bench);
        }
    }
}
