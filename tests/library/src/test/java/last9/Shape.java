package last9;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import pipeline.engine.Settings;
import pipeline.run.Pipeline;

/**
 * One row of the shapes table: a Jenkinsfile under {@code src/test/resources/shapes/} whose head says what is done to its build and what comes of it;
 * or an example, whose head stands in {@code examples.txt}. {@code shapes/README.md} explains the words of the head, {@code shapes/words.txt} is what
 * they mean to both judges, this one and {@code tests/controller/}.
 */
final class Shape {
    private static final Path FOLDER = Path.of("src/test/resources/shapes");
    private static final Path EXAMPLES = Path.of("src/test/resources/examples.txt");
    private static final Path TEAM_LIBRARY = Path.of("src/test/resources/team-library");
    private static final Pattern HEAD = Pattern.compile(Words.of("head"));
    private static final Set<String> WORDS = Set.of(Words.of("words").split(" "));
    private static final Pattern DOES = Pattern.compile(Words.of("does"));

    final String name;
    private final String jenkinsfile;
    private final Map<String, List<String>> head = new LinkedHashMap<>();

    private Shape(String name, String jenkinsfile, List<String> lines) {
        this.name = name;
        this.jenkinsfile = jenkinsfile;
        for (String line : lines) {
            Matcher m = HEAD.matcher(line);
            if (m.matches()) {
                if (!WORDS.contains(m.group(1))) {
                    throw new IllegalArgumentException(name + ": there is no word '" + m.group(1) + "' in the head of a shape");
                }
                head.computeIfAbsent(m.group(1), w -> new ArrayList<>()).add(m.group(2).trim());
            }
        }
    }

