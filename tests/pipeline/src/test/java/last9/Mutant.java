package last9;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** A library with a mistake in it: what was changed, in a copy, and the rows of the shapes table that must catch it. */
final class Mutant {
    private record Edit(String file, String found, String instead) {}

    final String mistake;
    private final List<Edit> edits = new ArrayList<>();
    private List<String> rows = List.of();
    private boolean sandboxed;

    private Mutant(String mistake) {
        this.mistake = mistake;
    }

    static Mutant of(String mistake) {
        return new Mutant(mistake);
    }

    /** A text that the file has exactly once, and what stands there instead. */
    Mutant change(String file, String found, String instead) {
        edits.add(new Edit(file, found, instead));
        return this;
    }

    Mutant caughtBy(String... shapes) {
        rows = List.of(shapes);
        return this;
    }

    Mutant caughtInSandboxBy(String... shapes) {
        sandboxed = true;
        return caughtBy(shapes);
    }

    /** The rows that do not notice; empty: all that should did. */
    List<String> survivors(Path folder, Bench bench) {
        Path library = write(folder);
        List<Shape> shapes = Shape.all();
        return rows.stream().filter(row -> shapes.stream().filter(s -> s.name.equals(row)).findFirst().orElseThrow()
                .differences(library, sandboxed, bench).isEmpty()).toList();
    }

    private Path write(Path library) {
        try {
            for (String part : List.of("vars", "src", "resources")) {
                copy(LibraryTest.CHECKOUT.resolve(part), library.resolve(part));
            }
            for (Edit e : edits) {
                Path file = library.resolve(e.file);
                String text = Files.readString(file);
                if (text.split(java.util.regex.Pattern.quote(e.found), -1).length != 2) {
                    throw new IllegalStateException(mistake + ": " + e.file + " does not have this exactly once: " + e.found);
                }
                Files.writeString(file, text.replace(e.found, e.instead));
            }
            return library;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Path target = to.resolve(from.relativize(file).toString());
                Files.createDirectories(target.getParent());
                Files.copy(file, target);
            }
        }
    }

    @Override
    public String toString() {
        return mistake;
    }
}
