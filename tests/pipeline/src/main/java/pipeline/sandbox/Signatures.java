package pipeline.sandbox;

import com.cloudbees.groovy.cps.Continuable;
import groovy.lang.GroovyClassLoader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException;
import pipeline.engine.Build;

/**
 * The signatures that sandboxed code may use: the project's list of those that its library, examples and recordings call, and everything
 * that the pipeline and its libraries define. PIPELINE_APPROVED_SIGNATURES names further lists (files, with : between them), script-security's
 * own for instance; PIPELINE_USED_SIGNATURES a file to which what was called is added.
 */
final class Signatures {
    private static final Set<String> APPROVED = new HashSet<>();
    private static final Set<String> USED = ConcurrentHashMap.newKeySet();

    static {
        try {
            for (String list : List.of("approved-signatures", "runner-whitelist")) {
                try (InputStream in = Signatures.class.getResourceAsStream("/pipeline/sandbox/" + list)) {
                    add(new String(in.readAllBytes(), StandardCharsets.UTF_8));
                }
            }
            for (String file : System.getenv().getOrDefault("PIPELINE_APPROVED_SIGNATURES", "").split(":")) {
                if (!file.isEmpty()) {
                    add(Files.readString(Path.of(file)));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String used = System.getenv("PIPELINE_USED_SIGNATURES");
        if (used != null) {
            Runtime.getRuntime().addShutdownHook(new Thread(() -> write(Path.of(used))));
        }
    }

    private Signatures() {}

    private static void add(String list) {
        list.lines().map(String::trim).filter(l -> !l.isEmpty() && !l.startsWith("#")).forEach(APPROVED::add);
    }

    private static void write(Path file) {
        try {
            Files.write(file, new TreeSet<>(USED), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean approved(String signature) {
        boolean approved = APPROVED.contains(signature);
        if (approved) {
            USED.add(signature);
        }
        return approved;
    }

    static boolean permits(Method m) {
        return ofPipeline(m.getDeclaringClass()) && !m.isSynthetic() || listed(of(m), kind(m) + " " + Members.name(m.getDeclaringClass()))
                || ofCategory(m);
    }

    static boolean permits(Constructor<?> c) {
        return ofPipeline(c.getDeclaringClass()) || approved(of(c));
    }

    static boolean permits(Field f) {
        return ofPipeline(f.getDeclaringClass()) || listed(of(f), kind(f) + " " + Members.name(f.getDeclaringClass()));
    }

    private static boolean listed(String signature, String typePrefix) {
        return approved(signature) || approved(typePrefix + " *");
    }

    private static boolean ofPipeline(Class<?> c) {
        ClassLoader l = c.getClassLoader();
        return l instanceof GroovyClassLoader;
    }

    /** groovy-cps' own versions of Groovy's methods are approved where Groovy's are. */
    private static boolean ofCategory(Method m) {
        if (!Continuable.categories.contains(m.getDeclaringClass())) {
            return false;
        }
        String type = m.getDeclaringClass().getName().replace("com.cloudbees.groovy.cps.Cps", "org.codehaus.groovy.runtime.");
        String name = m.getName().startsWith("$") ? m.getName().substring(1).replaceFirst("__.+$", "") : m.getName();
        return approved("staticMethod " + type + " " + name + Members.types(m.getParameterTypes()));
    }

    private static String kind(Method m) {
        return Modifier.isStatic(m.getModifiers()) ? "staticMethod" : "method";
    }

    private static String kind(Field f) {
        return Modifier.isStatic(f.getModifiers()) ? "staticField" : "field";
    }

    private static String of(Method m) {
        return kind(m) + " " + Members.name(m.getDeclaringClass()) + " " + m.getName() + Members.types(m.getParameterTypes());
    }

    private static String of(Constructor<?> c) {
        return "new " + Members.name(c.getDeclaringClass()) + Members.types(c.getParameterTypes());
    }

    private static String of(Field f) {
        return kind(f) + " " + Members.name(f.getDeclaringClass()) + " " + f.getName();
    }

    static RejectedAccessException rejection(Method m) {
        return rejection(of(m));
    }

    static RejectedAccessException rejection(Constructor<?> c) {
        return rejection(of(c));
    }

    static RejectedAccessException rejection(Field f) {
        return rejection(of(f));
    }

    /** Every rejection is also told in the log, even one that is caught [407]. */
    static RejectedAccessException rejection(String signature) {
        String text = "Scripts not permitted to use " + signature;
        Build.current().console().println(text + ". Administrators can decide whether to approve or reject this signature.");
        return new RejectedAccessException(text);
    }
}
