package pipeline.library;

import groovy.lang.GroovyClassLoader;
import groovy.lang.GroovyCodeSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.codehaus.groovy.ast.ClassNode;
import org.codehaus.groovy.control.CompilationUnit;
import org.codehaus.groovy.control.CompilerConfiguration;
import org.codehaus.groovy.control.SourceUnit;
import pipeline.engine.Build;

/**
 * Loads the classes of one build. Library classes are compiled when first named, as in Jenkins; their bytes are kept for the next
 * build of this process, their statics are not.
 */
final class PipelineLoader extends GroovyClassLoader {
    private static final Map<String, Map<String, byte[]>> COMPILED = new ConcurrentHashMap<>();
    private Map<String, byte[]> known = new HashMap<>();
    /** What is being compiled: told to other builds when the whole of it is there, a class without its closures is of no use. */
    private final Map<String, byte[]> fresh = new HashMap<>();
    private int depth;
    private boolean shared;

    PipelineLoader(ClassLoader parent, CompilerConfiguration config) {
        super(parent, config);
    }

    /** Says what the library classes are compiled from: bytes are shared between loaders of the same key. */
    void compiledFrom(String key) {
        known = COMPILED.computeIfAbsent(key, k -> new HashMap<>());
        shared = true;
    }

    /** One build at a time compiles what several share; the others wait, and then find it whole. */
    @Override
    public Class parseClass(GroovyCodeSource source, boolean cache) {
        synchronized (known) {
            depth++;
            try {
                Class<?> parsed = super.parseClass(source, cache);
                if (depth == 1) {
                    known.putAll(fresh);
                }
                return parsed;
            } finally {
                depth--;
                if (depth == 0) {
                    fresh.clear();
                }
            }
        }
    }

    private byte[] bytes(String name) {
        synchronized (known) {
            return known.get(name);
        }
    }

    @Override
    public Class<?> loadClass(String name, boolean lookupScripts, boolean preferClass, boolean resolve)
            throws ClassNotFoundException {
        byte[] bytes = bytes(name);
        if (bytes != null && getClassCacheEntry(name) == null) {
            synchronized (getClassLoadingLock(name)) {
                if (getClassCacheEntry(name) == null) {
                    setClassCacheEntry(defineClass(name, bytes));
                    Build.current().countClass(bytes.length);
                }
            }
        }
        return super.loadClass(name, lookupScripts, preferClass, resolve);
    }

    @Override
    protected ClassCollector createCollector(CompilationUnit unit, SourceUnit source) {
        InnerLoader inner = new InnerLoader(this);
        return new ClassCollector(inner, unit, source) {
            @Override
            protected Class createClass(byte[] code, ClassNode node) {
                if (shared && node.getModule().getContext().getName().startsWith("file:")) {
                    fresh.put(node.getName(), code);
                    Build.current().countClass(code.length);
                }
                return super.createClass(code, node);
            }
        };
    }
}
