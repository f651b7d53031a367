package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput

/** The values of `last9Config`, for all later markers of the build. */
class BuildDefaults implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String VARIABLE = 'LAST9_CONFIG'

    private final Object script

    BuildDefaults(Object script) {
        this.script = script
    }

    /** Adds to earlier defaults; a later value replaces an earlier one. */
    void add(Object[] args) {
        merge(Options.readWithoutBlock(script, 'last9Config', args))
    }

    /** The defaults as the text of a JSON object; null if there are none. */
    @NonCPS
    String json() {
        return BuildVariables.read(script, VARIABLE)
    }

    /** @NonCPS, for Jenkins may turn to another branch, and to its last9Config, between any two CPS calls. */
    @NonCPS
    private void merge(Map<String, Object> options) {
        BuildVariables.write(script, VARIABLE, JsonOutput.toJson((Json.object(json()) ?: [:]) + options))
    }

}
