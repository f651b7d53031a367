package last9;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The steps that a build took, as one line: {@code node{ marker sh! marker }}. A step that failed has an exclamation mark, a block's body
 * stands in braces, and the steps of one marker are one word: {@code marker}, {@code node-marker} where it took a node of its own, {@code marker!}
 * where its shell was interrupted.
 *
 * The graph mixes parallel branches as they came to run, so each branch is listed separately, in the order of the branches' names.
 */
final class Steps {
    private final List<Object> top = new ArrayList<>();

    private static final class Block {
        final String name;
        final List<Object> inner = new ArrayList<>();
        final Map<String, Block> branches = new TreeMap<>();

        Block(String name) {
            this.name = name;
        }

        @Override
        public String toString() {
            List<String> parts = new ArrayList<>(inner.stream().map(Object::toString).toList());
            branches.forEach((branch, b) -> parts.add(branch + ":" + b));
            return name + "{ " + String.join(" ", parts) + (parts.isEmpty() ? "}" : " }");
        }
    }

    private Steps() {}

    /** From the entries of {@link pipeline.run.Pipeline.Run#steps}. */
    static String of(List<Map<String, Object>> entries) {
        Steps steps = new Steps();
        Map<List<String>, List<Block>> open = new LinkedHashMap<>();
        for (Map<String, Object> e : entries) {
            if ("block".equals(e.get("kind")) || "atom".equals(e.get("kind"))) {
                steps.add(e, open);
            }
        }
        return Words.shorten(String.join(" ", steps.top.stream().map(Object::toString).toList()));
    }

    /** {@code open} holds the blocks that are open in each chain of branches, outermost first. */
    private void add(Map<String, Object> entry, Map<List<String>, List<Block>> open) {
        @SuppressWarnings("unchecked")
        List<String> enclosing = (List<String>) entry.get("enclosing");
        List<String> chain = enclosing.stream().filter(s -> s.startsWith("branch:")).toList();
        List<Block> blocks = open.computeIfAbsent(chain, c -> begin(c, open));
        int depth = enclosing.size();
        while (blocks.size() > depth) {
            blocks.remove(blocks.size() - 1);
        }
        List<Object> place = blocks.isEmpty() ? top : blocks.get(blocks.size() - 1).inner;
        if ("block".equals(entry.get("kind"))) {
            Block b = new Block(name(entry));
            place.add(b);
            blocks.add(b);
        } else {
            place.add(name(entry));
        }
    }

    /** A branch's blocks: those around its parallel step, and the branch itself in place of it. */
    private static List<Block> begin(List<String> chain, Map<List<String>, List<Block>> open) {
        if (chain.isEmpty()) {
            return new ArrayList<>();
        }
        List<Block> around = open.get(chain.subList(0, chain.size() - 1));
        Block parallel = around.get(around.size() - 1);
        List<Block> blocks = new ArrayList<>(around);
        Block branch = parallel.branches.computeIfAbsent(chain.get(chain.size() - 1).substring("branch:".length()), name -> new Block(""));
        blocks.set(blocks.size() - 1, branch);
        return blocks;
    }

    private static String name(Map<String, Object> entry) {
        return entry.get("step") + (entry.containsKey("error") ? "!" : "");
    }
}
