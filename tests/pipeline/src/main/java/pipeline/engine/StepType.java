package pipeline.engine;

import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the engine knows of a step class, and how its fields are bound; the error texts are those of Jenkins' structs plugin [104, 402]. */
final class StepType {
    private final Class<? extends Step> type;
    private final Step.Named named;
    private final Map<String, Field> parameters = new LinkedHashMap<>();

    StepType(Class<? extends Step> type) {
        this.type = type;
        this.named = type.getAnnotation(Step.Named.class);
        for (Class<?> c = type; c != Step.class; c = c.getSuperclass()) {
            for (Field f : c.getDeclaredFields()) {
                if (f.isAnnotationPresent(Step.Arg.class)) {
                    f.setAccessible(true);
                    parameters.put(f.getName(), f);
                }
            }
        }
    }

    java.util.Set<String> parameterNames() {
        return named.free() ? java.util.Set.of() : parameters.keySet();
    }

    String name() {
        return named.value();
    }

    boolean takesBlock() {
        return named.block();
    }

    boolean needsBlock() {
        return named.block() && !named.free();
    }

    /** The arguments of a step that takes any name are not kept in the flow graph: parallel's are its blocks. */
    boolean showsArguments() {
        return !named.free();
    }

    String needs() {
        return named.needs();
    }

    String sole() {
        return named.sole().isEmpty() ? null : named.sole();
    }

    /** A lone map is the names, except for a step whose one parameter is required: there it is that parameter's value [402]. */
    boolean acceptsAsNames(Map<?, ?> map) {
        boolean single = parameters.size() == 1
                && parameters.values().iterator().next().getAnnotation(Step.Arg.class).required();
        return !single || (map.size() == 1 && map.containsKey(parameters.keySet().iterator().next()));
    }

    /** A new step with its fields set. */
    Step bind(Map<String, Object> args, Call call) throws Exception {
        Step s = type.getDeclaredConstructor().newInstance();
        s.call = call;
        s.given = args;
        call.step = s;
        if (named.free()) {
            s.arguments(args);
            return s;
        }
        List<String> unknown = new ArrayList<>();
        for (Map.Entry<String, Object> e : args.entrySet()) {
            Field f = parameters.get(e.getKey());
            if (f == null) {
                unknown.add(e.getKey());
            } else if (e.getValue() != null) {
                f.set(s, coerce(f, e.getValue(), args));
            } else if (!f.getType().isPrimitive()) {
                f.set(s, null);
            }
        }
        if (!unknown.isEmpty()) {
            call.log("WARNING: Unknown parameter(s) found for class type '" + named.type() + "': " + String.join(",", unknown));
        }
        return s;
    }

    private Object coerce(Field f, Object value, Map<String, Object> args) {
        Class<?> t = f.getType();
        if (t == Object.class || t.isInstance(value) && !(value instanceof Number && t != value.getClass())) {
            return value;
        }
        if (t == String.class && value instanceof Map) {
            throw uninstantiable(args, new org.kohsuke.stapler.NoStaplerConstructorException(
                    "There's no @DataBoundConstructor on any constructor of class java.lang.String"));
        }
        if (t == String.class && (value instanceof CharSequence || value instanceof hudson.model.Result)) {
            return value.toString();
        }
        if (t == boolean.class && value instanceof Boolean || t == boolean.class && value instanceof String) {
            return value instanceof Boolean ? value : Boolean.valueOf((String) value);
        }
        if ((t == int.class || t == long.class) && (value instanceof Number || value instanceof String)) {
            return number(f, value, args);
        }
        throw uninstantiable(args, new ClassCastException(named.type() + "." + f.getName() + " expects " + expected(f)
                + " but received " + value.getClass()));
    }

    private Object number(Field f, Object value, Map<String, Object> args) {
        try {
            long n = value instanceof Number num ? num.longValue() : Long.parseLong((String) value);
            return f.getType() == int.class ? (Object) (int) n : (Object) n;
        } catch (NumberFormatException e) {
            String boxed = f.getType() == int.class ? "java.lang.Integer" : "java.lang.Long";
            throw uninstantiable(args, new ClassCastException(named.type() + "." + f.getName() + " expects class " + boxed
                    + " but was unable to coerce the received value \"" + value + "\" to that type"));
        }
    }

    private static String expected(Field f) {
        return f.getType() == List.class ? "java.util.List<java.lang.String>" : f.getType().isPrimitive()
                ? f.getType().toString() : "class " + f.getType().getName();
    }

    IllegalArgumentException uninstantiable(Map<String, Object> args, Exception cause) {
        return new IllegalArgumentException("Could not instantiate " + args + " for " + named.type() + ": " + cause, cause);
    }
}
