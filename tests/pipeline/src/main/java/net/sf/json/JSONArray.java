package net.sf.json;

import java.util.ArrayList;
import java.util.Collection;

/** Imitation: what currentBuild.getBuildCauses() returns [203]. */
public final class JSONArray extends ArrayList<Object> {
    private static final long serialVersionUID = 1L;

    public JSONArray(Collection<?> items) {
        super(items);
    }

    /** json-lib's texts are JSON, and so is what a Pipeline makes of {@code getBuildCauses()} with {@code toString()}. */
    @Override
    public String toString() {
        return groovy.json.JsonOutput.toJson(this);
    }
}
