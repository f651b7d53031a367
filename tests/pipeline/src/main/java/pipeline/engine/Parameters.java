package pipeline.engine;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code params} is: an unmodifiable map; a password parameter is a Secret in it [201]. */
final class Parameters {
    private Parameters() {}

    static Map<String, Object> of(Build build) {
        return Collections.unmodifiableMap(new LinkedHashMap<>(build.settings().parameters));
    }
}
