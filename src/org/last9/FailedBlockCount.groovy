package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * How many of the build's blocks have failed so far: a failure that one window has reported is not another window's.
 *
 * Declarative shows a failed stage's result to the whole build while that stage's `post` runs (older versions from then on), so a block in a
 * parallel stage sees the FAILURE of its siblings.
 */
class FailedBlockCount implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String VARIABLE = 'LAST9_FAILED_BLOCKS'

    private final Object script

    FailedBlockCount(Object script) {
        this.script = script
    }

    @NonCPS
    int count() {
        String counted = BuildVariables.read(script, VARIABLE) ?: ''
        return counted.isInteger() ? Integer.parseInt(counted) : 0
    }

    @NonCPS
    void add() {
        BuildVariables.write(script, VARIABLE, (count() + 1).toString())
    }

}
