package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * Data of the library for the whole build, in variables that only pipeline code can set. Every var sees them, also through a team's
 * own library and after a controller restart.
 *
 * They are written as `env.NAME`, so every process of the build inherits them: keep them small. They are read from `buildVariables`, which has
 * only variables that were written that way: a build parameter or a `withEnv` of the same name, in upper or lower case, changes nothing.
 */
class BuildVariables implements Serializable {

    private static final long serialVersionUID = 1L

    @NonCPS
    static String read(Object script, String name) {
        try {
            return script.currentBuild.buildVariables[name]
        } catch (Exception ignored) { // what is remembered is never worth a failed deployment
            return null
        }
    }

    /** Jenkins saves the build with every write, so nothing is written twice. */
    @NonCPS
    static void write(Object script, String name, String value) {
        if (read(script, name) != value) {
            script.env."${name}" = value
        }
    }

}
