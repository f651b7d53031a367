package last9;

import java.util.function.Function;
import pipeline.run.Pipeline;

/** The shapes of markers that are priced: a Jenkinsfile, and the same without the part in question. */
enum CostShape {
    TRUE("`sh 'true'`", "node { sh 'true' }", "node { }"),
    WARM("a marker", "node { MARKER MARKER }", "node { MARKER }"),
    FIRST("a build's first, which brings the bundle", "node { MARKER }", "node { }"),
    WINDOW("a window around `echo`", "node { MARKER WINDOW { } WINDOW { echo 'x' } }", "node { MARKER WINDOW { } }"),
    NO_NODE("a marker outside of any node", "node { MARKER }\nMARKER", "node { MARKER }"),
    DRY("a marker, dry run", "node { MARKER DRY DRY }", "node { MARKER DRY }");

    private static final String OPTIONS = "serviceName: 'payments-api', environment: 'production'";

    final String title;
    private final String steps;
    private final String without;

    CostShape(String title, String steps, String without) {
        this.title = title;
        this.steps = text(steps);
        this.without = text(without);
    }

    private static String text(String steps) {
        return steps.replace("MARKER", "last9DeploymentMarker " + OPTIONS + "\n").replace("DRY", "last9DeploymentMarker " + OPTIONS + ", dryRun: true\n")
                .replace("WINDOW", "\nwithLast9Deployment(" + OPTIONS + ") ");
    }

    /** Counts it in the sandbox; all but a build's first marker finds its classes loaded, so those of a trusted library are counted for that one only. */
    Cost count() {
        Cost sandboxed = count(CostTest::sandboxed);
        return this == FIRST ? sandboxed.withTrusted(count(LibraryTest::pipeline)) : sandboxed;
    }

    private Cost count(Function<String, Pipeline> pipeline) {
        try (var run = pipeline.apply(steps).run(); var other = pipeline.apply(without).run()) {
            if (!"SUCCESS".equals(run.result()) || run.log().contains("[Last9] WARNING")) {
                throw new IllegalStateException("nothing to count: " + run.log());
            }
            return Cost.of(run).minus(Cost.of(other));
        }
    }
}
