package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput
import hudson.util.Secret

/** The attributes that a block sets: looks like a map, holds texts only. */
class DeploymentAttributes implements Serializable {

    private static final long serialVersionUID = 1L
    /** They are saved with the program; Python keeps less of each. */
    private static final int MOST = 100
    private static final int MOST_CHARACTERS = 2000

    private final Map<String, String> texts = [:]
    private final List<String> unread = []

    /** `attributes['image.digest'] = digest`; null leaves a name out of the marker. */
    @NonCPS
    void putAt(Object name, Object value) {
        put(name, value)
    }

    /** `attributes.ticket = 'OPS-1'` */
    @NonCPS
    void setProperty(String name, Object value) {
        put(name, value)
    }

    @NonCPS
    void put(Object name, Object value) {
        String key = name == null ? null : read('the name of an attribute', name)
        if (!key) {
            note('an attribute without a name', 'names are texts')
            return
        }
        if (texts.size() >= MOST && !texts.containsKey(key)) {
            note("attribute '${key}'".toString(), "there are ${MOST} already".toString())
            return
        }
        int before = unread.size()
        String text = read("attribute '${key}'".toString(), value)
        if (unread.size() == before) {
            texts[key] = text
        }
    }

    @NonCPS
    void putAll(Object given) {
        if (!(given instanceof Map)) {
            if (given != null && !(given instanceof DeploymentAttributes)) { // attributes += [:] hands back itself
                note('what was put into attributes', 'it is not a map')
            }
            return
        }
        try {
            for (Map.Entry entry in given.entrySet()) {
                put(entry.key, entry.value)
            }
        } catch (Throwable failure) {
            note('what was put into attributes', failure.message)
        }
    }

    /** `attributes << [ticket: 'OPS-1']` */
    @NonCPS
    DeploymentAttributes leftShift(Object given) {
        putAll(given)
        return this
    }

    /** `attributes += [ticket: 'OPS-1']` */
    @NonCPS
    DeploymentAttributes plus(Object given) {
        putAll(given)
        return this
    }

    @NonCPS
    String getAt(Object name) {
        return get(name)
    }

    /** `attributes.ticket`. No getProperty: the methods here read their own fields by it, in the sandbox. */
    @NonCPS
    String propertyMissing(String name) {
        return get(name)
    }

    @NonCPS
    String get(Object name) {
        return texts[String.valueOf(name)]
    }

    @NonCPS
    Map<String, String> values() {
        return texts
    }

    @NonCPS
    List<String> problems() {
        return unread
    }

    /**
     * A value's text, null for null. What cannot be read without running code of the Jenkinsfile's own (a lazy GString, a class of its own) is noted, and
     * whatever it throws: CpsCallableInvocation is an Error.
     */
    @NonCPS
    String read(String what, Object value) {
        try {
            if (value == null) {
                return null
            }
            if (value instanceof Secret) {
                note(what, 'it is a password, whose value must not be shown')
                return null
            }
            if (value instanceof Closure) {
                note(what, 'it is a closure')
                return null
            }
            Object listed = value instanceof Object[] ? value.toList() : value
            boolean nested = listed instanceof Map || listed instanceof Collection
            String text = nested ? nestedText(listed) : listed.toString()
            return text.length() > MOST_CHARACTERS ? text.substring(0, MOST_CHARACTERS) : text
        } catch (Throwable failure) {
            note(what, failure instanceof Exception ? failure.message : null)
            return null
        }
    }

    @NonCPS
    private static String nestedText(Object value) {
        if (!Options.isPlain(value, 0)) {
            throw new Exception('it holds more than texts, numbers, maps and lists')
        }
        String json = JsonOutput.toJson([value: value])
        return json.substring('{"value":'.length(), json.length() - 1)
    }

    @NonCPS
    private void note(String what, String reason) {
        if (unread.size() < MOST) {
            String shown = (reason ?: 'it needs code of the Jenkinsfile\'s own; put "${…}".toString() there').replaceAll('\\p{Cntrl}+', ' ')
            unread.add("${what} cannot be read and is ignored: ${shown}".toString())
        }
    }

}
