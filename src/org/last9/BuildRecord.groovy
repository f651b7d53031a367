package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput

/**
 * What later builds of the job must know about this one: its open windows with the data for their stops, the windows of earlier builds, and the
 * commit that was deployed last to each service and environment. One build variable, 3 kB at most, because every process of the build inherits it.
 *
 * Only builds that `previousCompletedBuild` returns are over: a running build may have any result. A record is data from the author of that build's
 * Jenkinsfile: an invalid one is ignored, and the engine checks its values.
 * All of it is @NonCPS: no abort interrupts it, and no other branch runs in between. A failure here must not fail a deployment or lose a marker.
 */
class BuildRecord implements Serializable {

    private static final long serialVersionUID = 1L
    private static final String VARIABLE = 'LAST9_RECORD'

    /** With what their stop needs. */
    private static final int MOST_WINDOWS = 10
    private static final int LONGEST_WINDOW = 1000
    /** Earlier builds that are looked at: about 6 ms each if Jenkins must load them. */
    private static final int MOST_BUILDS = 10

    /** A marker of this build is closing what earlier builds left open. */
    private static boolean closing = false
    /** The variable's text as it was read or written last, and what it says: reading it anew would cost each marker some 200 operations. */
    private static String knownText = null
    private static Map known = null

    private final Object script

    BuildRecord(Object script) {
        this.script = script
    }

    /**
     * A marker is about to go out: what its request says of earlier builds, `leftOpen` and `lastCommit`. Give the same back to `after`. Its window is
     * open from here on, because the start may arrive although no answer does.
     */
    @NonCPS
    Map<String, Object> before(Map marker, Map settings) {
        Map<String, Object> found = [:]
        if (settings.dryRun) {
            return found
        }
        try {
            Map record = current()
            if (marker.state == 'start' && marker.window) {
                open(record, marker, settings)
                settings.remove('recorded') // else it would be saved with the program
                write(record)
            }
            String commit = record.commits ? record.commits[OpenWindows.hash((String) settings.deployedTo)] : null
            if (commit) {
                found.lastCommit = commit
            }
            List<Map> left = closing || marker.afterAbort ? [] : entries(record.left)
            if (left) {
                noteClosing(true)
                found.leftOpen = left
            }
        } catch (Throwable ignored) { // what is remembered is never worth a failed deployment
            note(null, null)
        }
        return found
    }

    /** Its result. `settled`: ids of windows whose stop needs no further attempt; `tried`: the id of the one whose stop was tried without success. */
    @NonCPS
    void after(Map marker, Map settings, Map asked, Map answer, List<String> settled, String tried) {
        if (settings.dryRun) {
            return
        }
        try {
            List<Map> leftOpen = asked.leftOpen
            if (leftOpen) {
                noteClosing(false)
            }
            boolean refused = marker.state == 'start' && answer?.accepted == false
            Object commit = answer?.commit
            Map record = refused || settled || tried || leftOpen || commit instanceof String ? own() : null // else nothing changes
            if (record == null) {
                return
            }
            record.open = without(record.open, refused ? settled + [marker.window?.id] : settled)
            for (Map window in record.open) {
                if (window.id == tried) {
                    window.stop = marker.timestampMs
                }
            }
            if (leftOpen && answer?.leftOpen instanceof Map) {
                settle(record, leftOpen, answer.leftOpen)
            }
            if (commit instanceof String) {
                String place = OpenWindows.hash((String) settings.deployedTo)
                record.commits.remove(place) // the newest is the last one
                record.commits[place] = commit
            }
            write(record)
        } catch (Throwable ignored) { // as above
            note(null, null)
        }
    }

    /**
     * A manual stop whose start is not this build's: the newest open manual window of these options that an earlier build left, as
     * `[id:, startedAtMs:]`. It is this build's own from now on, unless a dry run only looks. Null if there is none.
     */
    @NonCPS
    Map<String, Object> adopt(Map options, boolean dryRun) {
        try {
            Map record = current()
            Map newest = null
            String key = record.left ? OpenWindows.key(options) : null
            for (Map build in record.left) {
                for (Map window in build.open) {
                    if (window.manual && window.key == key) {
                        newest = window
                    }
                }
            }
            if (newest != null && !dryRun) {
                for (Map build in record.left) {
                    build.open = without(build.open, [newest.id])
                }
                newest.remove('named')
                record.open = record.open + [newest]
                write(record)
            }
            return newest == null ? null : [id: newest.id, startedAtMs: newest.at]
        } catch (Throwable ignored) { // as above
            note(null, null)
        }
        return null
    }

    @NonCPS
    private static void noteClosing(boolean now) {
        closing = now
    }

    // -- this build ------------------------------------------------------------------------------------------------------------

    /** The record, with the windows of earlier builds if no build has looked before. */
    @NonCPS
    private Map current() {
        Map record = own()
        if (record?.settled == null) {
            record = record ?: RecordText.empty()
            lookBack(record)
            record.settled = script.currentBuild.number - 1
            write(record)
        }
        return record
    }

