package org.last9

import com.cloudbees.groovy.cps.NonCPS
import hudson.util.Secret
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * What only the controller knows of a build, as plain data. One source that fails costs its own fact only.
 *
 * The members of `currentBuild` used here are those that script-security lets a sandboxed library read.
 */
class BuildFacts implements Serializable {

    private static final long serialVersionUID = 1L

    private final Object script

    BuildFacts(Object script) {
        this.script = script
    }

    /** Result, times and causes; what cannot be read is left out. */
    Map<String, Object> build() {
        Map<String, Object> facts = [:]
        note(facts, 'result') { script.currentBuild.result }
        note(facts, 'currentResult') { script.currentBuild.currentResult }
        note(facts, 'durationMs') { script.currentBuild.duration }
        note(facts, 'startTimeMs') { script.currentBuild.startTimeInMillis }
        note(facts, 'causes') { causes(script.currentBuild.getBuildCauses()) }
        note(facts, 'upstreamCauses') { upstreamCauses() }
        return facts
    }

    /** `currentBuild.result`, or null. @NonCPS, so that no abort can strike here, where a window's stop is about to be sent. */
    @NonCPS
    String result() {
        try {
            return script.currentBuild.result
        } catch (Exception ignored) { // a fact is never worth a failed deployment
            return null
        }
    }

    /** Names of the password parameters: `params` holds those as `hudson.util.Secret`. */
    List<String> secretParameters() {
        Map<String, Object> facts = [names: []]
        note(facts, 'names') { secretNames(script.params) }
        return facts.names
    }

    /** The build parameters of these names as texts, password parameters excepted. */
    Map<String, String> parameters(List<String> names) {
        Map<String, Object> facts = [values: [:]]
        if (names) {
            note(facts, 'values') { open(script.params, names) }
        }
        return facts.values
    }

    /** Nearest upstream build first, so the root of the chain comes last. Newer Jenkins nests the causes, older ones know the builds. */
    private List<Map> upstreamCauses() {
        List<Map> all = causes(nested(script.currentBuild.getBuildCauses()))
        for (Object upstream in script.currentBuild.upstreamBuilds) {
            all.addAll(causes(upstream.getBuildCauses()))
        }
        return all
    }

    private static void note(Map<String, Object> facts, String name, Closure source) {
        try {
            facts[name] = source.call()
        } catch (FlowInterruptedException abort) { // Jenkins throws an abort into running Groovy, too
            throw abort
        } catch (Exception ignored) { // left out: a fact is never worth a failed deployment
            facts.remove(name)
        }
    }

    /** net.sf.json's arrays hold more than is sent: only plain texts are kept. */
    @NonCPS
    private static List<Map> causes(Object given) {
        List<Map> causes = []
        for (Object cause in given) {
            Map<String, String> kept = [:]
            for (String key in ['_class', 'userId', 'shortDescription']) {
                Object value = ((Map) cause).get(key)
                // net.sf.json has a null object of its own, whose text is 'null'
                if (value != null && value.toString() != 'null') {
                    kept[key] = value.toString()
                }
            }
            causes.add(kept)
        }
        return causes
    }

    @NonCPS
    private static List<Object> nested(Object causes) {
        List<Object> all = []
        for (Object cause in causes) {
            Object upstream = ((Map) cause).get('upstreamCauses')
            if (upstream instanceof List) {
                all.addAll(upstream)
                all.addAll(nested(upstream))
            }
        }
        return all
    }

    @NonCPS
    private static List<String> secretNames(Object parameters) {
        List<String> names = []
        for (Map.Entry entry in parameters.entrySet()) {
            if (entry.value instanceof Secret) {
                names.add(entry.key.toString())
            }
        }
        return names
    }

    @NonCPS
    private static Map<String, String> open(Object parameters, List<String> names) {
        Map<String, String> values = [:]
        for (Map.Entry entry in parameters.entrySet()) {
            if (names.contains(entry.key) && entry.value != null && !(entry.value instanceof Secret)) {
                values[entry.key.toString()] = entry.value.toString()
            }
        }
        return values
    }

}
