package pipeline.sandbox;

import groovy.lang.MissingPropertyException;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.List;
import org.codehaus.groovy.runtime.MetaClassHelper;
import org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException;

/** Which member a property means, in the order that script-security tries them, and whether it is approved. */
final class Properties {
    private Properties() {}

    /** An approval beyond the lists. */
    interface Also {
        boolean permits(Method m, Object[] args);
    }

    /** True, or throws: the first rejection, or that there is no such property. */
    static boolean mayRead(Object receiver, String property, List<Class<?>> groovyMethods, Also also, MissingPropertyException missing) {
        Object rejected = null;
        String name = MetaClassHelper.capitalize(property);
        for (String getter : List.of("get" + name, "is" + name)) {
            Method m = Members.method(receiver, getter, new Object[0]);
            if (m != null && (getter.startsWith("get") || m.getReturnType() == boolean.class)) {
                if (Signatures.permits(m)) {
                    return true;
                }
                rejected = rejected == null ? m : rejected;
            }
        }
        for (Class<?> c : groovyMethods) {
            Method m = Members.declared(c, "get" + name, new Object[] {receiver});
            if (m != null && Signatures.permits(m)) {
                return true;
            }
            rejected = rejected == null ? m : rejected;
        }
        Field f = Members.field(receiver, property);
        if (f != null && Signatures.permits(f)) {
            return true;
        }
        rejected = rejected == null ? f : rejected;
        Object[] args = {property};
        Method general = Members.method(receiver, "getProperty", args);
        if (general != null && !isGenerated(receiver, "getProperty", String.class)) {
            if (Signatures.permits(general) || also.permits(general, args)) {
                return true;
            }
            rejected = rejected == null && missing == null ? Signatures.rejection("method " + general.getDeclaringClass().getName()
                    + " getProperty java.lang.String (" + receiver.getClass().getName() + "." + property + ")") : rejected;
        }
        if (receiver instanceof Class<?> c) {
            Object stat = staticMember(c, "get" + name, property);
            if (stat == Boolean.TRUE) {
                return true;
            }
            rejected = rejected == null ? stat : rejected;
        }
        throw failure(receiver, property, missing, rejected);
    }

    private static Object staticMember(Class<?> c, String getter, String property) {
        Method m = Members.declared(c, getter, new Object[0]);
        Field f = Members.staticField(c, property);
        if (m != null && Signatures.permits(m) || f != null && (Signatures.permits(f) || c.isEnum())) {
            return Boolean.TRUE;
        }
        return m != null ? m : f;
    }

    private static RuntimeException failure(Object receiver, String property, MissingPropertyException missing, Object rejected) {
        if (missing != null) {
            return missing;
        }
        if (rejected instanceof Method m) {
            return Signatures.rejection(m);
        }
        if (rejected instanceof Field f) {
            return Signatures.rejection(f);
        }
        return rejected instanceof RejectedAccessException r ? r
                : new MissingPropertyException("No such field found: field " + Members.name(receiver.getClass()) + " " + property);
    }

    private static boolean isGenerated(Object receiver, String method, Class<?>... types) {
        try {
            return receiver.getClass().getDeclaredMethod(method, types).isSynthetic();
        } catch (NoSuchMethodException e) {
            return false;
        }
    }

    static void checkWrite(Object receiver, String property, Object value, Also also) {
        Object rejected = null;
        Object[] args = {value};
        Method setter = Members.method(receiver, "set" + MetaClassHelper.capitalize(property), args);
        if (setter != null && Signatures.permits(setter)) {
            return;
        }
        rejected = setter;
        Object[] both = {property, value};
        Method general = Members.method(receiver, "setProperty", both);
        if (general != null && !isGenerated(receiver, "setProperty", String.class, Object.class)) {
            if (Signatures.permits(general) || also.permits(general, both)) {
                return;
            }
            rejected = rejected == null ? general : rejected;
        }
        Field f = receiver instanceof Class<?> c ? Members.staticField(c, property) : Members.field(receiver, property);
        if (f != null && Signatures.permits(f)) {
            return;
        }
        throw failure(receiver, property, null, rejected == null ? f : rejected);
    }

    static void checkField(Object receiver, String name) {
        Field f = receiver instanceof Class<?> c ? Members.staticField(c, name) : Members.field(receiver, name);
        if (f == null || !Signatures.permits(f)) {
            throw failure(receiver, name, null, f);
        }
    }
}
