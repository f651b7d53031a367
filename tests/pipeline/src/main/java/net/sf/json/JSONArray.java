package net.sf.json;

import java.util.ArrayList;
import java.util.Collection;

/** Stand-in: what currentBuild.getBuildCauses() returns [203]. */
public final class JSONArray extends ArrayList<Object> {
    private static final long serialVersionUID = 1L;

    public JSONArray(Collection<?> items) {
        super(items);
    }
}
