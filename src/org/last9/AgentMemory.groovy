package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * What the build knows about the agents of its markers, in statics: all vars of the build share them. A controller restart empties them,
 * which only costs time. All of it is @NonCPS: no abort interrupts it, and no other branch runs in between.
 */
class AgentMemory implements Serializable {

    private static final long serialVersionUID = 1L
    private static final long SILENCE_MILLIS = 120_000

    /** The launchers' texts, so that only a build's first marker reads them from the library (a flow node each time). */
    private static final Map<String, String> TEXTS = [:]
    /** Node and folder → `bundle` (it is there), `code` (hash of the compiled code), `outages` (opaque). */
    private static final Map<String, Map> FOLDERS = [:]
    /** Node → until when it is left alone. */
    private static final Map<String, Long> SILENT = [:]
    private static final Map<String, Boolean> WITHOUT_PYTHON = [:]
    /** Run folders in use; replaced, never changed: the sandbox approves few of a collection's methods. */
    private static List<String> slots = []
    /** Nodes with no Python at all, but curl; replaced as well. */
    private static List<String> servedByCurl = []
    /** When this controller first came here: another moment after a restart. */
    private static long startedAt = 0

    @NonCPS
    static String text(String resource) {
        return TEXTS[resource]
    }

    @NonCPS
    static void keepText(String resource, String text) {
        TEXTS[resource] = text
    }

    @NonCPS
    static Map folder(String key) {
        return FOLDERS[key] ?: [:]
    }

    @NonCPS
    static void keepFolder(String key, Map facts) {
        FOLDERS[key] = facts
    }

    /** The first folder of `prefix` and a number that no marker of this build holds. Give it back. */
    @NonCPS
    static String takeSlot(String prefix) {
        int number = 0
        while (slots.contains(prefix + number)) {
            number++
        }
        slots = slots + [prefix + number]
        return prefix + number
    }

    @NonCPS
    static void giveBackSlot(String slot) {
        List<String> left = []
        for (String used in slots) {
            if (used != slot) {
                left.add(used)
            }
        }
        slots = left
    }

    /** A `sh` on that node did not even end within its limit. */
    @NonCPS
    static void noteSilence(String node) {
        SILENT[node] = System.currentTimeMillis() + SILENCE_MILLIS
    }

    @NonCPS
    static boolean isSilent(String node) {
        return (SILENT[node] ?: 0) > System.currentTimeMillis()
    }

    @NonCPS
    static void noteWithoutPython(String node) {
        WITHOUT_PYTHON[node] = true
    }

    @NonCPS
    static boolean isWithoutPython(String node) {
        return WITHOUT_PYTHON[node] == true
    }

    @NonCPS
    static void noteServedByCurl(String node, boolean isServed) {
        servedByCurl = servedByCurl - [node] + (isServed ? [node] : [])
    }

    @NonCPS
    static boolean isServedByCurl(String node) {
        return servedByCurl.contains(node)
    }

    @NonCPS
    static long controllerStartedAt(long now) {
        startedAt = startedAt ?: now
        return startedAt
    }

}
