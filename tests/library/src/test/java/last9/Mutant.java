package last9;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** A library with a mistake in it: what was changed, in a copy, and the rows of the shapes table that must catch it. */
final class Mutant {
    private static final String BUNDLE = "resources/last9/last9-markers.pyz";
    private static final String ENGINE = BUNDLE + "!";

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

    /** The same in a file of the engine: in the bundle that this library brings, whose name is another one then. */
    Mutant changeEngine(String file, String found, String instead) {
        return change(ENGINE + file, found, instead);
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

    /** Writes this library there. */
    Path write(Path library) {
        try {
            for (String part : List.of("vars", "src", "resources")) {
                copy(LibraryTest.CHECKOUT.resolve(part), library.resolve(part));
            }
            for (Edit e : edits) {
                if (e.file.startsWith(ENGINE)) {
                    rebuild(library, e);
                } else {
                    Path file = library.resolve(e.file);
                    Files.writeString(file, changed(Files.readString(file), e));
                }
            }
            return library;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String changed(String text, Edit e) {
        if (text.split(Pattern.quote(e.found), -1).length != 2) {
            throw new IllegalStateException(mistake + ": " + e.file + " does not have this exactly once: " + e.found);
        }
        return text.replace(e.found, e.instead);
    }

    /** The same entries in the same order and packed as before (the loader is read from its place), and the new hash where the library knows it from. */
    private void rebuild(Path library, Edit e) throws IOException {
        Path bundle = library.resolve(BUNDLE);
        String name = e.file.substring(ENGINE.length());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ZipFile old = new ZipFile(bundle.toFile()); ZipOutputStream zip = new ZipOutputStream(bytes)) {
            if (old.getEntry(name) == null) {
                throw new IllegalStateException(mistake + ": there is no " + e.file);
            }
            for (ZipEntry entry : Collections.list(old.entries())) {
                byte[] content = old.getInputStream(entry).readAllBytes();
                if (entry.getName().equals(name)) {
                    content = changed(new String(content, StandardCharsets.UTF_8), e).getBytes(StandardCharsets.UTF_8);
                }
                ZipEntry next = new ZipEntry(entry.getName());
                next.setMethod(entry.getMethod());
                if (entry.getMethod() == ZipEntry.STORED) {
                    CRC32 sum = new CRC32();
                    sum.update(content);
                    next.setCrc(sum.getValue());
                    next.setSize(content.length);
                }
                zip.putNextEntry(next);
                zip.write(content);
            }
        }
        byte[] rebuilt = bytes.toByteArray();
        Path hashed = library.resolve("src/org/last9/Bundle.groovy");
        Files.writeString(hashed, Files.readString(hashed).replace(sha256(Files.readAllBytes(bundle)), sha256(rebuilt)));
        Files.write(bundle, rebuilt);
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
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
