package pipeline.engine;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The build log: whole lines kept, each handed to a sink as it is completed. */
public final class Console implements Serializable {
    private static final long serialVersionUID = 1L;
    private final List<String> lines = new ArrayList<>();
    private final StringBuilder open = new StringBuilder();
    private transient Consumer<String> sink;
    private transient Consumer<String> watcher;

    /** Where completed lines go, and who looks at them (triggers of an abort). */
    void listen(Consumer<String> toSink, Consumer<String> toWatcher) {
        sink = toSink;
        watcher = toWatcher;
    }

    /** One line, or several if the text has newlines. */
    public void println(String text) {
        finishLine();
        print(text + "\n");
    }

    /** Text as it comes from a process; an unfinished line is kept open. */
    public void print(String text) {
        int from = 0;
        for (int nl; (nl = text.indexOf('\n', from)) >= 0; from = nl + 1) {
            open.append(text, from, nl);
            emit();
        }
        open.append(text, from, text.length());
    }

    /** Ends an unfinished line, as Jenkins does before the next {@code [Pipeline]} line [704]. */
    public void finishLine() {
        if (open.length() > 0) {
            emit();
        }
    }

    private void emit() {
        String line = open.toString();
        open.setLength(0);
        lines.add(line);
        if (sink != null) {
            sink.accept(line);
        }
        if (watcher != null) {
            watcher.accept(line);
        }
    }

    public List<String> lines() {
        return lines;
    }
}
