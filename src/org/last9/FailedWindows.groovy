package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * How many of the build's blocks have failed so far: a failure that one window has reported is not another window's.
 *
 * Declarative shows a failed stage's result to the whole build while that stage's `post` runs (older versions from then on), so a block in a
 * parallel stage sees the FAILURE of its siblings.
 * Kept in the build's environment, seen from every var and after a controller restart.
 */
class FailedWindows implements Serializable {

    private static final long serialVersionUID = 1L

    private final Object script

    FailedWindows(Object script) {
        this.script = script
    }

    @NonCPS
    int count() {
        String counted = script.env.LAST9_FAILED_WINDOWS ?: ''
        return counted.isInteger() ? Integer.parseInt(counted) : 0
    }

    @NonCPS
    void add() {
        script.env.LAST9_FAILED_WINDOWS = (count() + 1).toString()
    }

}
