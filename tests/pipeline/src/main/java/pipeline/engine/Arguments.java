package pipeline.engine;

import groovy.lang.Closure;
import groovy.lang.GString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The arguments of a step call, sorted into names and a block; GStrings flattened and remembered (for the warning about secrets). */
final class Arguments {
    final Map<String, Object> named = new LinkedHashMap<>();
    final Set<String> interpolated = new LinkedHashSet<>();
    Closure<?> closure;

    /** Sorts them by the rules of workflow-cps [402]. */
    static Arguments parse(Object arg, StepType type) {
        Arguments a = new Arguments();
        List<Object> args = arg instanceof Object[] array ? new ArrayList<>(Arrays.asList(array)) : new ArrayList<>(Arrays.asList(arg));
        if (!args.isEmpty() && args.get(args.size() - 1) instanceof Closure<?> c && type.takesBlock()) {
            a.closure = c;
            args.remove(args.size() - 1);
        }
        if (args.size() == 1 && args.get(0) instanceof Map<?, ?> m && type.acceptsAsNames(m)) {
            a.put(m);
        } else if (args.size() == 1 && type.sole() != null) {
            a.named.put(type.sole(), a.flatten(args.get(0)));
        } else if (args.size() == 1) {
            throw new IllegalArgumentException("Expected named arguments but got " + args.get(0));
        } else if (args.size() > 1) {
            throw new IllegalArgumentException("Expected named arguments but got " + args);
        }
        return a;
    }

    private void put(Map<?, ?> map) {
        map.forEach((k, v) -> named.put(String.valueOf(k), flatten(v)));
    }

    private Object flatten(Object v) {
        if (v instanceof GString) {
            String s = v.toString();
            interpolated.add(s);
            return s;
        }
        if (v instanceof List<?> list) {
            List<Object> r = new ArrayList<>();
            list.forEach(item -> r.add(flatten(item)));
            return r;
        }
        if (v instanceof Map<?, ?> map) {
            Map<Object, Object> r = new LinkedHashMap<>();
            map.forEach((k, item) -> r.put(flatten(k), flatten(item)));
            return r;
        }
        if (v instanceof Described d) {
            interpolated.addAll(d.interpolated());
        }
        return v;
    }

    /** The arguments of a symbol such as {@code string(credentialsId: ..)}: names only. */
    static Described describe(String symbol, Object arg) {
        Arguments a = new Arguments();
        Object[] args = arg instanceof Object[] array ? array : new Object[] {arg};
        if (args.length == 1 && args[0] instanceof Map<?, ?> m) {
            a.put(m);
        } else if (args.length == 1) {
            a.named.put("", a.flatten(args[0]));
        } else if (args.length > 1) {
            throw new IllegalArgumentException("Expected named arguments but got " + Arrays.asList(args));
        }
        return new Described(symbol, a.named, new ArrayList<>(a.interpolated));
    }
}
