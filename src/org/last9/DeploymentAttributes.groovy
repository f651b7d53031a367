package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput
import hudson.util.Secret

/**
 * The attributes that a block sets: a map of texts. Each value becomes a text at once. If it cannot, the reason is stored instead,
 * after `Deployment.PROBLEM`.
 *
 * It has no field and no constant: in the sandbox every property of a map is an entry, even in its own methods.
 */
class DeploymentAttributes extends HashMap<Object, Object> {

    private static final long serialVersionUID = 1L
    /** Takes any value in any way: `['image.digest'] = …`, `.ticket = …`. null removes a name from the marker. Nothing is thrown. */
    @NonCPS
    @Override
    Object put(Object name, Object value) {
        String key = text(name) ?: Deployment.PROBLEM + 'an attribute without a name is ignored'
        boolean fits = size() < Deployment.MOST_ATTRIBUTES || containsKey(key)
        return super.put(fits ? key : Deployment.PROBLEM + 'more than 100 attributes are ignored', text(value))
    }

    @NonCPS
    @Override
    void putAll(Map given) {
        try {
            for (Map.Entry entry in given.entrySet()) {
                put(entry.key, entry.value)
            }
        } catch (Throwable ignored) { // a map of the Jenkinsfile's own
            put(Deployment.PROBLEM + 'the attributes cannot be read and are ignored', null)
        }
    }

    @NonCPS
    @Override
    Object get(Object name) {
        return super.get(text(name))
    }

    /**
     * A value's text, null for null, or the reason why there is none: what needs code of the Jenkinsfile's own (a lazy GString, a class of
     * its own) cannot be read here. Catches all that throws: CpsCallableInvocation is an Error.
     */
    @NonCPS
    static String text(Object value) {
        try {
            if (value == null || value instanceof String && value.length() <= Deployment.MOST_CHARACTERS) {
                return value
            }
            if (value instanceof Secret) {
                return Deployment.PROBLEM + 'it is a password, whose value must not be shown'
            }
            Object listed = value instanceof Object[] ? value.toList() : value
            boolean nested = listed instanceof Map || listed instanceof Collection
            if (listed instanceof Closure || nested && !Options.isPlain(listed, 0)) {
                return Deployment.PROBLEM + 'it holds more than texts, numbers, maps and lists'
            }
            String text = nested ? JsonOutput.toJson([v: listed]) : listed.toString()
            String shown = nested ? text.substring('{"v":'.length(), text.length() - 1) : text
            return shown.length() > Deployment.MOST_CHARACTERS ? shown.substring(0, Deployment.MOST_CHARACTERS) : shown
        } catch (Throwable ignored) {
            return Deployment.PROBLEM + 'it needs code of the Jenkinsfile\'s own. Turn it into a text before'
        }
    }

}
