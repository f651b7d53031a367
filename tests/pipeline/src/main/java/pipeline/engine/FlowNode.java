package pipeline.engine;

import java.io.Serializable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One node of the flow graph, as the recordings' {@code steps} show it. */
public final class FlowNode implements Serializable {
    private static final long serialVersionUID = 1L;

    /** What a node stands for. */
    public enum Kind { START, END, ATOM, BLOCK, BODY, BODY_END, BLOCK_END }

    public final int id;
    public final Kind kind;
    public final String step;
    public final List<String> enclosing;
    public Map<String, Object> args = Map.of();
    public String label;
    public String branch;
    public String errorClass;
    public String errorMessage;
    public Map<String, Object> warning;
    /** What {@code catchError(stageResult: ..)} makes of the stage; post conditions look at it [316]. */
    public hudson.model.Result stageResult;

    FlowNode(int id, Kind kind, String step, List<String> enclosing) {
        this.id = id;
        this.kind = kind;
        this.step = step;
        this.enclosing = enclosing;
    }

    void failed(Throwable error) {
        Throwable shown = Errors.forGraph(error);
        errorClass = shown.getClass().getName();
        errorMessage = shown.getMessage();
    }

    /** This node as an entry of {@code steps}, or null where the recordings show none (ends without an error, start, end). */
    public Map<String, Object> toEntry() {
        boolean ends = kind == Kind.BODY_END || kind == Kind.BLOCK_END;
        if (kind == Kind.START || kind == Kind.END || (ends && errorClass == null)) {
            return null;
        }
        Map<String, Object> e = new LinkedHashMap<>();
        e.put("id", id);
        if (ends) {
            e.put("kind", "end-of");
            e.put("of", step);
        } else {
            e.put("step", step);
            e.put("kind", kind.name().toLowerCase());
            e.put("args", args);
            if (label != null) {
                e.put("label", label);
            }
            if (branch != null) {
                e.put("branch", branch);
            }
            e.put("enclosing", enclosing);
        }
        if (errorClass != null) {
            Map<String, Object> error = new LinkedHashMap<>();
            error.put("class", errorClass);
            error.put("message", errorMessage);
            e.put("error", error);
        }
        if (warning != null) {
            e.put("warning", warning);
        }
        return e;
    }
}
