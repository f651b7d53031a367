package pipeline.steps;

import groovy.json.JsonSlurperClassic;
import java.io.IOException;
import java.nio.file.Files;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.sf.json.JSONArray;
import net.sf.json.JSONNull;
import net.sf.json.JSONObject;
import org.jenkinsci.plugins.workflow.steps.MissingContextVariableException;
import pipeline.engine.Step;

/** {@code readJSON text: '{}'} or {@code file:} [407]. */
@Step.Named(value = "readJSON", type = "org.jenkinsci.plugins.pipeline.utility.steps.json.ReadJSONStep")
public final class ReadJson extends Step {
    private static final long serialVersionUID = 1L;
    @Arg String text;
    @Arg String file;
    @Arg boolean returnPojo;

    @Override
    public void start() throws IOException, MissingContextVariableException {
        if (file != null && call.context().folder == null) {
            throw new MissingContextVariableException("hudson.FilePath", "readJSON");
        }
        String json = file == null ? text : Files.readString(call.context().file(file));
        Object value = new JsonSlurperClassic().parseText(json);
        call.succeed(returnPojo ? value : jsonLib(value));
    }

    /** As json-lib has it: its own kinds of map and list at every depth, and an object for null (read in its source, not recorded). */
    private static Object jsonLib(Object o) {
        if (o instanceof Map<?, ?> m) {
            Map<String, Object> r = new LinkedHashMap<>();
            m.forEach((k, v) -> r.put(String.valueOf(k), jsonLib(v)));
            return new JSONObject(r);
        }
        if (o instanceof List<?> l) {
            return new JSONArray(l.stream().map(ReadJson::jsonLib).toList());
        }
        return o == null ? JSONNull.getInstance() : o;
    }
}
