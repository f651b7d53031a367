package pipeline.library;

import java.io.IOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import pipeline.engine.Settings;

/** A shared library as Jenkins sees its checkout: src/&#42;&#42;/&#42;.groovy, vars/&#42;.groovy, resources/; other files are ignored. */
public final class Library {
    private final String name;
    private final String version;
    private final Path root;
    private final boolean trusted;
    private final Set<String> vars = new TreeSet<>();
    private final String fingerprint;

    Library(String name, String version, Settings.LibrarySpec spec) throws IOException {
        this.name = name;
        this.version = version;
        this.root = Path.of(spec.directory());
        this.trusted = spec.trusted();
        List<Path> sources = new ArrayList<>();
        for (Path p : files("vars", 1)) {
            String file = p.getFileName().toString();
            if (file.endsWith(".groovy")) {
                vars.add(file.substring(0, file.length() - ".groovy".length()));
                sources.add(p);
            }
        }
        sources.addAll(files("src", 50).stream().filter(p -> p.toString().endsWith(".groovy")).toList());
        for (Path p : files("resources", 50)) {
            if (Files.isSymbolicLink(p)) {
                throw new IOException("Symbolic links are not allowed in a library: " + p);
            }
        }
        fingerprint = hash(sources);
    }

    private List<Path> files(String folder, int depth) throws IOException {
        Path dir = root.resolve(folder);
        if (!Files.isDirectory(dir)) {
            return List.of();
        }
        try (Stream<Path> s = Files.walk(dir, depth)) {
            return s.filter(p -> !Files.isDirectory(p)).sorted().toList();
        }
    }

    private String hash(List<Path> sources) throws IOException {
        try {
            MessageDigest d = MessageDigest.getInstance("SHA-256");
            for (Path p : sources) {
                d.update((p + "\0").getBytes());
                d.update(Files.readAllBytes(p));
            }
            return HexFormat.of().formatHex(d.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The folders that hold its classes. */
    List<URL> sources() throws IOException {
        return List.of(root.resolve("src").toUri().toURL(), root.resolve("vars").toUri().toURL());
    }

    /** Where a resource of that path would lie, or null if the path leads out of resources/ [606]. */
    public Path resource(String path) {
        Path base = root.resolve("resources").normalize();
        Path p = base.resolve(path).normalize();
        return p.startsWith(base) ? p : null;
    }

    public String name() {
        return name;
    }

    public String version() {
        return version;
    }

    boolean trusted() {
        return trusted;
    }

    Set<String> vars() {
        return vars;
    }

    String fingerprint() {
        return fingerprint;
    }
}
