package pipeline.steps;

import groovy.json.JsonSlurperClassic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.sf.json.JSONArray;
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
    @SuppressWarnings("unchecked")
    public void start() throws IOException, MissingContextVariableException {
        if (file != null && call.context().folder == null) {
            throw new MissingContextVariableException("hudson.FilePath", "readJSON");
        }
        String json = file == null ? text : Files.readString(Path.of(call.context().folder).resolve(file));
        Object value = new JsonSlurperClassic().parseText(json);
        call.succeed(returnPojo ? value : value instanceof Map<?, ?> m ? new JSONObject((Map<String, ?>) m)
                : value instanceof List<?> l ? new JSONArray(l) : value);
    }
}
