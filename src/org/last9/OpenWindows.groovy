package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput

/**
 * The build's open manual windows: a stop takes that of its start.
 *
 * They are in build variables: a var's fields differ between calling scripts, and a static does not
 * survive a controller restart, but start and stop may be called through different vars and hours apart.
 * Jenkins may switch to another branch at every CPS call and loop, not only at steps. So methods that read and write are @NonCPS:
 * nothing interrupts them, and each parallel stop closes its own window.
 * Written as `id,startedAtMs,settings,key` words with blanks between, about 90 bytes a window, removed at its stop. The settings that
 * windows began with are mostly the same for all of them, so they are in a second variable, each once.
 */
class OpenWindows implements Serializable {

    private static final long serialVersionUID = 1L

    /** The environment is inherited by every process of the build, so it must stay small. */
    static final int MOST = 50
    private static final int MOST_CHARACTERS = 4000
    private static final String WINDOWS = 'LAST9_OPEN_WINDOWS'
    private static final String SETTINGS = 'LAST9_OPEN_SETTINGS'

    private final Object script

    OpenWindows(Object script) {
        this.script = script
    }

    /** Opens a window of these options. The oldest open one gives way if there are too many: its stop becomes a point. */
    @NonCPS
    Map<String, Object> open(Map options, long startedAtMs, Map settings) {
        Map<String, Object> window = [id: UUID.randomUUID().toString(), startedAtMs: startedAtMs]
        List<String> words = read()
        words.add([window.id, startedAtMs, keepSettings(JsonOutput.toJson(settings)), key(options)].join(','))
        if (words.size() > MOST) {
            words.remove(0)
        }
        write(words)
        return window
    }

    /**
     * Takes the newest open window of the same service, environment and event name: `window` and the `settings` that it began with.
     * Null if there is none.
     */
    @NonCPS
    Map<String, Object> close(Map options) {
        List<String> words = read()
        String suffix = words ? ',' + key(options) : ''
        for (int i = words.size() - 1; i >= 0; i--) {
            if (words[i].endsWith(suffix)) {
                String[] parts = words[i].split(',')
                Map settings = Json.object(BuildVariables.read(script, SETTINGS))
                words.remove(i)
                write(words)
                return [window: [id: parts[0], startedAtMs: parts[1].toLong()], settings: settings == null ? null : settings[parts[2]]]
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

    /** Returns the name under which they are stored. Settings that are too large are not stored: then the stop uses its own environment. */
    @NonCPS
    private String keepSettings(String settings) {
        String all = BuildVariables.read(script, SETTINGS) ?: '{}'
        String name = hash(settings)
        if (!all.contains('"' + name + '":') && all.length() + settings.length() < MOST_CHARACTERS) {
            BuildVariables.write(script, SETTINGS, Json.withText(all, name, settings))
        }
        return name
    }

    @NonCPS
    private List<String> read() {
        List<String> words = []
        for (String word in (BuildVariables.read(script, WINDOWS) ?: '').split(' ')) {
            if (word) {
                words.add(word)
            }
        }
        return words
    }

    @NonCPS
    private void write(List<String> words) {
        BuildVariables.write(script, WINDOWS, words.join(' '))
        if (!words) {
            BuildVariables.write(script, SETTINGS, '')
        }
    }

    /** Two hashes instead of the names: short, and free of blanks, commas and other special characters. */
    @NonCPS
    static String key(Map options) {
        String event = Options.trimmed(options.eventName) ?: 'deployment'
        return hash([Options.trimmed(options.serviceName), Options.trimmed(options.environment), event].join('\n'))
    }

    @NonCPS
    static String hash(String text) {
        return Integer.toString(text.hashCode(), 36) + '/' + Integer.toString(text.reverse().hashCode(), 36)
    }

}
