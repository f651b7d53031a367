package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The shapes table: windows are true in whatever shape of pipeline people write, trusted and sandboxed. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // a build that never ends is a difference, too
class ShapesTest {
    /** Most of a row's time is somebody's sleep, so some run at once, each on a bench of its own. */
    private static final int AT_ONCE = 4;

    @TempDir
    static Path folder;

    private static final BlockingQueue<Bench> BENCHES = new LinkedBlockingQueue<>();
    private static ExecutorService runners;

    @BeforeAll
    static void setUp() {
        runners = Executors.newFixedThreadPool(AT_ONCE, task -> {
            Thread thread = new Thread(null, task, "shapes", 4 << 20); // CPS recurses deep
            thread.setDaemon(true);
            return thread;
        });
        for (int i = 0; i < AT_ONCE; i++) {
            BENCHES.add(new Bench(folder.resolve("home-" + i)));
        }
    }

    @AfterAll
    static void tidyUp() {
        runners.shutdownNow();
        BENCHES.forEach(Bench::close);
    }

    /** Every row in both modes, all of them under way. */
    static Stream<Arguments> rows() {
        List<Arguments> rows = new ArrayList<>();
        for (Shape shape : Shape.all()) {
            for (String mode : List.of("plain", "sandboxed")) {
                rows.add(Arguments.of(shape.name, mode, runners.submit(() -> differences(shape, mode))));
            }
        }
        return rows.stream();
    }

    private static List<String> differences(Shape shape, String mode) throws InterruptedException {
        Bench bench = BENCHES.take();
        try {
            return shape.differences(LibraryTest.CHECKOUT, mode.equals("sandboxed"), bench);
        } finally {
            BENCHES.add(bench);
        }
    }

    /** Markers in order with outcome and id, the build's result and the steps taken are those that the row says. */
    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("rows")
    void isTrue(String name, String mode, Future<List<String>> differences) throws InterruptedException, ExecutionException {
        assertEquals(List.of(), differences.get());
    }
}
