package pipeline.engine;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** All that a controller restart must bring back: every thread of the pipeline with all objects of its code, as one object graph. */
public final class Program implements Serializable {
    private static final long serialVersionUID = 1L;
    final TreeMap<Integer, GreenThread> threads = new TreeMap<>();
    private int counter;

    int nextId() {
        return counter++;
    }

    void add(GreenThread t) {
        threads.put(t.id, t);
    }

    /** The step call of that id, if it still runs. */
    Call call(int id) {
        for (GreenThread t : threads.values()) {
            if (t.call != null && t.call.id == id) {
                return t.call;
            }
        }
        return null;
    }

    /** The innermost thread of each head, youngest first: those an interruption goes to. */
    List<GreenThread> innermost() {
        Map<Head, GreenThread> last = new LinkedHashMap<>();
        for (GreenThread t : threads.values()) {
            last.put(t.head, t);
        }
        List<GreenThread> r = new ArrayList<>(last.values());
        java.util.Collections.reverse(r);
        return r;
    }
}
