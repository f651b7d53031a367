package org.jenkinsci.plugins.workflow.cps;

import com.cloudbees.groovy.cps.SerializableScript;
import groovy.lang.MissingPropertyException;
import java.io.File;
import java.io.IOException;
import org.codehaus.groovy.runtime.DefaultGroovyMethods;
import org.codehaus.groovy.runtime.InvokerHelper;
import org.codehaus.groovy.runtime.InvokerInvocationException;
import pipeline.engine.Build;
import pipeline.engine.Steps;

/**
 * Imitation of the base of every script of a pipeline. A name is looked up as in workflow-cps: binding, global variables (those of
 * libraries too), steps; a property: binding, global variables, environment [201].
 */
public abstract class CpsScript extends SerializableScript {
    private static final long serialVersionUID = 1L;
    private transient boolean ready;

    public CpsScript() {
        if (Build.current() != null && Build.current().currentThread() != null) {
            $initialize();
        }
    }

    public final void $initialize() {
        getBinding().setVariable("steps", new DSL());
        ready = true;
    }

    @Override
    public final Object invokeMethod(String name, Object args) {
        if (getBinding().hasVariable(name)) {
            Object o = getBinding().getVariable(name);
            if (!InvokerHelper.getMetaClass(o).respondsTo(o, "call", (Object[]) args).isEmpty()) {
                return callOf(o, args);
            }
        }
        if (Build.current().hasGlobal(name)) {
            return callOf(Build.current().global(name, this), args);
        }
        return Steps.invoke(name, args);
    }

    /** Not named call: a script may have a method of that name. */
    private static Object callOf(Object o, Object args) {
        try {
            return InvokerHelper.getMetaClass(o).invokeMethod(o, "call", args);
        } catch (Exception x) {
            throw new InvokerInvocationException(x);
        }
    }

    @Override
    public Object getProperty(String property) {
        try {
            return super.getProperty(property);
        } catch (MissingPropertyException e) {
            Build build = Build.current();
            if (!ready || build == null) {
                throw e;
            }
            if (build.hasGlobal(property)) {
                return build.global(property, this);
            }
            String value = build.environment().get(property);
            if (value != null) {
                return value;
            }
            throw e;
        }
    }

    @Override
    public Object evaluate(String script) {
        return Build.current().evaluate(script);
    }

    @Override
    public Object evaluate(File file) throws IOException {
        return evaluate(java.nio.file.Files.readString(file.toPath()));
    }

    @Override
    public void println() {
        invokeMethod("echo", new Object[] {""});
    }

    @Override
    public void print(Object value) {
        println(value);
    }

    @Override
    public void println(Object value) {
        invokeMethod("echo", new Object[] {String.valueOf(value)});
    }

    @Override
    public void printf(String format, Object value) {
        print(DefaultGroovyMethods.sprintf(this, format, value));
    }

    @Override
    public void printf(String format, Object[] values) {
        print(DefaultGroovyMethods.sprintf(this, format, values));
    }

    public Object sleep(long seconds) {
        return invokeMethod("sleep", new Object[] {seconds});
    }

    protected Object readResolve() {
        ready = true;
        return this;
    }
}
