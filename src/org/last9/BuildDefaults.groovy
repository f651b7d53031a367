package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput

/**
 * What `last9Config` said, for every later marker of the build.
 *
 * Kept in the build's environment: it must be seen from every var, also through a team's own library, and after a controller restart.
 */
class BuildDefaults implements Serializable {

    private static final long serialVersionUID = 1L

    private final Object script

    BuildDefaults(Object script) {
        this.script = script
    }

    /** Adds to what was said before; what is said twice counts as said last. */
    void add(Object[] given) {
        merge(Options.alone(script, 'last9Config', given))
    }

    /** The defaults by option name; empty when there are none. */
    @NonCPS
    Map<String, Object> read() {
        return Json.object((String) script.env.LAST9_CONFIG) ?: [:]
    }

    /** @NonCPS, for Jenkins may turn to another branch, and to its last9Config, between any two CPS calls. */
    @NonCPS
    private void merge(Map<String, Object> given) {
        script.env.LAST9_CONFIG = JsonOutput.toJson(read() + given)
    }

}
