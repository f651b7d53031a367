package pipeline.library;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.codehaus.groovy.runtime.InvokerHelper;
import org.kohsuke.groovy.sandbox.impl.Checker;

/** What spread in lists, maps and arguments is compiled to. Parts come in pairs: whether it is spread, the value. */
public final class Spread {
    private Spread() {}

    /** {@code [*a, 3]}. */
    public static List<Object> list(Object... parts) {
        List<Object> r = new ArrayList<>();
        for (int i = 0; i < parts.length; i += 2) {
            if (Boolean.TRUE.equals(parts[i]) && parts[i + 1] instanceof Collection<?> c) {
                r.addAll(c);
            } else if (Boolean.TRUE.equals(parts[i]) && parts[i + 1] instanceof Object[] array) {
                r.addAll(List.of(array));
            } else {
                r.add(parts[i + 1]);
            }
        }
        return r;
    }

    /** {@code [*: m, b: 2]}: the pairs are of maps, all spread. */
    public static Map<Object, Object> map(Object... parts) {
        Map<Object, Object> r = new LinkedHashMap<>();
        for (Object part : parts) {
            r.putAll((Map<?, ?>) part);
        }
        return r;
    }

    /** {@code f(*a)}. */
    public static Object call(Object receiver, String method, List<Object> args) {
        return InvokerHelper.invokeMethod(receiver, method, args.toArray());
    }

    /** {@code f(*a)} in the sandbox. */
    public static Object checkedCall(Object receiver, String method, List<Object> args) throws Throwable {
        return Checker.checkedCall(receiver, false, false, method, args.toArray());
    }
}
