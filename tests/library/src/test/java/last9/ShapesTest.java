package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The shapes table: windows are right in every shape of pipeline, trusted and sandboxed. */
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // a build that never ends is a difference, too
class ShapesTest {
    /** Most of a row's time is sleep, so some run at once, each on a bench of its own. */
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

    /** In the sandbox, which allows less: a row that passes there passes with a trusted library. That is run, too, by {@code make endurance}. */
    static Stream<Arguments> sandboxed() {
        return rows(true);
    }

    static Stream<Arguments> trusted() {
        return rows(false);
    }

    /** Every row, all of them under way. */
    private static Stream<Arguments> rows(boolean sandboxed) {
        return Shape.all().stream().map(shape -> Arguments.of(shape.name, runners.submit(() -> differences(shape, sandboxed)))).toList().stream();
    }

    private static List<String> differences(Shape shape, boolean sandboxed) throws InterruptedException {
        Bench bench = BENCHES.take();
        try {
            return shape.differences(LibraryTest.CHECKOUT, sandboxed, bench);
        } finally {
            BENCHES.add(bench);
        }
    }

    /** Markers in order with outcome and id, the build's result and the steps taken are those that the row says. */
    @ParameterizedTest(name = "{0}, sandboxed")
    @MethodSource("sandboxed")
    void isTrue(String name, Future<List<String>> differences) throws InterruptedException, ExecutionException {
        assertEquals(List.of(), differences.get());
    }

    /** The same with a trusted library and a Jenkinsfile outside of the sandbox. */
    @Tag("endurance")
    @ParameterizedTest(name = "{0}, trusted")
    @MethodSource("trusted")
    void isTrueWhereTrusted(String name, Future<List<String>> differences) throws InterruptedException, ExecutionException {
        assertEquals(List.of(), differences.get());
    }
}
