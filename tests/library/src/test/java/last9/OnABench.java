package last9;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Tests that run one build after the other on a bench of their own. */
abstract class OnABench {
    static Bench bench;

    @BeforeAll
    static void setUp(@TempDir Path home) {
        bench = new Bench(home);
    }

    @AfterAll
    static void tidyUp() {
        bench.close();
    }
}