    @NonCPS
    private void open(Map record, Map marker, Map settings) {
        Map window = marker.window
        if (settings.recorded == null) { // its start is sent a second time
            return
        }
        Map entry = [id: window.id, at: window.startedAtMs]
        if (script.env.NODE_NAME) {
            entry.node = script.env.NODE_NAME
        }
        if (marker.key) {
            entry.manual = true
            entry.key = marker.key
        }
        boolean fits = record.open.size() < MOST_WINDOWS && JsonOutput.toJson(settings.recorded).length() <= LONGEST_WINDOW
        if (fits) {
            entry.o = settings.recorded
        }
        if (fits || entry.manual) { // what has neither route nor key could be neither closed nor paired
            record.open = record.open + [entry]
        }
    }

    /** Takes out what is closed, and marks what the log has named. */
    @NonCPS
    private static void settle(Map record, List<Map> asked, Map answer) {
        List<String> closed = []
        List<String> named = []
        for (int i = 0; i < asked.size(); i++) {
            if (answer.closed?.contains(i)) {
                closed.add(asked[i].open.id)
            } else if (answer.named?.contains(i)) {
                named.add(asked[i].open.id)
            }
        }
        List<Map> left = []
        for (Map build in record.left) {
            build.open = without(build.open, closed)
            for (Map window in build.open) {
                if (named.contains(window.id)) {
                    window.named = true
                }
            }
            if (build.open) {
                left.add(build)
            }
        }
        record.left = left
    }

    /** Each window as the contract has it; those without a route only wait for their stop. */
    @NonCPS
    private static List<Map> entries(List<Map> builds) {
        List<Map> entries = []
        for (Map build in builds) {
            for (Map window in build.open) {
                if (window.o) {
                    entries.add(build + [node: window.node, open: window])
                }
            }
        }
        return entries
    }

    @NonCPS
    private static List<Map> without(List<Map> windows, List<String> ids) {
        List<Map> kept = []
        for (Map window in windows) {
            if (!ids.contains(window.id)) {
                kept.add(window)
            }
        }
        return kept
    }

    // -- earlier builds --------------------------------------------------------------------------------------------------------

    /**
     * Back to the first build that has a record: it has looked at all before it but those that ran at that time, which are looked at now if they are
     * over. Each build that runs is noted for the builds to come.
     */
    @NonCPS
    private void lookBack(Map record) {
        List<Integer> running = []
        Object build = script.currentBuild.previousBuildInProgress
        while (build != null && running.size() < MOST_BUILDS) {
            running.add(build.number) // one that ends from here on is looked at twice, which does no harm
            build = build.previousBuildInProgress
        }
        List<Integer> wanted = null
        int looked = 0
        build = script.currentBuild.previousCompletedBuild
        while (build != null && looked < MOST_BUILDS) {
            looked++
            int number = build.number
            if (wanted == null || wanted.contains(number)) {
                Map theirs = RecordText.read(build.buildVariables[VARIABLE])
                if (theirs != null) {
                    takeOver(record, build, theirs)
                    wanted = wanted == null && theirs.settled == number - 1 ? theirs.running : wanted
                }
            }
            build = wanted == null || reaches(wanted, number) ? build.previousCompletedBuild : null
        }
        record.running = running
    }

    @NonCPS
    private static boolean reaches(List<Integer> wanted, int number) {
        for (int each in wanted) {
            if (each < number) {
                return true
            }
        }
        return false
    }

    @NonCPS
    private static void takeOver(Map record, Object build, Map theirs) {
        List<Map> left = theirs.left
        if (theirs.open) {
            left = left + [[build: build.number, job: build.fullProjectName, url: url(build), result: build.result,
                            endedMs: build.startTimeInMillis + build.duration, open: theirs.open]]
        }
        List<String> known = []
        for (Map each in record.left) {
            for (Map window in each.open) {
                known.add(window.id)
            }
        }
        for (Map each in left) {
            each.open = without(each.open, known)
        }
        record.left = left + record.left // oldest first
        record.commits = theirs.commits + record.commits
    }

    /** A controller may not know its own address. */
    @NonCPS
    private static String url(Object build) {
        try {
            return build.absoluteUrl
        } catch (Exception ignored) { // as above
            return null
        }
    }

    @NonCPS
    private Map own() {
        String text = script.currentBuild.buildVariables[VARIABLE]
        if (known == null || text != knownText) {
            note(text, RecordText.read(text))
        }
        return known
    }

    @NonCPS
    private void write(Map record) {
        String text = RecordText.write(record)
        if (text != knownText) {
            script.env."${VARIABLE}" = text
        }
        note(text, record)
    }

    @NonCPS
    private static void note(String text, Map record) {
        knownText = text
        known = record
    }

}
