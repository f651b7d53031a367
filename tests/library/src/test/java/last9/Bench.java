package last9;

import java.nio.file.Path;

/** Where one build after the other is run: a stand-in Last9 and a Jenkins home, as on a static agent that keeps the bundle between builds. */
final class Bench implements AutoCloseable {
    final StandIn last9 = StandIn.start(LibraryTest.CHECKOUT);
    final Path home;

    Bench(Path home) {
        this.home = home;
    }

    @Override
    public void close() {
        last9.close();
    }
}
