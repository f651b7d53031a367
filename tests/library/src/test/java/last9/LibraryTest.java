package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import pipeline.run.Pipeline;

/** What every test of the library starts from: this checkout as the library, one fake Last9, one credential. */
abstract class LibraryTest {
    static final Path CHECKOUT = Path.of("../..").toAbsolutePath().normalize();
    /** A fault: the next exchange hangs for a minute. */
    static final String HANGS_ONCE = "[{\"on\": \"exchange\", \"times\": 1, \"delay\": 60}]";
    /**
     * A fault without a wait, and that begins no outage as a 503 would: then the next marker had 2 s, the interpreter's start included, which is
     * too little on a busy machine.
     */
    static final String TAKES_NOTHING = "[{\"status\": 429, \"headers\": {\"Retry-After\": \"60\"}}]";
    static FakeLast9 last9;

    @BeforeAll
    static void startLast9() {
        last9 = FakeLast9.start(CHECKOUT);
    }

    @AfterAll
    static void stopLast9() {
        last9.close();
    }

    @AfterEach
    void forget() {
        last9.reset();
    }

    /** A Jenkinsfile that loads the library, on real time (the library reads the clock), with the set-up of the quick start. */
    static Pipeline pipeline(String jenkinsfile) {
        return Pipeline.of("@Library('last9') _\n" + jenkinsfile)
                .library(CHECKOUT)
                .realTime()
                .env("LAST9_API_BASE_URL", last9.url)
                .credential("last9-refresh-token", last9.refreshToken);
    }

    /** Listens to a log and does that as soon as the line has come; the build stands still meanwhile. */
    static Consumer<String> at(String line, Runnable what) {
        return said -> {
            if (said.equals(line)) {
                what.run();
            }
        };
    }

    /** "start payments-api, stop payments-api": what Last9 has, in order. */
    static String markers() {
        return String.join(", ", last9.received().stream()
                .map(e -> e.get("event_state") + " " + attributes(e).get("service_name"))
                .toList());
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> attributes(Map<String, Object> event) {
        return (Map<String, Object>) event.get("attributes");
    }

    /** The library's warnings in a log. */
    static List<String> warnings(Pipeline.Run run) {
        return run.console().stream().filter(line -> line.contains("[Last9] WARNING:")).toList();
    }

    /** Nothing of the secret is in the log or in any file that the build left behind. */
    static void assertSilentAbout(String secret, Pipeline.Run run) {
        assertEquals(List.of(), run.console().stream().filter(line -> line.contains(secret)).toList());
        try (Stream<Path> files = Files.walk(run.home())) {
            List<Path> leaks = files.filter(Files::isRegularFile).filter(f -> holds(f, secret)).toList();
            assertEquals(List.of(), leaks, "files that hold the secret");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** An interpreter that takes the request and ends without an answer. */
    static String engineWithoutAnswer() {
        try {
            Path program = Files.createTempDirectory("engine").resolve("python");
            Files.writeString(program, "#!/bin/sh\nwhile [ \"$1\" != --request ]; do shift; done\nrm \"$2\"\nexit 1\n");
            program.toFile().setExecutable(true);
            return program.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A folder for PATH with all of this machine's tools but Python. */
    static Path toolsButPython() throws IOException {
        Path bin = Files.createTempDirectory("bin");
        for (String folder : List.of("/usr/bin", "/bin")) {
            try (Stream<Path> tools = Files.list(Path.of(folder))) {
                for (Path tool : tools.filter(t -> !t.getFileName().toString().startsWith("py")).toList()) {
                    if (!Files.exists(bin.resolve(tool.getFileName()), LinkOption.NOFOLLOW_LINKS)) {
                        Files.createSymbolicLink(bin.resolve(tool.getFileName()), tool);
                    }
                }
            }
        }
        return bin;
    }

    private static boolean holds(Path file, String secret) {
        try {
            return new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.ISO_8859_1).contains(secret);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
