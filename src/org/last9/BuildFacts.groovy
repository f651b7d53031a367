package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput
import hudson.util.Secret

/**
 * Facts about a build that only the controller knows, as JSON. If one source fails, only its fact is missing.
 *
 * Of `currentBuild` only members are used that script-security lets a sandboxed library read. All of it is @NonCPS: no abort can interrupt it
 * here, when a window's stop is about to be sent.
 */
class BuildFacts implements Serializable {

    private static final long serialVersionUID = 1L
    /** What `parameters` has of a text at most: they go along with every marker. */
    private static final int MOST_CHARACTERS = 2000
    /** The variable that names an interpreter. A person who starts builds must not set it. */
    private static final String INTERPRETER = 'LAST9_PYTHON'

    /** What stays the same during a build is read once. Empty after a restart. */
    private static Map<String, Object> knownCauses = null
    private static String knownParameters = null
    private static boolean interpreterIsParameter = false
    private static List<String> secretNames = []

    /** Result, times and causes; what cannot be read is left out. */
    @NonCPS
    static Map<String, Object> build(Object script) {
        Map<String, Object> facts = [:]
        try {
            facts.result = script.currentBuild.result
            facts.currentResult = script.currentBuild.currentResult
            facts.durationMs = script.currentBuild.duration
            facts.startTimeMs = script.currentBuild.startTimeInMillis
        } catch (Exception ignored) { // a fact is never worth a failed deployment
        }
        if (knownCauses == null) {
            knownCauses = readCauses(script)
        }
        return facts + knownCauses
    }

    /** `currentBuild.result`, or null. */
    @NonCPS
    static String result(Object script) {
        try {
            return script.currentBuild.result
        } catch (Exception ignored) { // a fact is never worth a failed deployment
            return null
        }
    }

    /** `parameters` and `secretParameters` of the contract, as the text of a JSON object. */
    @NonCPS
    static String parameters(Object script) {
        if (knownParameters == null) {
            knownParameters = readParameters(script)
        }
        return knownParameters
    }

    /** Whether a person who starts builds may have chosen the interpreter. Jenkins' environment ignores case. */
    @NonCPS
    static boolean isInterpreterParameter(Object script) {
        parameters(script)
        return interpreterIsParameter
    }

    /** Whether that variable is a password parameter's, whose value must not be in requests and build records. */
    @NonCPS
    static boolean isSecret(Object script, String variable) {
        parameters(script)
        return secretNames.contains(variable.toLowerCase())
    }

    /** JSON texts: net.sf.json's own objects hold more than is sent. Newer Jenkins nests the upstream causes, older ones know the builds. */
    @NonCPS
    private static Map<String, Object> readCauses(Object script) {
        Map<String, Object> facts = [:]
        try {
            facts.causes = script.currentBuild.getBuildCauses().toString()
            List<String> upstream = []
            for (Object build in script.currentBuild.upstreamBuilds) {
                upstream.add(build.getBuildCauses().toString())
            }
            facts.upstreamCauses = upstream
        } catch (Exception ignored) { // as above
        }
        return facts
    }

    /** `params` holds a password as `hudson.util.Secret`. */
    @NonCPS
    private static String readParameters(Object script) {
        Map<String, String> texts = [:]
        List<String> secrets = []
        try {
            for (Map.Entry entry in script.params.entrySet()) {
                String name = entry.key
                Object value = entry.value
                if (value instanceof Secret) {
                    secrets.add(name)
                    secretNames = secretNames + [name.toLowerCase()]
                } else {
                    String text = value == null ? '' : value.toString()
                    texts[name] = text.length() > MOST_CHARACTERS ? text.substring(0, MOST_CHARACTERS) : text
                }
                interpreterIsParameter = interpreterIsParameter || INTERPRETER.equalsIgnoreCase(name)
            }
        } catch (Exception ignored) { // as above
            interpreterIsParameter = true
        }
        return JsonOutput.toJson([parameters: texts, secretParameters: secrets])
    }

}
