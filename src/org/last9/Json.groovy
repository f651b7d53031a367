package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonException
import groovy.json.JsonSlurper

/** Reads JSON into plain maps and lists. JsonSlurper's own maps are lazy and cannot be serialized (NotSerializableException at the next step). */
class Json implements Serializable {

    private static final long serialVersionUID = 1L

    /** The JSON object in the text, or null where there is none: a broken text, another kind of value. */
    @NonCPS
    static Map<String, Object> object(String text) {
        if (!text) {
            return null
        }
        try {
            Object parsed = new JsonSlurper().parseText(text)
            return parsed instanceof Map ? plain(parsed) : null
        } catch (JsonException | IllegalArgumentException ignored) { // the callers know the remedy, which is the same for every mistake
            return null
        }
    }

    @NonCPS
    private static Object plain(Object parsed) {
        if (parsed instanceof Map) {
            Map<String, Object> copy = [:]
            for (Map.Entry entry in parsed.entrySet()) {
                copy[entry.key.toString()] = plain(entry.value)
            }
            return copy
        }
        if (parsed instanceof List) {
            List<Object> copy = []
            for (Object item in parsed) {
                copy.add(plain(item))
            }
            return copy
        }
        return parsed
    }

}
