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
    private static final int MOST_COMMITS = 20

    @NonCPS
    static Map empty() {
        return [v: VERSION, settled: null, running: [], open: [], left: [], commits: [:]]
    }

    /** A record of the right types, from any text; null if it is not one. */
    @NonCPS
    static Map read(Object text) {
        if (!(text instanceof String) || text.length() > MOST_READ) {
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

    /** What it comes to within its size. */
    @NonCPS
    static String write(Map record) {
        Map kept = record + [left: withWindows(record.left)]
        while (kept.commits.size() > MOST_COMMITS) {
            dropOldestCommit(kept)
        }
        String text = JsonOutput.toJson(kept)
        while (text.length() > MOST_CHARACTERS && dropLeast(kept)) {
            text = JsonOutput.toJson(kept)
        }
        return text.length() > MOST_CHARACTERS ? JsonOutput.toJson(empty() + [settled: record.settled]) : text
    }

    /**
     * Drops what is worth least: a commit, a window that stays open anyway, one that can only be paired. Then this build's newest, because it
     * will most likely have its stop; the oldest of earlier builds comes last.
     */
    @NonCPS
    private static boolean dropLeast(Map record) {
        return dropOldestCommit(record) || dropNamed(record) || dropNewest(record, false) || dropNewest(record, true) || dropOldest(record)
    }

    @NonCPS
    private static boolean dropOldestCommit(Map record) {
        Map<String, String> kept = [:]
        boolean first = true
        for (Map.Entry entry in record.commits.entrySet()) {
            if (!first) {
                kept[entry.key] = entry.value
            }
            first = false
        }
        record.commits = kept
        return !first
    }

    @NonCPS
    private static boolean dropNamed(Map record) {
        for (int i = 0; i < record.left.size(); i++) {
            for (Map window in record.left[i].open) {
                if (window.named) {
                    drop(record, i, window)
                    return true
                }
            }
        }
        return false
    }

    /** Of those that can only be paired with a stop, or of the others. */
    @NonCPS
    private static boolean dropNewest(Map record, boolean withRoute) {
        for (int i = record.open.size() - 1; i >= 0; i--) {
            if ((record.open[i].o != null) == withRoute) {
                record.open = without(record.open, record.open[i])
                return true
            }
        }
        return false
    }

    @NonCPS
    private static boolean dropOldest(Map record) {
        if (!record.left) {
            return false
        }
        drop(record, 0, record.left[0].open[0])
        return true
    }

    @NonCPS
    private static void drop(Map record, int place, Map window) {
        List<Map> builds = []
        for (int i = 0; i < record.left.size(); i++) {
            Map build = record.left[i]
            builds.add(i == place ? build + [open: without(build.open, window)] : build)
        }
        record.left = withWindows(builds)
    }

    @NonCPS
    private static List<Map> without(List<Map> windows, Map window) {
        List<Map> others = []
        for (Map each in windows) {
            if (each.id != window.id) {
                others.add(each)
            }
        }
        return others
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
