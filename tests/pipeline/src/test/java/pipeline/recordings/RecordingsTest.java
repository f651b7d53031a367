package pipeline.recordings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The runner does what a real Jenkins did: every recording is replayed. Those that do not hold are listed, each with its reason. */
@Execution(ExecutionMode.CONCURRENT)
class RecordingsTest {
    private static final Path LISTED = Path.of("src/test/resources/recordings/do-not-hold.txt");
    /** How often a recording is replayed that does not hold and is not listed: after the first time one at a time. */
    private static final int TRIES = 3;
    private static final Set<String> HELD = new ConcurrentSkipListSet<>();

    static Stream<Recording> recordings() throws IOException {
        String only = System.getProperty("recordings.only", "");
        return Recording.all().stream().filter(r -> only.isEmpty() || List.of(only.split(",")).contains(String.valueOf(r.number())));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("recordings")
    void behavesAsRecorded(Recording recording, @TempDir Path folder) throws Exception {
        List<String> differences = replay(recording, folder.resolve("1"));
        String reason = listed().get(recording.number());
        // A recording says what happened at which moment of a machine that had nothing else to do: beside many others a moment may be missed.
        for (int again = 2; reason == null && !differences.isEmpty() && again <= TRIES; again++) {
            synchronized (HELD) {
                differences = replay(recording, folder.resolve(String.valueOf(again)));
            }
        }
        if (differences.isEmpty()) {
            HELD.add(recording.toString());
            if (reason != null && reason.startsWith("race:")) {
                return;
            }
            assertEquals(null, reason, "recording " + recording + " holds: take it off the list of those that do not");
        } else if (reason == null) {
            assertTrue(differences.isEmpty(), "recording " + recording + ":\n  " + String.join("\n  ", differences));
        } else {
            assertNotEquals("", reason, "the list gives no reason for " + recording);
        }
    }

    private static List<String> replay(Recording recording, Path folder) throws Exception {
        return new Replay(recording, Files.createDirectory(folder)).differences();
    }

    private static Map<Integer, String> listed() throws IOException {
        Map<Integer, String> r = new TreeMap<>();
        for (String line : Files.readAllLines(LISTED)) {
            if (line.matches("\\d+ .*")) {
                r.put(Integer.valueOf(line.substring(0, 3)), line.substring(4).trim());
            }
        }
        return r;
    }

    @AfterAll
    static void sayHowMany() throws IOException {
        System.out.println("recordings: " + HELD.size() + " of " + recordings().count() + " hold");
    }
}
