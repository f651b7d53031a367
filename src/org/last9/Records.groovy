package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * What happened to this build's markers, each an opaque text of the contract, oldest first: the data of the report.
 *
 * They are too large for the environment, so they are in a static (one for each build, shared by all vars), limited in number and size. A
 * controller restart empties a static; one word in a build variable survives and shows that there were records.
 */
class Records implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String VARIABLE = 'LAST9_RECORDED'

    /** 500 windows. */
    private static final int MOST = 1000
    private static final int MOST_CHARACTERS = 1000000

    private static List<String> kept = []
    private static int characters = 0
    /** That there is something the build variable says already. */
    private static boolean noted = false
    /** How many had to give way to later ones. */
    private static int dropped = 0
    private static boolean lost = false

    private final Object script

    Records(Object script) {
        this.script = script
    }

    /** Adds the engine's records of one run; null if there are none. @NonCPS, because Jenkins may switch to another branch at any CPS call. */
    @NonCPS
    void add(List<String> texts) {
        if (texts) {
            if (!noted) {
                note(isRecorded())
                BuildVariables.write(script, VARIABLE, 'true')
            }
            keep(texts)
        }
    }

    /** Everything for the report's request: `records`, and if some are missing `recordsLost` (by a restart) and `recordsDropped`. */
    @NonCPS
    Map<String, Object> all() {
        Map<String, Object> all = [records: kept]
        if (noted ? lost : isRecorded()) {
            all.recordsLost = true
        }
        if (dropped > 0) {
            all.recordsDropped = dropped
        }
        return all
    }

    @NonCPS
    private boolean isRecorded() {
        return BuildVariables.read(script, VARIABLE) != null
    }

    @NonCPS
    private static void note(boolean recordedBefore) {
        lost = recordedBefore
        noted = true
    }

    /** The oldest give way. No loop over all of them: each marker of a long build would cost more than the one before. */
    @NonCPS
    private static void keep(List<String> texts) {
        for (String text in texts) {
            characters += text.length()
        }
        kept = kept + texts
        while (kept.size() > MOST || characters > MOST_CHARACTERS) {
            characters -= kept.remove(0).length()
            dropped++
        }
    }

}
