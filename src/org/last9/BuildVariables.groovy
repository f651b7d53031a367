package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * What the library remembers for the whole build in variables that pipeline code alone can set: seen from every var, also through a team's
 * own library, and after a controller restart.
 *
 * They are written as `env.NAME`, so every process of the build inherits them: keep them small. They are read from `buildVariables`, which has
 * nothing but what was written that way: a build parameter or a `withEnv` of the same name, in whatever case, changes nothing.
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
