package pipeline.steps;

import groovy.lang.GroovyObjectSupport;
import java.io.Serializable;
import org.codehaus.groovy.runtime.InvokerHelper;
import pipeline.engine.Build;

/** What the step {@code library} returns: {@code l.pkg.Type.method()}, {@code l.pkg.Type.new(x)} [613]. */
public final class LoadedClasses extends GroovyObjectSupport implements Serializable {
    private static final long serialVersionUID = 1L;
    private final String name;

    LoadedClasses(String name) {
        this.name = name;
    }

    @Override
    public Object getProperty(String property) {
        return new LoadedClasses(name.isEmpty() ? property : name + "." + property);
    }

    @Override
    public Object invokeMethod(String method, Object args) {
        if (method.equals("getClass")) {
            return getClass();
        }
        Class<?> type = type();
        return method.equals("new") ? InvokerHelper.invokeConstructorOf(type, args) : InvokerHelper.invokeStaticMethod(type, method, args);
    }

    private Class<?> type() {
        try {
            return Build.current().loaders().scriptLoader().loadClass(name);
        } catch (ClassNotFoundException e) {
            throw new org.codehaus.groovy.runtime.InvokerInvocationException(e);
        }
    }
}
