package pipeline.sandbox;

import groovy.lang.Closure;
import groovy.lang.GroovyRuntimeException;
import groovy.lang.MetaMethod;
import groovy.lang.MissingMethodException;
import groovy.lang.MissingPropertyException;
import groovy.lang.Script;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.codehaus.groovy.runtime.DateGroovyMethods;
import org.codehaus.groovy.runtime.DefaultGroovyMethods;
import org.codehaus.groovy.runtime.EncodingGroovyMethods;
import org.codehaus.groovy.runtime.InvokerHelper;
import org.codehaus.groovy.runtime.ProcessGroovyMethods;
import org.codehaus.groovy.runtime.StringGroovyMethods;
import org.codehaus.groovy.runtime.metaclass.ClosureMetaMethod;
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException;
import org.jenkinsci.plugins.workflow.cps.CpsScript;
import org.jenkinsci.plugins.workflow.cps.DSL;
import org.jenkinsci.plugins.workflow.cps.EnvActionImpl;
import org.kohsuke.groovy.sandbox.GroovyInterceptor;
import pipeline.engine.Build;

/** Decides on every call that sandboxed code makes, by the rules of script-security's interceptor [407, 611, 612]. */
final class Approvals extends GroovyInterceptor {
    private static final List<Class<?>> GROOVY_METHODS = List.of(DefaultGroovyMethods.class, StringGroovyMethods.class,
            EncodingGroovyMethods.class, DateGroovyMethods.class, ProcessGroovyMethods.class);
    private static final Set<String> ARITHMETIC = Set.of("plus", "minus", "multiply", "div", "compareTo", "or", "and", "xor", "intdiv",
            "mod", "leftShift", "rightShift", "rightShiftUnsigned");

    @Override
    public Object onMethodCall(Invoker invoker, Object receiver, String method, Object... args) throws Throwable {
        Build.current().countIntercepted(1);
        Method m = Members.method(receiver, method, args);
        if (m != null) {
            if (Signatures.permits(m) || permitsOwn(m, receiver, args)) {
                return super.onMethodCall(invoker, receiver, method, args);
            }
            throw Signatures.rejection(m);
        }
        if (receiver instanceof Number && ARITHMETIC.contains(method) || groovyMethod(receiver, method, args)) {
            return super.onMethodCall(invoker, receiver, method, args);
        }
        if (receiver instanceof Map<?, ?> map && map.get(method) instanceof Closure<?> c) {
            return onMethodCall(invoker, c, "call", args);
        }
        if (receiver instanceof Script s && s.getBinding().hasVariable(method)) {
            Object v = s.getBinding().getVariable(method);
            if (!InvokerHelper.getMetaClass(v).respondsTo(v, "call", args).isEmpty()) {
                return onMethodCall(invoker, v, "call", args);
            }
        }
        if (hasInvokeMethod(receiver)) {
            onlyIfPermitted(receiver, method, args);
            return super.onMethodCall(invoker, receiver, method, args);
        }
        if (metaMethod(receiver, method, args) instanceof ClosureMetaMethod) {
            return super.onMethodCall(invoker, receiver, method, args);
        }
        throw new MissingMethodException(method, receiver.getClass(), args);
    }

    private static void onlyIfPermitted(Object receiver, String method, Object[] args) {
        Object[] all = {method, args};
        Method catchAll = Members.method(receiver, "invokeMethod", all);
        if (catchAll == null || !(Signatures.permits(catchAll) || permitsOwn(catchAll, receiver, all))) {
            throw Signatures.rejection("method " + catchAll.getDeclaringClass().getName() + " invokeMethod java.lang.String java.lang.Object ("
                    + Members.name(receiver.getClass()) + " " + method + Members.typesOf(args) + ")");
        }
    }

    private static boolean hasInvokeMethod(Object receiver) {
        try {
            return receiver.getClass().getMethod("invokeMethod", String.class, Object.class) != null;
        } catch (NoSuchMethodException e) {
            return false;
        }
    }

    private static MetaMethod metaMethod(Object receiver, String method, Object[] args) {
        Class<?>[] types = new Class<?>[args.length];
        for (int i = 0; i < args.length; i++) {
            types[i] = args[i] == null ? void.class : args[i].getClass();
        }
        try {
            return InvokerHelper.getMetaClass(receiver).pickMethod(method, types);
        } catch (GroovyRuntimeException e) {
            return null;
        }
    }

    /** True if Groovy's own method of that name is approved; thrown if there is one and it is not. */
    private static boolean groovyMethod(Object receiver, String method, Object[] args) {
        Method found = null;
        for (Class<?> c : GROOVY_METHODS) {
            Method m = Members.declared(c, method, withSelf(receiver, args));
            if (m != null && Signatures.permits(m)) {
                return true;
            }
            found = found == null ? m : found;
        }
        if (found != null) {
            throw Signatures.rejection(found);
        }
        return false;
    }

