package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * The build's open manual windows, and the one place where starts and stops are paired.
 *
 * They live in the build's environment: a var's fields differ from calling script to calling script and a static does not
 * survive a controller restart, but start and stop may be called through different vars and hours apart.
 * Jenkins may turn to another branch at every CPS call and loop, not only at steps. What reads and writes is therefore @NonCPS, which
 * nothing interrupts: each parallel stop closes a window of its own.
 * Written as `id,startedAtMs,key` words with blanks between; about 70 bytes a window, removed at its stop.
 */
class OpenWindows implements Serializable {

    private static final long serialVersionUID = 1L

    /** The environment is inherited by every process of the build, so it must stay small. */
    static final int MOST = 50

    private final Object script

    OpenWindows(Object script) {
        this.script = script
    }

    /** Whether the options ask for a start; everything else about the state is the engine's to judge. */
    @NonCPS
    static boolean isStart(Map options) {
        return 'start'.equalsIgnoreCase((String) options.eventState)
    }

    /** Opens a window of these options. The oldest open one gives way when there are too many: its stop becomes a point. */
    @NonCPS
    Map<String, Object> open(Map options, long startedAtMs) {
        Map<String, Object> window = [id: UUID.randomUUID().toString(), startedAtMs: startedAtMs]
        List<String> words = read()
        words.add([window.id, startedAtMs, key(options)].join(','))
        if (words.size() > MOST) {
            words.remove(0)
        }
        write(words)
        return window
    }

    /** Takes the newest open window of the same service, environment and event name; null when there is none. */
    @NonCPS
    Map<String, Object> close(Map options) {
        String suffix = ',' + key(options)
        List<String> words = read()
        for (int i = words.size() - 1; i >= 0; i--) {
            if (words[i].endsWith(suffix)) {
                String[] parts = words[i].split(',')
                words.remove(i)
                write(words)
                return [id: parts[0], startedAtMs: parts[1].toLong()]
            }
        }
        return null
    }

    /** Forgets a window that never was: the engine refused its start. */
    @NonCPS
    void forget(Map window) {
        List<String> kept = []
        for (String word in read()) {
            if (!word.startsWith(window.id + ',')) {
                kept.add(word)
            }
        }
        write(kept)
    }

    @NonCPS
    private List<String> read() {
        List<String> words = []
        for (String word in (script.env.LAST9_OPEN_WINDOWS ?: '').split(' ')) {
            if (word) {
                words.add(word)
            }
        }
        return words
    }

    @NonCPS
    private void write(List<String> words) {
        script.env.LAST9_OPEN_WINDOWS = words.join(' ')
    }

    /** Two hashes instead of the names: short, and free of blanks, commas and whatever else names hold. */
    @NonCPS
    private static String key(Map options) {
        String names = [options.serviceName, options.environment, options.eventName ?: 'deployment'].join('\n')
        return Integer.toString(names.hashCode(), 36) + '/' + Integer.toString(names.reverse().hashCode(), 36)
    }

}
