package last9;

import java.nio.file.Path;

/** Runs one build after the other: a fake Last9 and a Jenkins home, as on a static agent that keeps the bundle between builds. */
final class Bench implements AutoCloseable {
    final FakeLast9 last9 = FakeLast9.start(LibraryTest.CHECKOUT);
    final Path home;

    Bench(Path home) {
        this.home = home;
    }

    @Override
    public void close() {
        last9.close();
    }
}
