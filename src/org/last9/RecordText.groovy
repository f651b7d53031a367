package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput

/**
 * A `BuildRecord` as the JSON text of a build variable: `v`, `settled` (the number up to which all builds have been looked at), `running` (but for
 * these), `open` (this build's windows), `left` (earlier builds and theirs), `commits` (newest last). Every process of the build inherits it.
 */
class RecordText implements Serializable {

    private static final long serialVersionUID = 1L
    private static final int VERSION = 1

    static final int MOST_CHARACTERS = 3000
    /** What others wrote may be longer than what is written here, but not by much. */
    private static final int MOST_READ = 10_000
    /** No record has half as many objects and lists. What is nested thousands deep costs a parser its stack, here and in the engine. */
    private static final int MOST_NESTED = 150
    private static final int MOST_COMMITS = 20

    @NonCPS
    static Map empty() {
        return [v: VERSION, settled: null, running: [], open: [], left: [], commits: [:]]
    }

    /** A record of the right types, from any text; null if it is not one. */
    @NonCPS
    static Map read(Object text) {
        if (!(text instanceof String) || text.length() > MOST_READ || text.replaceAll('[^\\[{]+', '').length() > MOST_NESTED) {
            return null
        }
        Map found = Json.object((String) text)
        if (found?.v != VERSION) {
            return null
        }
        Map record = empty()
        record.settled = found.settled instanceof Integer ? found.settled : null
        for (Object number in list(found.running)) {
            if (number instanceof Integer) {
                record.running.add(number)
            }
        }
        record.open = windows(found.open)
        for (Object build in list(found.left)) {
            if (build instanceof Map && windows(build.open)) {
                record.left.add(build + [open: windows(build.open)])
            }
        }
        if (found.commits instanceof Map) {
            for (Map.Entry entry in found.commits.entrySet()) {
                if (entry.value instanceof String) {
                    record.commits[entry.key] = entry.value
                }
            }
        }
        return record
    }

    /** The text of a record. What does not fit is dropped from the record as well. */
    @NonCPS
    static String write(Map record) {
        record.left = withWindows(record.left)
        while (record.commits.size() > MOST_COMMITS) {
            dropLeast(record)
        }
        String text = JsonOutput.toJson(record)
        while (text.length() > MOST_CHARACTERS && dropLeast(record)) {
            record.left = withWindows(record.left)
            text = JsonOutput.toJson(record)
        }
        return text.length() > MOST_CHARACTERS ? JsonOutput.toJson(empty() + [settled: record.settled]) : text
    }

    /**
     * Drops what is worth least: a commit, a window that stays open anyway, one that can only be paired. Then this build's newest, because it
     * will most likely have its stop; the oldest of earlier builds comes last.
     */
    @NonCPS
    private static boolean dropLeast(Map record) {
        if (record.commits) {
            record.commits.remove(record.commits.keySet().toList()[0]) // the oldest
            return true
        }
        List<Map> among = record.open
        Map newest = null
        Map unrouted = null
        for (Map window in record.open) {
            newest = window
            unrouted = window.o ? unrouted : window
        }
        Map least = unrouted ?: newest
        for (Map build in record.left) {
            for (Map window in build.open) {
                if (window.named || least == null) {
                    among = build.open
                    least = window
                }
            }
        }
        return least != null && among.remove(least)
    }

    @NonCPS
    private static List<Map> withWindows(List<Map> builds) {
        List<Map> kept = []
        for (Map build in builds) {
            if (build.open) {
                kept.add(build)
            }
        }
        return kept
    }

    @NonCPS
    private static List<Map> windows(Object found) {
        List<Map> windows = []
        for (Object window in list(found)) {
            if (window instanceof Map && window.id instanceof String && window.at instanceof Long) {
                windows.add(window)
            }
        }
        return windows
    }

    @NonCPS
    private static List<Object> list(Object found) {
        return found instanceof List ? found : []
    }

}
