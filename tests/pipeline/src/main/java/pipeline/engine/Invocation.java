package pipeline.engine;

import com.cloudbees.groovy.cps.impl.CallSiteBlock;
import com.cloudbees.groovy.cps.sandbox.Invoker;
import groovy.lang.Closure;
import org.jenkinsci.plugins.workflow.cps.CpsScript;

/** Sees every call that CPS code makes. Warns, as workflow-cps does, when an undeclared variable is set [201, 604]. */
final class Invocation implements Invoker {
    private static final long serialVersionUID = 1L;
    private static final java.util.Set<String> CLOSURE_PROPERTIES = java.util.Set.of("delegate", "directive", "resolveStrategy");
    private final Invoker to;

    Invocation(Invoker to) {
        this.to = to;
    }

    @Override
    public Object methodCall(Object receiver, String method, Object[] args) throws Throwable {
        return to.methodCall(receiver, method, args);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Object constructorCall(Class type, Object[] args) throws Throwable {
        return to.constructorCall(type, args);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Object superCall(Class sender, Object receiver, String method, Object[] args) throws Throwable {
        return to.superCall(sender, receiver, method, args);
    }

    @Override
    public Object getProperty(Object on, String name) throws Throwable {
        return to.getProperty(on, name);
    }

    @Override
    public void setProperty(Object on, String name, Object value) throws Throwable {
        to.setProperty(on, name, value);
        Object script = receiver(on);
        if (value != null && script instanceof CpsScript && !CLOSURE_PROPERTIES.contains(name) && !hasField(script, name)) {
            Build.current().console().println("Did you forget the `def` keyword? " + script.getClass().getSimpleName()
                    + " seems to be setting a field named " + name + " (to a value of type " + value.getClass().getSimpleName()
                    + ") which could lead to memory leaks or other issues.");
        }
    }

    private static boolean hasField(Object script, String name) {
        try {
            script.getClass().getDeclaredField(name);
            return true;
        } catch (NoSuchFieldException e) {
            return false;
        }
    }

    private static Object receiver(Object o) {
        if (!(o instanceof Closure<?> c)) {
            return o;
        }
        return switch (c.getResolveStrategy()) {
            case Closure.DELEGATE_ONLY -> receiver(c.getDelegate());
            case Closure.DELEGATE_FIRST -> receiver(c.getDelegate() == null ? c.getOwner() : c.getDelegate());
            case Closure.TO_SELF -> c;
            default -> receiver(c.getOwner());
        };
    }

    @Override
    public Object getAttribute(Object on, String name) throws Throwable {
        return to.getAttribute(on, name);
    }

    @Override
    public void setAttribute(Object on, String name, Object value) throws Throwable {
        to.setAttribute(on, name, value);
    }

    @Override
    public Object getArray(Object on, Object index) throws Throwable {
        return to.getArray(on, index);
    }

    @Override
    public void setArray(Object on, Object index, Object value) throws Throwable {
        to.setArray(on, index, value);
    }

    @Override
    public Object methodPointer(Object on, String name) {
        return to.methodPointer(on, name);
    }

    @Override
    public Invoker contextualize(CallSiteBlock tags) {
        Invoker inner = to.contextualize(tags);
        return inner instanceof Invocation ? inner : new Invocation(inner);
    }
}
