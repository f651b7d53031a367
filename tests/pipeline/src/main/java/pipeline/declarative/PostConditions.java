package pipeline.declarative;

import hudson.model.Result;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException;
import pipeline.engine.Build;
import pipeline.engine.BuildState;
import pipeline.engine.Settings;

/**
 * When post conditions hold. Each is judged when its turn comes, by the worst of the build's result, of what interrupted the
 * execution, of the error in hand and of what steps such as {@code unstable} have said of the stage [301-307, 314, 316].
 */
public final class PostConditions {
    /** In the order they are tried: aborted before unsuccessful [304]. */
    private static final List<String> ORDER = List.of("always", "changed", "fixed", "regression", "aborted", "success", "unsuccessful",
            "unstable", "failure", "notBuilt", "cleanup");

    private PostConditions() {}

    public static List<String> names() {
        return ORDER;
    }

    /** Whether any block of them would run; unlike their own turn, this looks at no stage. */
    public static boolean any(Map<String, ?> post, Throwable error) {
        return post != null && ORDER.stream().anyMatch(name -> post.containsKey(name) && met(name, error, null));
    }

    public static boolean met(String name, Throwable error, String stage) {
        Result now = combined(error, stage);
        return switch (name) {
            case "always", "cleanup" -> true;
            case "changed" -> previous() == null || combined(error, null) != previous();
            case "fixed" -> combined(error, null) == Result.SUCCESS && (previous() == Result.FAILURE || previous() == Result.UNSTABLE);
            case "regression" -> previous() != null && combined(error, null).isWorseThan(previous());
            case "aborted" -> now == Result.ABORTED;
            case "success" -> now == Result.SUCCESS;
            case "unsuccessful" -> now != Result.SUCCESS;
            case "unstable" -> now == Result.UNSTABLE;
            case "failure" -> now == Result.FAILURE;
            case "notBuilt" -> now == Result.NOT_BUILT;
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static Result previous() {
        Settings s = Build.current().settings();
        Result r = null;
        for (Settings.Earlier e : s.earlierBuilds()) {
            r = e.number() < s.number && !e.running() ? Result.fromString(e.result()) : r;
        }
        return r;
    }

    /** The result as it stands with this error, within that stage (null: wherever). */
    private static Result combined(Throwable error, String stage) {
        BuildState state = Build.current().state();
        Result own = Result.SUCCESS;
        if (error != null) {
            own = error instanceof FlowInterruptedException f ? f.getResult() : Result.FAILURE;
        } else if (stage != null) {
            own = worstWarning(stage);
        }
        return own.combine(state.execution).combine(state.result == null ? Result.SUCCESS : state.result);
    }

    /** What {@code unstable}, {@code catchError(stageResult: ..)} and the like have noted in the stage this code runs in. */
    private static Result worstWarning(String stage) {
        Build build = Build.current();
        List<String> here = build.currentThread().context().enclosing;
        List<String> inStage = here.subList(0, here.lastIndexOf("stage:" + stage) + 1);
        Result worst = Result.SUCCESS;
        for (Map.Entry<List<String>, Result> w : build.graph().warnings()) {
            List<String> place = w.getKey();
            if (place.size() >= inStage.size() && place.subList(0, inStage.size()).equals(inStage)) {
                worst = worst.combine(w.getValue());
            }
        }
        return worst;
    }

    /**
     * Lets {@code currentBuild} show the result as it stands while a condition's block runs [204]. Returns what {@link #hide} needs.
     */
    public static Shown show(Throwable error, String stage) {
        BuildState state = Build.current().state();
        Shown s = new Shown(state.result, combined(error, stage));
        state.result = s.shown;
        return s;
    }

    /** Takes it back afterwards, unless the block has changed it: the build's own result is set at its end. */
    public static void hide(Shown s) {
        BuildState state = Build.current().state();
        if (Objects.equals(state.result, s.shown)) {
            state.result = s.before;
        }
    }

    /** A result that was set for a while. */
    public static final class Shown implements java.io.Serializable {
        private static final long serialVersionUID = 1L;
        private final Result before;
        private final Result shown;

        Shown(Result before, Result shown) {
            this.before = before;
            this.shown = shown;
        }
    }
}
