package last9;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import pipeline.run.Pipeline;

/**
 * What is counted of a part of a build: flow nodes by kind, what the sandbox intercepted, bytes of classes (without the sandbox and in it), looks at processes, lines
 * of log and their characters.
 */
record Cost(Map<String, Integer> nodes, long operations, long environmentReads, List<Long> classBytes, int looks, int lines, int characters) {

    @SuppressWarnings("unchecked")
    static Cost of(Pipeline.Run run) {
        Map<String, Object> cost = run.cost();
        return new Cost((Map<String, Integer>) cost.get("nodes"), (long) cost.get("intercepted"), (long) cost.get("environmentReads"), List.of(0L, (long) cost.get("classBytes")),
                (int) cost.get("looks"), run.console().size(), run.log().length());
    }

    /** What this build has more than another one that lacks the part in question. */
    Cost minus(Cost other) {
        Map<String, Integer> more = new TreeMap<>();
        nodes.forEach((kind, n) -> more.merge(kind, n - other.nodes.getOrDefault(kind, 0), Integer::sum));
        more.values().removeIf(n -> n == 0);
        return new Cost(more, operations - other.operations, environmentReads - other.environmentReads, List.of(0L, classBytes.get(1) - other.classBytes.get(1)), looks - other.looks,
                lines - other.lines, characters - other.characters);
    }

    int flowNodes() {
        return nodes.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** The same with the classes of a build without the sandbox. */
    Cost withTrusted(Cost trusted) {
        return new Cost(nodes, operations, environmentReads, List.of(trusted.classBytes.get(1), classBytes.get(1)), looks, lines, characters);
    }
}
