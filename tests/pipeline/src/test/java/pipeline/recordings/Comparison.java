package pipeline.recordings;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;

/** Holds what a build did against what the recorded one did. */
final class Comparison {
    /** Come from another thread than their neighbours, so their place in the log differs from run to run (index.md). */
    private static final Set<String> FLOATING = Set.of("Sending interrupt signal to process", "Terminated");

    /** Steps that work in a thread of their own. */
    private static final Set<String> BACKGROUND = Set.of("readFile", "writeFile");

    private final Normal normal;
    private final List<String> differences = new ArrayList<>();

    Comparison(Normal normal) {
        this.normal = normal;
    }

    List<String> differences() {
        return differences;
    }

    void result(String recorded, String ours) {
        if (!Objects.equals(recorded, ours)) {
            differences.add("result: recorded " + recorded + ", ours " + ours);
        }
    }

    void flowNodes(Recording.Outcome recorded, int ours, List<String> log) {
        int open = unbegun(recorded.console()) - unbegun(log);
        if (recorded.flowNodes() != null && recorded.flowNodes() - open != ours) {
            differences.add("flow nodes: recorded " + recorded.flowNodes() + " (of which " + open + " by chance), ours " + ours);
        }
    }

    /**
     * How many {@code withCredentials} ended before their body began and show it: that step works in the background, and whether its end gets a node
     * then is a race in Jenkins, which differs for the same failure within one recording [480, 481].
     */
    private static int unbegun(List<String> log) {
        int n = 0;
        for (int i = 1; i < log.size(); i++) {
            n += log.get(i).equals(Normal.END_OF_CREDENTIALS) && log.get(i - 1).equals(Normal.CREDENTIALS) ? 1 : 0;
        }
        return n;
    }

    /** The same steps in the same order within each branch. */
    void steps(List<Map<String, Object>> recorded, List<Map<String, Object>> ours) {
        Map<String, List<String>> a = byBranch(recorded);
        Map<String, List<String>> b = byBranch(ours);
        for (String branch : a.keySet()) {
            compare("steps" + (branch.isEmpty() ? "" : " in " + branch), a.get(branch), b.getOrDefault(branch, List.of()));
        }
        b.keySet().stream().filter(k -> !a.containsKey(k)).forEach(k -> differences.add("ours has branch " + k));
    }

    /** Ends of blocks have no branch of their own: they are compared as a set, with their errors. */
    private Map<String, List<String>> byBranch(List<Map<String, Object>> steps) {
        Map<String, List<String>> r = new LinkedHashMap<>();
        List<String> ends = new ArrayList<>();
        for (Map<String, Object> s : steps) {
            if (!s.containsKey("step")) {
                if (String.valueOf(s.get("error")).contains("CredentialNotFoundException") && s.get("of").equals("withCredentials")) {
                    continue;
                }
                ends.add("end of " + s.get("of") + " " + text(s.get("error")));
                continue;
            }
            String branch = "";
            for (Object e : (List<?>) s.get("enclosing")) {
                branch += String.valueOf(e).startsWith("branch:") ? "/" + e : "";
            }
            r.computeIfAbsent(branch, k -> new ArrayList<>()).add(describe(s));
        }
        ends.sort(null);
        r.put(" (ends)", ends);
        return r;
    }

    private String describe(Map<String, Object> s) {
        return text(s.get("step")) + " " + s.get("kind") + " label=" + text(s.get("label")) + " branch=" + s.get("branch") + " in "
                + text(s.get("enclosing")) + " args=" + arguments(s.get("args")) + " error=" + error(s) + " warning="
                + text(s.get("warning"));
    }

    /** Whether the graph gets the error of a step that works in the background is a race in Jenkins: not compared. */
    private String error(Map<String, Object> s) {
        return BACKGROUND.contains(s.get("step")) ? "?" : text(s.get("error"));
    }

    /** Jenkins does not keep long arguments; one that lists all its many steps is longer than ours. */
    private String arguments(Object args) {
        Map<Object, Object> r = new TreeMap<>((Map<?, ?>) args);
        r.values().removeIf(v -> String.valueOf(v).contains("found among steps ["));
        return text(r);
    }

    /** Maps in order of their keys, at every depth. */
    private static Object sorted(Object o) {
        if (o instanceof Map<?, ?> m) {
            Map<Object, Object> r = new TreeMap<>();
            m.forEach((k, v) -> r.put(k, sorted(v)));
            return r;
        }
        return o instanceof List<?> l ? l.stream().map(i -> i == null ? "null" : sorted(i)).toList() : o;
    }

    private String text(Object o) {
        // A binding as an argument has two forms in the recordings, with the same content [469, 471].
        return normal.line(String.valueOf(sorted(o)).replaceAll("@(string|file)\\(credentialsId=([^,()]*),variable=([^,()]*)\\)",
                Matcher.quoteReplacement("{$") + "$1={credentialsId=$2, variable=$3}}")).replaceAll("\nPossible solutions:[^\n]*", "");
    }

    /** The same lines in the same order; in parallel branches and around a running process the order may differ. */
    void console(List<String> recorded, List<String> ours) {
        List<String> a = normal.log(recorded);
        List<String> b = normal.log(ours);
        if (a.equals(b)) {
            return;
        }
        if (a.stream().anyMatch(l -> l.startsWith("[Pipeline] { (Branch:"))) {
            a.sort(null);
            b.sort(null);
            compare("lines of the log (any order)", a, b);
            return;
        }
        compare("lines of the log", still(a), still(b));
    }

    /** Without floating lines at their place: they are moved to the end; commands of one shell pipe are sorted. */
    private List<String> still(List<String> lines) {
        List<String> fixed = new ArrayList<>();
        List<String> floating = new ArrayList<>();
        for (String l : lines) {
            (FLOATING.contains(l) || l.startsWith("Aborted by") ? floating : fixed).add(l);
        }
        for (int i = 1; i < fixed.size(); i++) {
            if (fixed.get(i).startsWith("+ ") && fixed.get(i - 1).startsWith("+ ") && fixed.get(i).compareTo(fixed.get(i - 1)) < 0) {
                java.util.Collections.swap(fixed, i, i - 1);
                i = Math.max(0, i - 2);
            }
        }
        floating.sort(null);
        fixed.addAll(floating);
        return fixed;
    }

    private void compare(String what, List<String> recorded, List<String> ours) {
        if (recorded.equals(ours)) {
            return;
        }
        int i = 0;
        while (i < recorded.size() && i < ours.size() && recorded.get(i).equals(ours.get(i))) {
            i++;
        }
        Set<String> ourSet = new HashSet<>(ours);
        differences.add(what + ", at " + i + ":\n      recorded: " + at(recorded, i) + "\n      ours:     " + at(ours, i)
                + "\n      missing in ours: " + recorded.stream().filter(l -> !ourSet.contains(l)).limit(4).toList());
    }

    private static String at(List<String> list, int i) {
        return i < list.size() ? list.get(i) : "(nothing)";
    }
}
