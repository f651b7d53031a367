package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonException
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

/** JSON objects as text, and read into plain maps and lists: JsonSlurper's own maps are lazy and cannot be serialized. */
class Json implements Serializable {

    private static final long serialVersionUID = 1L

    /** The JSON object in the text, or null if there is none: a broken text, another kind of value. */
    @NonCPS
    static Map<String, Object> object(String text) {
        if (!text) {
            return null
        }
        try {
            Object parsed = new JsonSlurper().parseText(text)
            return parsed instanceof Map ? plainMap(parsed) : null
        } catch (JsonException | IllegalArgumentException ignored) { // the callers know the remedy, which is the same for every mistake
            return null
        }
    }

    /** The text of a JSON object with more in it; a later key of the same name wins. What was text already is not read again. */
    @NonCPS
    static String with(String json, Map more) {
        String added = JsonOutput.toJson(more)
        return json == '{}' ? added : added == '{}' ? json : json.substring(0, json.length() - 1) + ',' + added.substring(1)
    }

    /** The same for one more key whose value is JSON text. */
    @NonCPS
    static String withText(String json, String key, String value) {
        return json.substring(0, json.length() - 1) + (json == '{}' ? '"' : ',"') + key + '":' + value + '}'
    }

    /** Copied whole first: then only what is nested costs the sandbox more than one operation. */
    @NonCPS
    private static Map<String, Object> plainMap(Map parsed) {
        Map<String, Object> copy = [:] + parsed
        for (Map.Entry entry in copy.entrySet()) {
            Object value = entry.value
            if (value instanceof Map) {
                copy[entry.key] = plainMap(value)
            } else if (value instanceof List) {
                copy[entry.key] = plainList(value)
            }
        }
        return copy
    }

    @NonCPS
    private static List<Object> plainList(List parsed) {
        List<Object> copy = []
        for (Object item in parsed) {
            copy.add(item instanceof Map ? plainMap(item) : item instanceof List ? plainList(item) : item)
        }
        return copy
    }

}
