package pipeline.engine;

import hudson.model.Result;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The flow graph of a build and its {@code [Pipeline]} lines. Ids are given as Jenkins does, from one counter for nodes and heads,
 * so that they are those of the recordings.
 */
public final class Graph implements Serializable {
    private static final long serialVersionUID = 1L;
    private int counter;
    private final Map<Integer, FlowNode> nodes = new LinkedHashMap<>();
    private final Console console;

    Graph(Console console) {
        this.console = console;
    }

    int nextId() {
        return ++counter;
    }

    private FlowNode add(FlowNode.Kind kind, String step, List<String> enclosing, String line) {
        FlowNode n = new FlowNode(nextId(), kind, step, enclosing);
        nodes.put(n.id, n);
        console.println("[Pipeline] " + line);
        return n;
    }

    FlowNode start() {
        return add(FlowNode.Kind.START, null, List.of(), "Start of Pipeline");
    }

    FlowNode end() {
        return add(FlowNode.Kind.END, null, List.of(), "End of Pipeline");
    }

    /** The end of a build that could not go on after a restart: not seen in its log [806]. */
    void endUnseen() {
        nodes.put(nextId(), new FlowNode(counter, FlowNode.Kind.END, null, List.of()));
    }

    FlowNode step(String name, boolean block, List<String> enclosing) {
        return add(block ? FlowNode.Kind.BLOCK : FlowNode.Kind.ATOM, name, enclosing, name);
    }

    FlowNode body(String step, String label, String branch, List<String> enclosing) {
        String shown = branch != null ? " (Branch: " + branch + ")" : label != null ? " (" + label + ")" : "";
        FlowNode n = add(FlowNode.Kind.BODY, step, enclosing, "{" + shown);
        n.label = label;
        n.branch = branch;
        return n;
    }

    FlowNode bodyEnd(String step) {
        return add(FlowNode.Kind.BODY_END, step, List.of(), "}");
    }

    FlowNode blockEnd(String step) {
        return add(FlowNode.Kind.BLOCK_END, step, List.of(), "// " + step);
    }

    public FlowNode node(int id) {
        return nodes.get(id);
    }

    private int bodyCounter;

    int nextBodyId() {
        return ++bodyCounter;
    }

    /** What steps have noted of the stages they are in: the blocks around each such step, and the result [314, 316]. */
    public List<Map.Entry<List<String>, Result>> warnings() {
        List<Map.Entry<List<String>, Result>> r = new ArrayList<>();
        for (FlowNode n : nodes.values()) {
            if (n.stageResult != null) {
                r.add(Map.entry(n.enclosing, n.stageResult));
            } else if (n.warning != null) {
                r.add(Map.entry(n.enclosing, Result.fromString(String.valueOf(n.warning.get("result")))));
            }
        }
        return r;
    }

    /** How many nodes there are of each kind: steps without a block by name, of a block {@code NAME {}} its begin, its bodies and their ends. */
    public Map<String, Integer> counts() {
        Map<String, Integer> r = new java.util.TreeMap<>();
        for (FlowNode n : nodes.values()) {
            String name = n.step == null ? "pipeline" : n.kind == FlowNode.Kind.ATOM ? n.step : n.step.replaceFirst("^branch:.*", "parallel").replaceFirst(":.*", "") + " {}";
            r.merge(name, 1, Integer::sum);
        }
        return r;
    }

    /** How many nodes the build has made. */
    public int size() {
        return nodes.size();
    }

    /** The graph of a build that ended by force is not kept [427, 804]. */
    void lose() {
        nodes.clear();
    }

    /** The entries of {@code steps}, in order of node id. */
    public List<Map<String, Object>> entries() {
        List<Map<String, Object>> r = new ArrayList<>();
        for (FlowNode n : nodes.values()) {
            Map<String, Object> e = n.toEntry();
            if (e != null) {
                r.add(e);
            }
        }
        return r;
    }
}
