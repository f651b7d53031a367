package pipeline.engine;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A nested description such as {@code string(credentialsId: 'x', variable: 'Y')}, written as a call of a symbol. */
public final class Described implements Serializable {
    private static final long serialVersionUID = 1L;
    private final String symbol;
    private final Map<String, Object> arguments;
    private final List<String> interpolated;

    public Described(String symbol, Map<String, Object> arguments, List<String> interpolated) {
        this.symbol = symbol;
        this.arguments = arguments;
        this.interpolated = interpolated;
    }

    public String symbol() {
        return symbol;
    }

    public Map<String, Object> arguments() {
        return arguments;
    }

    /** The arguments as the flow graph shows them. */
    Map<String, Object> shown() {
        Map<String, Object> r = new LinkedHashMap<>();
        arguments.forEach((k, v) -> r.put(k.isEmpty() ? "<anonymous>" : k, v));
        return r;
    }

    List<String> interpolated() {
        return interpolated;
    }

    @Override
    public String toString() {
        return "@" + symbol + "(" + String.join(",", arguments.entrySet().stream()
                .map(e -> e.getKey().isEmpty() ? "<anonymous>=" + e.getValue() : e.getKey() + "=" + e.getValue()).toList()) + ")";
    }
}
