package org.last9

import com.cloudbees.groovy.cps.NonCPS
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * What a step was given, as plain data: texts, and inside maps and lists whatever JSON knows.
 *
 * GStrings become texts here, in CPS code and one at a time, since as a step argument a lazy one makes Jenkins skip the
 * step silently. A lazy GString whose text is asked for in CPS code gives the value of its closure.
 */
class Options implements Serializable {

    private static final long serialVersionUID = 1L

    /** What a call looks like, for the warning that one did not. */
    private static final Map<String, String> EXAMPLES = [
        withLast9Deployment: "serviceName: 'payments-api', environment: 'production'",
        last9DeploymentMarker: "serviceName: 'payments-api', environment: 'production'",
        last9TestConnection: "credentialId: 'last9-refresh-token', sendTestEvent: true",
        last9DeploymentReport: 'summary: true',
        last9Config: "orgSlug: 'acme', timeoutSeconds: 10",
    ]
    /** Options that stay a map or a list; every other one is a text. */
    private static final List<String> STRUCTURED = [
        'customAttributes', 'envAllowlist', 'paramAllowlist', 'routingProfiles', 'attributeNames'
    ]

    /** Numbers to Groovy, not to JSON. */
    private static final List<String> NO_NUMBERS = ['NaN', 'Infinity', '-Infinity']

    /** The options that a step was called with by name; anything else in the call but a block is a warning, for no call may fail a deployment. */
    static Map<String, Object> named(Object script, String step, Object[] given) {
        Map options = null
        List<String> others = []
        for (Object argument in list(given)) {
            if (options == null && argument instanceof Map) {
                options = argument
            } else if (argument != null && !(argument instanceof Closure)) {
                others.add(text(argument))
            }
        }
        if (others) {
            script.echo("[Last9] WARNING: ${step} takes named options, ignored: ${others.join(', ')}. Write ${step}(${EXAMPLES[step]})".toString())
        }
        return plain(script, step, options)
    }

    /**
     * The same for a step that takes no block. Where it has one all the same it is run, and a warning says so: it may be the deployment.
     */
    static Map<String, Object> alone(Object script, String step, Object[] given) {
        Map<String, Object> options = named(script, step, given)
        Closure block = block(given)
        if (block != null) {
            script.echo("[Last9] WARNING: ${step} takes no block: it is run, but draws no window. ".toString() +
                "For one write withLast9Deployment(${EXAMPLES.withLast9Deployment}) { }".toString())
            block.call()
        }
        return options
    }

    /** The block that a step was called with, wherever in the call it stands; null if there is none. */
    @NonCPS
    static Closure block(Object[] given) {
        Closure block = null
        for (Object argument in list(given)) {
            if (argument instanceof Closure) {
                block = (Closure) argument
            }
        }
        return block
    }

    /** `step(null)` reaches a var as no array at all. */
    @NonCPS
    private static List<Object> list(Object[] given) {
        List<Object> arguments = []
        for (Object argument in given) {
            arguments.add(argument)
        }
        return arguments
    }

    /**
     * The options by name: trimmed texts, blank and null left out. A value may be code of the Jenkinsfile's own, such as a lazy GString: where that
     * fails, it costs this option only.
     */
    private static Map<String, Object> plain(Object script, String step, Map given) {
        Map<String, Object> options = [:]
        for (Object entry in entriesOf(given ?: [:])) {
            String name = text(entry[0])
            try {
                Object value = readable(name, entry[1])
                if (value != null && value != '') {
                    options[name] = value
                }
            } catch (FlowInterruptedException abort) {
                throw abort
            } catch (Throwable failure) { // also StackOverflowError: a map that holds itself
                String reason = (failure.message ?: '').trim().split('\n')[0] ?: 'no reason was given' // an assertion paints a picture below
                script.echo("[Last9] WARNING: the value of ${name} for ${step} cannot be read, ignored: ${reason}. ".toString() +
                    'Look at the expression that gives it')
            }
        }
        return options
    }

    private static Object readable(String name, Object value) {
        if (STRUCTURED.contains(name) && (value instanceof Map || value instanceof Collection)) {
            return name == 'customAttributes' ? attributes(value) : json(value)
        }
        return text(value)
    }

    /** A value's trimmed text; null stays null. */
    static String text(Object value) {
        if (value == null) {
            return null
        }
        Object shown = value.toString() // of a lazy GString: what its closure returned, text or not
        return "${shown}".toString().trim()
    }

    /** Whether a text means yes. Groovy needs to know it of `dryRun` and `failOnError` alone, before or without an engine. */
    static boolean isTrue(Object value) {
        return 'true'.equalsIgnoreCase(text(value))
    }

    /** A list, or a text with commas, as a list of trimmed names. */
    static List<String> names(Object value) {
        List<String> names = []
        Object items = value instanceof Collection ? value : (text(value) ?: '').split(',')
        for (Object item in items) {
            if (text(item)) {
                names.add(text(item))
            }
        }
        return names
    }

    /** Attribute values as written: scalars as their text (1.10 stays 1.10), maps and lists as JSON has them. */
    private static Object attributes(Object given) {
        if (!(given instanceof Map)) {
            return json(given)
        }
        Map<String, Object> attributes = [:]
        for (Object entry in entriesOf(given)) {
            Object value = entry[1]
            boolean nested = value == null || value instanceof Map || value instanceof Collection
            attributes[entry[0].toString()] = nested ? json(value) : value.toString()
        }
        return attributes
    }

    /** A copy that JSON can carry: plain maps and lists, texts, numbers, booleans, null. */
    private static Object json(Object value) {
        if (value == null || value instanceof Boolean || value instanceof Number && !NO_NUMBERS.contains(value.toString())) {
            return value
        }
        if (value instanceof Map) {
            Map<String, Object> copy = [:]
            for (Object entry in entriesOf(value)) {
                copy[entry[0].toString()] = json(entry[1])
            }
            return copy
        }
        if (value instanceof Collection) {
            List<Object> copy = []
            for (Object item in value) {
                copy.add(json(item))
            }
            return copy
        }
        return value.toString()
    }

    /** Pairs instead of entries: a map's own entries and iterators cannot be serialized. */
    @NonCPS
    private static List<List<Object>> entriesOf(Map map) {
        List<List<Object>> pairs = []
        for (Map.Entry entry in map.entrySet()) {
            pairs.add([entry.key, entry.value])
        }
        return pairs
    }

}
