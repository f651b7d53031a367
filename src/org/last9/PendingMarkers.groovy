package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * Markers of this build that Last9 does not have yet, oldest first: `[text:, failures:]`, the text opaque.
 *
 * They may be large, so they are in a static (one for each build, shared by all vars) and not in a build variable. A controller
 * restart empties a static; the count in a build variable survives and shows how many were lost.
 */
class PendingMarkers implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String VARIABLE = 'LAST9_PENDING'

    /** Of a long outage the newest: they all go along with each request. */
    private static final int MOST = 100
    private static final int MOST_CHARACTERS = 400_000

    /** Replaced, never cleared: the sandbox approves no Collection.clear(). */
    private static List<Map> kept = []

    private final Object script

    PendingMarkers(Object script) {
        this.script = script
    }

    /** All of them, now the caller's: no other branch sends the same ones meanwhile. Hand back those that are still pending. */
    List<Map> take() {
        int lost = lostCount()
        if (lost > 0) {
            script.echo "[Last9] WARNING: ${lost} queued deployment marker(s) of this build were lost when the controller restarted. ".toString() +
                'No action is needed; later markers are sent as usual'
        }
        int dropped = dropOldest()
        if (dropped > 0) {
            script.echo "[Last9] WARNING: ${dropped} queued deployment marker(s) of this build were given up, the oldest: ".toString() +
                "no more than ${MOST} (${MOST_CHARACTERS} characters) are queued. The warnings before say why they could not be delivered".toString()
        }
        return takeAll()
    }

    /** Keeps markers for the build's next one. */
    @NonCPS
    void keep(List<Map> markers) {
        if (markers) {
            replace(kept + markers)
            count()
        }
    }

    /** @NonCPS, for Jenkins may turn to another branch between any two CPS calls. */
    @NonCPS
    private List<Map> takeAll() {
        List<Map> taken = kept
        if (taken) {
            replace([])
            count()
        }
        return taken
    }

    /** How many the list is too long by; they are gone. */
    @NonCPS
    private int dropOldest() {
        int from = kept.size()
        int left = MOST_CHARACTERS
        while (from > 0 && kept.size() - from < MOST) {
            left -= kept[from - 1].text.length()
            if (left < 0) {
                break
            }
            from--
        }
        List<Map> newest = []
        for (int i = from; i < kept.size(); i++) {
            newest.add(kept[i])
        }
        if (from > 0) {
            replace(newest)
        }
        return from
    }

    @NonCPS
    private static void replace(List<Map> markers) {
        kept = markers
    }

    @NonCPS
    private int lostCount() {
        int lost = Integer.parseInt(BuildVariables.read(script, VARIABLE) ?: '0') - kept.size()
        if (lost != 0) {
            count()
        }
        return lost
    }

    @NonCPS
    private void count() {
        BuildVariables.write(script, VARIABLE, kept ? kept.size().toString() : '')
    }

}
