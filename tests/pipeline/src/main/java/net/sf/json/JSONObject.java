package net.sf.json;

import java.util.LinkedHashMap;
import java.util.Map;

/** Imitation: one cause in what currentBuild.getBuildCauses() returns [203]. */
public final class JSONObject extends LinkedHashMap<String, Object> {
    private static final long serialVersionUID = 1L;

    public JSONObject(Map<String, ?> values) {
        super(values);
    }

    /** json-lib's texts are JSON, and so is what a Pipeline makes of {@code getBuildCauses()} with {@code toString()}. */
    @Override
    public String toString() {
        return groovy.json.JsonOutput.toJson(this);
    }
}
