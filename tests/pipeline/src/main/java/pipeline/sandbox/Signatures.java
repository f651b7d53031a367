package pipeline.sandbox;

import com.cloudbees.groovy.cps.Continuable;
import groovy.lang.GroovyClassLoader;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException;
import pipeline.engine.Build;

/** The signatures that sandboxed code may use: Jenkins' lists, and everything that the pipeline and its libraries define. */
final class Signatures {
    private static final Set<String> APPROVED = read("generic-whitelist", "jenkins-whitelist", "runner-whitelist");

    private Signatures() {}

    private static Set<String> read(String... files) {
        Set<String> r = new HashSet<>();
        for (String file : files) {
            try (BufferedReader in = new BufferedReader(new InputStreamReader(Signatures.class.getResourceAsStream(
                    "/pipeline/sandbox/" + file), StandardCharsets.UTF_8))) {
                in.lines().map(String::trim).filter(l -> !l.isEmpty() && !l.startsWith("#")).forEach(r::add);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return r;
    }

    static boolean permits(Method m) {
        return ofPipeline(m.getDeclaringClass()) && !m.isSynthetic() || listed(of(m), kind(m) + " " + Members.name(m.getDeclaringClass()))
                || ofCategory(m);
    }

    static boolean permits(Constructor<?> c) {
        return ofPipeline(c.getDeclaringClass()) || APPROVED.contains(of(c));
    }

    static boolean permits(Field f) {
        return ofPipeline(f.getDeclaringClass()) || listed(of(f), kind(f) + " " + Members.name(f.getDeclaringClass()));
    }

    private static boolean listed(String signature, String typePrefix) {
        return APPROVED.contains(signature) || APPROVED.contains(typePrefix + " *");
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
        return APPROVED.contains("staticMethod " + type + " " + name + Members.types(m.getParameterTypes()));
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
