package pipeline.library;

import groovy.lang.Binding;
import groovy.lang.GroovyCodeSource;
import groovy.lang.GroovyShell;
import groovy.lang.Script;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.codehaus.groovy.control.CompilerConfiguration;
import org.jenkinsci.plugins.workflow.cps.CpsScript;
import pipeline.declarative.PipelineBlock;
import pipeline.engine.Build;

/**
 * The class loaders of one build, layered as in Jenkins: trusted libraries (and the runner's own Groovy), under it the Jenkinsfile
 * and sandboxed libraries.
 */
public final class Loaders {
    /** The interpreter of {@code pipeline { }}: the runner's own trusted Groovy, on the class path as a source. */
    private static final String DECLARATIVE = "pipeline.declarative.Declarative";

    private final Build build;
    private final PipelineLoader trusted;
    private final PipelineLoader script;
    private final CompilerConfiguration scriptConfig;
    private final Map<String, Library> libraries = new LinkedHashMap<>();
    private int evaluated;

    public Loaders(Build build) {
        this.build = build;
        CompilerConfiguration trustedConfig = Compiler.configuration(false);
        trustedConfig.addCompilationCustomizers(new PipelineBlock());
        trusted = new PipelineLoader(Loaders.class.getClassLoader(), trustedConfig);
        scriptConfig = Compiler.configuration(build.settings().sandbox);
        scriptConfig.addCompilationCustomizers(new LibraryAnnotation(names -> names.forEach(this::load)));
        scriptConfig.addCompilationCustomizers(new PipelineBlock());
        script = new PipelineLoader(trusted, scriptConfig);
        keys();
    }

    /** The Jenkinsfile, compiled, with the libraries it names loaded. */
    public Script mainScript(String text) throws ReflectiveOperationException {
        Class<?> c = script.parseClass(new GroovyCodeSource(text, "WorkflowScript", GroovyShell.DEFAULT_CODE_BASE), false);
        Script s = (Script) c.getDeclaredConstructor().newInstance();
        s.setBinding(new Binding());
        return s;
    }

    /** After a restart: compiles again what the saved program refers to. */
    public ClassLoader reload(String text) {
        build.state().libraries.keySet().forEach(this::load);
        script.parseClass(new GroovyCodeSource(text, "WorkflowScript", GroovyShell.DEFAULT_CODE_BASE), false);
        return script;
    }

    /** Compiles a text at run time, as {@code evaluate} does, and runs it. */
    public Object evaluate(String text) {
        Class<?> c = script.parseClass(new GroovyCodeSource(text, "Script" + ++evaluated + ".groovy", GroovyShell.DEFAULT_CODE_BASE), false);
        try {
            return ((Script) c.getDeclaredConstructor().newInstance()).run();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Loads a library by {@code name} or {@code name@version}; a second time the first definition stays [613]. */
    public Library load(String nameAndVersion) {
        String name = nameAndVersion.replaceFirst("@.*", "");
        Library known = libraries.get(name);
        if (known != null) {
            return known;
        }
        var spec = build.settings().libraries.get(name);
        if (spec == null) {
            build.console().println("ERROR: Could not find any definition of libraries [" + nameAndVersion + "]");
            throw new IllegalArgumentException("Could not find any definition of libraries [" + nameAndVersion + "]");
        }
        String version = nameAndVersion.contains("@") ? nameAndVersion.substring(nameAndVersion.indexOf('@') + 1) : "main";
        try {
            Library lib = new Library(name, version, spec);
            for (URL url : lib.sources()) {
                (spec.trusted() ? trusted : script).addURL(url);
            }
            libraries.put(name, lib);
            build.state().libraries.putIfAbsent(name, version);
            keys();
            return lib;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void keys() {
        StringBuilder trustedKey = new StringBuilder("trusted");
        StringBuilder scriptKey = new StringBuilder(build.settings().sandbox ? "sandboxed" : "script");
        libraries.values().forEach(l -> (l.trusted() ? trustedKey : scriptKey).append('|').append(l.fingerprint()));
        trusted.compiledFrom(trustedKey.toString());
        script.compiledFrom(scriptKey.append('|').append(trustedKey).toString());
    }

    public Collection<Library> libraries() {
        return libraries.values();
    }

    public boolean isVar(String name) {
        return libraries.values().stream().anyMatch(l -> l.vars().contains(name));
    }

    public List<String> vars() {
        List<String> r = new ArrayList<>();
        libraries.values().forEach(l -> r.addAll(l.vars()));
        return r;
    }

    /** A new instance of a var. */
    public Object newVar(String name) {
        try {
            return script.loadClass(name).getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e.getCause() == null ? e : e.getCause());
        }
    }

    /** What the global variable {@code pipeline} is to that script. */
    public Object declarative(CpsScript caller) {
        try {
            return trusted.loadClass(DECLARATIVE).getDeclaredConstructor(CpsScript.class).newInstance(caller);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    public ClassLoader scriptLoader() {
        return script;
    }

    public void close() {
        try {
            script.close();
            trusted.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