    /** Every row, in the order of the names. */
    static List<Shape> all() {
        try (Stream<Path> files = Files.list(FOLDER)) {
            List<Shape> shapes = new ArrayList<>();
            for (Path file : files.filter(f -> f.toString().endsWith(".Jenkinsfile")).sorted().toList()) {
                String text = Files.readString(file);
                shapes.add(new Shape(file.getFileName().toString().replace(".Jenkinsfile", ""), text, text.lines().takeWhile(l -> l.startsWith("//")).toList()));
            }
            return shapes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The rows of {@code examples.txt}. */
    static List<Shape> examples() {
        try {
            List<Shape> shapes = new ArrayList<>();
            for (String row : Files.readString(EXAMPLES).split("(?m)^== ")) {
                String name = row.lines().findFirst().orElse("").trim();
                if (!name.startsWith("#")) { // what stands before the first row
                    Path file = LibraryTest.CHECKOUT.resolve("examples/" + name.split(",")[0] + ".Jenkinsfile");
                    shapes.add(new Shape(name, Files.readString(file), row.lines().skip(1).map(l -> "// " + l).toList()));
                }
            }
            return shapes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> said(String word) {
        return head.getOrDefault(word, List.of());
    }

    /** Runs it with that library, plain or with Jenkinsfile and library sandboxed, and says in which points it differs from its head; empty: none. */
    List<String> differences(Path library, boolean sandboxed, Bench bench) {
        FakeLast9 last9 = bench.last9;
        last9.reset();
        Pipeline p = Pipeline.of(jenkinsfile).library("last9", library, !sandboxed).library("team", TEAM_LIBRARY, !sandboxed).sandbox(sandboxed)
                .realTime().env("LAST9_API_BASE_URL", last9.url).credential("last9-refresh-token", last9.refreshToken);
        p.settings().home = bench.home.toString();
        Faults faults = new Faults(last9);
        said("parameter").stream().map(given -> given.split("=", 2)).forEach(named -> p.param(named[0], "true".equals(named[1]) ? Boolean.TRUE : named[1]));
        said("agent").forEach(label -> p.settings().agents.add(new Settings.AgentSpec(label, label, 2)));
        said("does").forEach(d -> order(p, d, faults));
        p.log(faults::seen);
        try (Pipeline.Run run = p.run()) {
            List<String> found = new Expectations(run, last9.received()).differences();
            LibraryTest.assertSilentAbout(last9.refreshToken, run);
            return found.isEmpty() ? found : Stream.concat(found.stream(), Stream.of("the log was:\n" + run.log())).toList();
        }
    }

    /** Faults that are ordered from the fake Last9, each after a text of the log; a request that it delays is waited for, before other events. */
    private static final class Faults {
        private final FakeLast9 last9;
        private final List<Map.Entry<String, String>> later = new ArrayList<>();
        private boolean slow;

        Faults(FakeLast9 last9) {
            this.last9 = last9;
        }

        /** {@code slow}, {@code broken} or {@code well}, after that text; at once if there is none. */
        void order(String what, String after) {
            if (after == null) {
                begin(what);
            } else {
                later.add(Map.entry(after, what));
            }
        }

        private void begin(String what) {
            last9.wellAgain();
            slow = what.equals("slow");
            if (!what.equals("well")) {
                last9.fault(Words.of(what));
            }
        }

        void seen(String line) {
            if (slow && line.startsWith("[Last9] Sending deployment marker")) {
                last9.untilOneWaits();
                slow = false;
            }
            if (!later.isEmpty() && line.contains(later.get(0).getKey())) {
                begin(later.remove(0).getValue());
            }
        }
    }

    private static void order(Pipeline p, String what, Faults faults) {
        Matcher m = DOES.matcher(what);
        if (!m.matches()) {
            throw new IllegalArgumentException("a shape cannot do this: " + what);
        }
        if (m.group(1) != null) {
            boolean after = m.group(2) != null;
            p.settings().happenings.add(new Settings.Happening(m.group(1), null, m.group(3), after ? 0 : Integer.parseInt(m.group(4)), m.group(2)));
        } else if (m.group(5) != null) {
            faults.order(m.group(5), m.group(6));
        } else if (m.group(7) != null) {
            faults.order("well", m.group(7));
        } else {
            p.settings().otherJobs.put(m.group(8), m.group(9));
        }
    }

    /** Holds what came of a build against the head. */
    private final class Expectations {
        private final Pipeline.Run run;
        private final List<Map<String, Object>> received;
        private final List<String> differences = new ArrayList<>();

        Expectations(Pipeline.Run run, List<Map<String, Object>> received) {
            this.run = run;
            this.received = received;
        }

        List<String> differences() {
            compare("result", said("result"), List.of(run.result()));
            compare("marker", said("marker"), markers());
            compare("steps", said("steps"), List.of(Steps.of(run.steps())));
            List<String> warnings = LibraryTest.warnings(run);
            if (warnings.size() != said("warning").size() || !said("warning").stream().allMatch(w -> warnings.stream().anyMatch(l -> l.contains(w)))) {
                differences.add("warning: expected " + said("warning") + ", were " + warnings);
            }
            said("log").stream().filter(l -> !run.console().contains(l)).forEach(l -> differences.add("the log has no line '" + l + "'"));
            said("never").stream().filter(run.console()::contains).forEach(l -> differences.add("the log has the line '" + l + "'"));
            times();
            return differences;
        }

        private void compare(String what, List<String> expected, List<String> were) {
            if (!expected.equals(were)) {
                differences.add(what + ": expected\n  " + String.join("\n  ", expected) + "\nwere\n  " + String.join("\n  ", were));
            }
        }

        /** {@code stop payments-api production 1 failure FAILURE}: state, service, environment, the how-many-th window or -, outcome, result. */
        private List<String> markers() {
            List<Map<String, Object>> events = new ArrayList<>(received);
            if (said("markers").contains("by service")) { // parallel branches: each for itself
                events.sort((a, b) -> service(a).compareTo(service(b)));
            }
            List<Object> ids = new ArrayList<>();
            return events.stream().map(e -> {
                Map<String, Object> a = LibraryTest.attributes(e);
                Object id = a.get("deployment.id");
                if (id != null && !ids.contains(id)) {
                    ids.add(id);
                }
                List<Object> words = new ArrayList<>(List.of(e.get("event_state"), service(e), id == null ? "-" : String.valueOf(ids.indexOf(id) + 1)));
                Stream.of("deployment.outcome", "jenkins.build_result").filter(a::containsKey).map(a::get).forEach(words::add);
                return String.join(" ", words.stream().map(String::valueOf).toList());
            }).toList();
        }

        private static String service(Map<String, Object> event) {
            Map<String, Object> a = LibraryTest.attributes(event);
            return a.get("service_name") + (a.containsKey("env") ? "/" + a.get("env") : "");
        }

        /** Of every window: the stop's duration is exactly the time between its start and itself, by the markers' own timestamps. */
        private void times() {
            Map<Object, Long> starts = new LinkedHashMap<>();
            for (Map<String, Object> e : received) {
                Map<String, Object> a = LibraryTest.attributes(e);
                long at = java.time.Instant.parse(e.get("timestamp").toString()).toEpochMilli();
                Object id = a.get("deployment.id");
                Object duration = a.get("deployment.window_duration_ms");
                if ("start".equals(e.get("event_state"))) {
                    starts.put(id, at);
                } else if (id != null && starts.containsKey(id) && at <= starts.get(id)) {
                    differences.add("window " + id + " stopped when it started, though its start marker took its time");
                } else if (id != null && starts.containsKey(id) && !String.valueOf(at - starts.get(id)).equals(duration)) {
                    differences.add("window " + id + " lasted " + (at - starts.get(id)) + " ms, its stop says " + duration);
                } else if (id == null && duration != null) {
                    differences.add("a point has a duration: " + duration);
                }
            }
        }
    }
}
