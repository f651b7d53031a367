package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * What happened to this build's markers, each an opaque text of the contract, oldest first: what the report is made of.
 *
 * Too much for the environment, so it lives in a static (one for each build, shared by all vars), bounded in number and size. A controller
 * restart empties a static; one word in a build variable survives and tells that there was something.
 */
class Records implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String VARIABLE = 'LAST9_RECORDED'

    /** 500 windows. */
    private static final int MOST = 1000
    private static final int MOST_CHARACTERS = 1000000

    /** Replaced, never cleared: the sandbox approves no Collection.clear(). */
    private static List<String> kept = []
    /** How many had to give way to later ones. */
    private static int dropped = 0
    private static boolean lost = false

    private final Object script

    Records(Object script) {
        this.script = script
    }

    /** Adds what the engine said of one run; null where it said nothing. @NonCPS, for Jenkins may turn to another branch at any CPS call. */
    @NonCPS
    void add(List<String> texts) {
        if (texts) {
            keep(texts, BuildVariables.read(script, VARIABLE) != null)
            BuildVariables.write(script, VARIABLE, 'true')
        }
    }

    /** Everything for the report's request: `records`, and where something is missing `recordsLost` (by a restart) and `recordsDropped`. */
    @NonCPS
    Map<String, Object> all() {
        keep([], BuildVariables.read(script, VARIABLE) != null)
        Map<String, Object> all = [records: kept]
        if (lost) {
            all.recordsLost = true
        }
        if (dropped > 0) {
            all.recordsDropped = dropped
        }
        return all
    }

    @NonCPS
    private static void keep(List<String> texts, boolean recordedBefore) {
        lost = lost || recordedBefore && !kept
        List<String> all = kept + texts
        kept = Limits.keepNewest(all, MOST, MOST_CHARACTERS)
        dropped += all.size() - kept.size()
    }

}
