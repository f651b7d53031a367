package pipeline.sandbox;

import groovy.lang.GString;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.codehaus.groovy.reflection.ReflectionCache;

/** Finds the member that a dynamic call means, in the most general type that declares it: approvals are given for that one. */
final class Members {
    private Members() {}

    static Method method(Object receiver, String name, Object[] args) {
        for (Class<?> c : types(receiver.getClass())) {
            Method m = declared(c, name, args);
            if (m != null) {
                return m;
            }
        }
        return receiver instanceof GString ? declared(String.class, name, args) : null;
    }

    static Method declared(Class<?> type, String name, Object[] args) {
        Method best = null;
        for (Method m : type.getDeclaredMethods()) {
            if (m.getName().equals(name) && matches(m, args) && (best == null || narrower(m, best))) {
                best = m;
            }
        }
        return best;
    }

    /** The constructor; without one, the no-argument one for Groovy's construction from a map. */
    static Constructor<?> constructor(Class<?> type, Object[] args) {
        Constructor<?> best = null;
        Constructor<?> empty = null;
        for (Constructor<?> c : type.getDeclaredConstructors()) {
            empty = c.getParameterCount() == 0 ? c : empty;
            if (matches(c, args) && (best == null || narrower(c, best))) {
                best = c;
            }
        }
        return best == null && args.length == 1 && args[0] instanceof Map ? empty : best;
    }

    static Field field(Object receiver, String name) {
        for (Class<?> c : types(receiver.getClass())) {
            Field f = staticField(c, name);
            if (f != null) {
                return f;
            }
        }
        return null;
    }

    static Field staticField(Class<?> type, String name) {
        for (Field f : type.getDeclaredFields()) {
            if (f.getName().equals(name)) {
                return f;
            }
        }
        return null;
    }

    private static Set<Class<?>> types(Class<?> c) {
        Set<Class<?>> r = new LinkedHashSet<>();
        collect(c, r);
        return r;
    }

    private static void collect(Class<?> c, Set<Class<?>> into) {
        if (c.getSuperclass() != null) {
            collect(c.getSuperclass(), into);
        }
        for (Class<?> i : c.getInterfaces()) {
            collect(i, into);
        }
        into.add(c);
    }

    private static boolean matches(Executable e, Object[] args) {
        Class<?>[] types = e.getParameterTypes();
        if (types.length == args.length && fits(types, args, types.length)) {
            return true;
        }
        int fixed = types.length - 1;
        if (!e.isVarArgs() || args.length < fixed || !fits(types, args, fixed)) {
            return false;
        }
        Class<?> component = types[fixed].getComponentType();
        for (int i = fixed; i < args.length; i++) {
            if (!fits(component, args[i])) {
                return false;
            }
        }
        return true;
    }

    private static boolean fits(Class<?>[] types, Object[] args, int count) {
        for (int i = 0; i < count; i++) {
            if (!fits(types[i], args[i])) {
                return false;
            }
        }
        return true;
    }

    private static boolean fits(Class<?> type, Object arg) {
        if (arg == null) {
            return !type.isPrimitive();
        }
        Class<?> boxed = box(type);
        return boxed.isInstance(arg) || type == String.class && arg instanceof GString
                || type.isPrimitive() && boxed == Long.class && arg instanceof Integer
                || type.isPrimitive() && boxed == Integer.class && arg instanceof Long n && n == n.intValue();
    }

    private static Class<?> box(Class<?> c) {
        return c.isPrimitive() && c != void.class ? ReflectionCache.autoboxType(c) : c;
    }

    private static boolean narrower(Executable a, Executable b) {
        if (a.isVarArgs() != b.isVarArgs()) {
            return b.isVarArgs();
        }
        Class<?>[] x = a.getParameterTypes();
        Class<?>[] y = b.getParameterTypes();
        for (int i = 0; i < Math.min(x.length, y.length); i++) {
            Class<?> p = box(x[i]);
            Class<?> q = box(y[i]);
            if (p == q) {
                continue;
            }
            if (p == Long.class && q == Integer.class || p.isAssignableFrom(q)) {
                return false;
            }
            if (q == Long.class && p == Integer.class || q.isAssignableFrom(p)) {
                return true;
            }
        }
        return a.toString().compareTo(b.toString()) > 0;
    }

    /** A type as signatures write it. */
    static String name(Class<?> c) {
        return c.isArray() ? name(c.getComponentType()) + "[]" : c.getName();
    }

    static String types(Class<?>[] types) {
        StringBuilder b = new StringBuilder();
        for (Class<?> t : types) {
            b.append(' ').append(name(t));
        }
        return b.toString();
    }

    static String typesOf(Object[] args) {
        StringBuilder b = new StringBuilder();
        for (Object a : args) {
            b.append(' ').append(a == null ? "null" : name(a.getClass()));
        }
        return b.toString();
    }
}
