package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * Markers of this build that Last9 does not have yet, oldest first, each an opaque text of the contract.
 *
 * They may be large, so they live in a static (one for each build, shared by all vars) and not in the environment. A controller
 * restart empties a static; the count in the environment survives and tells what was lost.
 */
class Undelivered implements Serializable {

    private static final long serialVersionUID = 1L

    /** Of a long outage the newest: they all go along with each request. */
    private static final int MOST = 100
    private static final int MOST_CHARACTERS = 400_000

    /** Replaced, never cleared: the sandbox approves no Collection.clear(). */
    private static List<String> kept = []

    private final Object script

    Undelivered(Object script) {
        this.script = script
    }

    /** All of them, now the caller's: no other branch sends the same ones meanwhile. Hand back what stays undelivered. */
    List<String> take() {
        int lost = lostCount()
        if (lost > 0) {
            script.echo "[Last9] WARNING: ${lost} undelivered deployment marker(s) of this build were lost when the ".toString() +
                'controller restarted. Nothing is left to do; what happens from here on is sent as usual'
        }
        int dropped = dropOldest()
        if (dropped > 0) {
            script.echo "[Last9] WARNING: ${dropped} undelivered deployment marker(s) of this build were given up, the oldest: ".toString() +
                "no more than ${MOST} (${MOST_CHARACTERS} characters) are kept. The warnings before say why they could not be delivered".toString()
        }
        return takeAll()
    }

    /** Keeps markers for the build's next one. */
    @NonCPS
    void keep(List<String> markers) {
        replace(kept + markers)
        count()
    }

    /** @NonCPS, for Jenkins may turn to another branch between any two CPS calls. */
    @NonCPS
    private List<String> takeAll() {
        List<String> taken = kept
        replace([])
        count()
        return taken
    }

    /** How many the list is too long by; they are gone. */
    @NonCPS
    private int dropOldest() {
        int before = kept.size()
        replace(Newest.of(kept, MOST, MOST_CHARACTERS))
        count()
        return before - kept.size()
    }

    @NonCPS
    private static void replace(List<String> markers) {
        kept = markers
    }

    @NonCPS
    private int lostCount() {
        int lost = Integer.parseInt(script.env.LAST9_UNDELIVERED ?: '0') - kept.size()
        count()
        return lost
    }

    @NonCPS
    private void count() {
        String counted = kept ? kept.size().toString() : ''
        if ((script.env.LAST9_UNDELIVERED ?: '') != counted) {
            script.env.LAST9_UNDELIVERED = counted
        }
    }

}