    private static Object[] withSelf(Object receiver, Object... args) {
        Object[] r = new Object[args.length + 1];
        r[0] = receiver;
        System.arraycopy(args, 0, r, 1, args.length);
        return r;
    }

    /** What workflow-cps approves for its own classes. */
    private static boolean permitsOwn(Method m, Object receiver, Object[] args) {
        String name = m.getName();
        if (receiver instanceof CpsScript) {
            return Set.of("invokeMethod", "evaluate", "println", "print", "printf").contains(name)
                    || name.equals("getProperty") && (Build.current().hasGlobal(String.valueOf(args[0]))
                    || Build.current().environment().get(String.valueOf(args[0])) != null);
        }
        return receiver instanceof DSL && name.equals("invokeMethod")
                || receiver instanceof EnvActionImpl && (name.equals("getProperty") || name.equals("setProperty"))
                || receiver instanceof pipeline.steps.LoadedClasses && Set.of("getProperty", "invokeMethod").contains(name);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Object onStaticCall(Invoker invoker, Class receiver, String method, Object... args) throws Throwable {
        Build.current().countIntercepted(1);
        Method m = Members.declared(receiver, method, args);
        if (m == null) {
            throw new RejectedAccessException("No such static method found: staticMethod " + Members.name(receiver) + " " + method
                    + Members.typesOf(args));
        }
        boolean cast = receiver.getName().equals("org.codehaus.groovy.runtime.ScriptBytecodeAdapter") && method.equals("asType");
        if (cast || Signatures.permits(m)) {
            return super.onStaticCall(invoker, receiver, method, args);
        }
        throw Signatures.rejection(m);
    }

    @Override
    @SuppressWarnings("rawtypes")
    public Object onNewInstance(Invoker invoker, Class receiver, Object... args) throws Throwable {
        Build.current().countIntercepted(1);
        Constructor<?> c = Members.constructor(receiver, args);
        if (c == null) {
            throw new RejectedAccessException("No such constructor found: new " + Members.name(receiver) + Members.typesOf(args));
        }
        if (Signatures.permits(c)) {
            return super.onNewInstance(invoker, receiver, args);
        }
        throw Signatures.rejection(c);
    }

    @Override
    public Object onGetProperty(Invoker invoker, Object receiver, String property) throws Throwable {
        Build.current().countIntercepted(1);
        if (receiver instanceof EnvActionImpl) {
            Build.current().countEnvironmentRead();
        }
        MissingPropertyException missing = null;
        if (receiver instanceof Script s) {
            try {
                s.getBinding().getVariable(property);
                return super.onGetProperty(invoker, receiver, property);
            } catch (MissingPropertyException e) {
                missing = e;
            }
        }
        if (property.equals("length") && receiver.getClass().isArray() || Properties.mayRead(receiver, property, GROOVY_METHODS,
                (m, args) -> permitsOwn(m, receiver, args), missing)) {
            return super.onGetProperty(invoker, receiver, property);
        }
        throw new AssertionError();
    }

    @Override
    public Object onSetProperty(Invoker invoker, Object receiver, String property, Object value) throws Throwable {
        Build.current().countIntercepted(1);
        if (receiver instanceof Script && !property.equals("binding") && !property.equals("metaClass")) {
            return super.onSetProperty(invoker, receiver, property, value);
        }
        Properties.checkWrite(receiver, property, value, (m, args) -> permitsOwn(m, receiver, args));
        return super.onSetProperty(invoker, receiver, property, value);
    }

    @Override
    public Object onGetAttribute(Invoker invoker, Object receiver, String attribute) throws Throwable {
        Build.current().countIntercepted(1);
        Properties.checkField(receiver, attribute);
        return super.onGetAttribute(invoker, receiver, attribute);
    }

    @Override
    public Object onSetAttribute(Invoker invoker, Object receiver, String attribute, Object value) throws Throwable {
        Build.current().countIntercepted(1);
        Properties.checkField(receiver, attribute);
        return super.onSetAttribute(invoker, receiver, attribute, value);
    }

    @Override
    public Object onGetArray(Invoker invoker, Object receiver, Object index) throws Throwable {
        Build.current().countIntercepted(1);
        check(receiver, "getAt", index);
        return super.onGetArray(invoker, receiver, index);
    }

    @Override
    public Object onSetArray(Invoker invoker, Object receiver, Object index, Object value) throws Throwable {
        Build.current().countIntercepted(1);
        check(receiver, "putAt", index, value);
        return super.onSetArray(invoker, receiver, index, value);
    }

    private static void check(Object receiver, String method, Object... args) {
        if (receiver.getClass().isArray() && args[0] instanceof Integer) {
            return;
        }
        Method m = Members.method(receiver, method, args);
        if (m != null && !Signatures.permits(m)) {
            throw Signatures.rejection(m);
        }
        if (m == null && !groovyMethod(receiver, method, args)) {
            throw new RejectedAccessException("No such " + method + " method found: method " + Members.name(receiver.getClass()) + "["
                    + Members.typesOf(args).trim() + "]");
        }
    }
}
