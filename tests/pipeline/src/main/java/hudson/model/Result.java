package hudson.model;

import java.io.Serializable;
import java.util.List;

/** Imitation of Jenkins' build result: SUCCESS &lt; UNSTABLE &lt; FAILURE &lt; NOT_BUILT &lt; ABORTED [207]. */
public final class Result implements Serializable {
    private static final long serialVersionUID = 1L;

    public static final Result SUCCESS = new Result("SUCCESS", 0);
    public static final Result UNSTABLE = new Result("UNSTABLE", 1);
    public static final Result FAILURE = new Result("FAILURE", 2);
    public static final Result NOT_BUILT = new Result("NOT_BUILT", 3);
    public static final Result ABORTED = new Result("ABORTED", 4);
    private static final List<Result> ALL = List.of(SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED);

    private final String name;
    public final int ordinal;

    private Result(String name, int ordinal) {
        this.name = name;
        this.ordinal = ordinal;
    }

    /** The result of that name in any case; an unknown name is FAILURE, null a NullPointerException [207]. */
    public static Result fromString(String s) {
        if (s == null) {
            throw new NullPointerException("Cannot invoke \"String.equalsIgnoreCase(String)\" because \"s\" is null");
        }
        return ALL.stream().filter(r -> s.equalsIgnoreCase(r.name)).findFirst().orElse(FAILURE);
    }

    public static boolean isKnown(String s) {
        return s != null && ALL.stream().anyMatch(r -> s.equalsIgnoreCase(r.name));
    }

    /** The worse of the two. */
    public Result combine(Result that) {
        return that == null || ordinal >= that.ordinal ? this : that;
    }

    public boolean isWorseThan(Result that) {
        return ordinal > that.ordinal;
    }

    public boolean isWorseOrEqualTo(Result that) {
        return ordinal >= that.ordinal;
    }

    public boolean isBetterThan(Result that) {
        return ordinal < that.ordinal;
    }

    public boolean isBetterOrEqualTo(Result that) {
        return ordinal <= that.ordinal;
    }

    @Override
    public String toString() {
        return name;
    }

    private Object readResolve() {
        return fromString(name);
    }
}
