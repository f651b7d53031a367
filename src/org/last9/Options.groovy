package org.last9

import com.cloudbees.groovy.cps.NonCPS
import hudson.util.Secret
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * A step's options, as data that JSON can carry. Python trims and validates them.
 *
 * Options in their usual form are used unchanged, after one @NonCPS pass. Everything else (a value that is code of the
 * Jenkinsfile's own, a lazy GString, an array, a password) goes the slow way, one value at a time in CPS code.
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
    /** Numbers to Groovy, not to JSON. */
    private static final List<String> NO_NUMBERS = ['NaN', 'Infinity', '-Infinity']
    /** Real options are not deeper than this; a map that holds itself has no end. */
    private static final int DEEPEST = 20

    /**
     * The options that a step was called with by name; anything else in the call but a block is a warning, because no call may fail a deployment.
     * The map may still be the caller's own: use it before the next step.
     */
    static Map<String, Object> read(Object script, String step, Object[] args) {
        return usual(args, true) ?: readAnything(script, step, args)
    }

    /** The options of a call as nearly everybody writes it: a map of plain values, and nothing else but a block after it. Null for any other call. */
    @NonCPS
    private static Map usual(Object[] args, boolean withBlock) {
        Object options = null
        Object block = null
        for (Object argument in args) {
            if (options == null && block == null && argument instanceof Map) {
                options = argument
            } else if (withBlock && block == null && argument instanceof Closure) {
                block = argument
            } else {
                return null
            }
        }
        return isPlain(options, 0) ? (Map) options : null
    }

    private static Map<String, Object> readAnything(Object script, String step, Object[] args) {
        List<Object> given = withoutBlocks(args)
        List<String> others = []
        for (int i = 1; i < given.size(); i++) {
            others.add(text(given[i]))
        }
        if (others) {
            script.echo(positional(step, others))
        }
        return isPlain(given[0], 0) ? (Map) given[0] : readSlowly(script, step, (Map) given[0])
    }

    /** The first map, an empty one if there is none, and after it what else the call has but blocks. */
    @NonCPS
    private static List<Object> withoutBlocks(Object[] args) {
        Object options = null
        List<Object> others = []
        for (Object argument in args) {
            if (options == null && argument instanceof Map) {
                options = argument
            } else if (argument != null && !(argument instanceof Closure)) {
                others.add(argument)
            }
        }
        return [options == null ? [:] : options] + others
    }

    @NonCPS
    private static String positional(String step, List<String> others) {
        return "[Last9] WARNING: ${step} ignored positional arguments: ${others.join(', ')}. ".toString() +
            "Use named options: ${step}(${EXAMPLES[step]})".toString()
    }

    /** The same for a step that takes no block. If it has one all the same it is run, and a warning says so: it may be the deployment. */
    static Map<String, Object> readWithoutBlock(Object script, String step, Object[] args) {
        Map<String, Object> plain = usual(args, false)
        if (plain) {
            return plain
        }
        Map<String, Object> options = read(script, step, args)
        Closure block = block(args)
        if (block != null) {
            script.echo(noBlock(step))
            block.call()
        }
        return options
    }

    @NonCPS
    private static String noBlock(String step) {
        return "[Last9] WARNING: ${step} does not accept a block. The block is run, but no window is created. ".toString() +
            "For a window write withLast9Deployment(${EXAMPLES.withLast9Deployment}) { }".toString()
    }

    /** The block that a step was called with, wherever in the call it stands; null if there is none. */
    @NonCPS
    static Closure block(Object[] args) {
        Closure block = null
        for (Object argument in args) { // `step(null)` reaches a var as no array at all
            if (argument instanceof Closure) {
                block = (Closure) argument
            }
        }
        return block
    }

    /** A plain value's trimmed text, empty for null. For values of `read` only: a text of the Jenkinsfile's own code needs CPS. */
    @NonCPS
    static String trimmed(Object value) {
        return value instanceof String ? value.trim() : value == null ? '' : value.toString().trim()
    }

    /** Whether a plain value means yes, in the engine's words for it: Groovy needs to know it before or without an engine. */
    @NonCPS
    static boolean isTrue(Object value) {
        return ['true', 'yes', 'on', '1'].contains(trimmed(value).toLowerCase()) // not `in`, which a sandbox forbids
    }

    /** The same for no. What is neither is the default, and the engine says so. */
    @NonCPS
    static boolean isFalse(Object value) {
        return ['false', 'no', 'off', '0'].contains(trimmed(value).toLowerCase())
    }

    /**
     * Whether `JsonOutput` may have the value whole: it writes a Secret's plain text, calls a lazy GString's closure, which in CPS ends the method
     * with the closure's value, and never comes to an end with `currentBuild` and `env`.
     */
    @NonCPS
    static boolean isPlain(Object value, int depth) {
        if (value instanceof String || value instanceof Boolean || value == null) {
            return true
        }
        if (value instanceof Number) {
            return !NO_NUMBERS.contains(value.toString())
        }
        try {
            if (value instanceof GString) {
                return value.toString() instanceof String
            }
            boolean isMap = value instanceof Map && !value.containsKey(null) && arePlain(value.keySet(), depth) && arePlain(value.values(), depth)
            return isMap || value instanceof List && arePlain(value, depth)
        } catch (Throwable ignored) { // CpsCallableInvocation is an Error; the slow way says what is the matter
            return false
        }
    }

    @NonCPS
    private static boolean arePlain(Object values, int depth) {
        if (depth > DEEPEST) {
            return false
        }
        for (Object value in values) {
            if (!(value instanceof String) && !isPlain(value, depth + 1)) {
                return false
            }
        }
        return true
    }

    /** One option at a time: a value that cannot be read costs this option only. */
    private static Map<String, Object> readSlowly(Object script, String step, Map given) {
        Map<String, Object> options = [:]
        for (Object entry in entriesOf(given)) {
            String name = text(entry[0])
            try {
                List<String> secrets = []
                Object value = copy(entry[1], name, secrets, 0)
                if (!(entry[1] instanceof Secret)) {
                    options[name] = value
                }
                if (secrets) {
                    script.echo(secret(step, secrets))
                }
            } catch (FlowInterruptedException abort) {
                throw abort
            } catch (Throwable failure) { // also StackOverflowError
                script.echo(unreadable(step, name, failure))
            }
        }
        return options
    }

    @NonCPS
    private static String secret(String step, List<String> names) {
        return "[Last9] WARNING: ${names.join(', ')} for ${step} is a password and is ignored: its value must not be shown".toString()
    }

    @NonCPS
    private static String unreadable(String step, String name, Throwable failure) {
        String reason = (failure.message ?: '').trim().split('\n')[0] ?: 'no reason was given' // an assertion paints a picture below
        return "[Last9] WARNING: the value of ${name} for ${step} cannot be read and is ignored: ${reason}. ".toString() +
            'Look at the expression that gives it'
    }

    /** A copy that JSON can carry: plain maps and lists, texts, numbers, booleans, null. What is a password is left out, and its name noted. */
    @SuppressWarnings('ThrowException') // the sandbox approves no other exception's constructor
    private static Object copy(Object value, String name, List<String> secrets, int depth) {
        if (depth > DEEPEST) {
            throw new Exception('it holds itself, or is nested too deeply')
        }
        if (isPlain(value, depth)) {
            return value
        }
        if (value instanceof Secret) {
            secrets.add(name)
            return null
        }
        if (value instanceof Map) {
            Map<String, Object> copied = [:]
            for (Object entry in entriesOf(value)) {
                Object item = copy(entry[1], "${name}.${entry[0]}".toString(), secrets, depth + 1)
                if (!(entry[1] instanceof Secret)) {
                    copied[text(entry[0])] = item
                }
            }
            return copied
        }
        if (isList(value)) {
            List<Object> copied = []
            for (Object item in itemsOf(value)) {
                copied.add(copy(item, name, secrets, depth + 1))
            }
            return copied
        }
        return text(value)
    }

    /** A value's text, in CPS code: of a lazy GString what its closure returns, text or not. */
    private static String text(Object value) {
        Object shown = value.toString()
        return "${shown}".toString()
    }

    @NonCPS
    private static boolean isList(Object value) {
        return value instanceof Collection || value instanceof Object[] || value instanceof int[] || value instanceof long[] ||
            value instanceof double[]
    }

    /** A copy: iterators cannot be serialized. */
    @NonCPS
    private static List<Object> itemsOf(Object values) {
        List<Object> items = []
        for (Object value in values) {
            items.add(value)
        }
        return items
    }

    /** Pairs instead of entries: a map's own entries cannot be serialized. */
    @NonCPS
    private static List<List<Object>> entriesOf(Map map) {
        List<List<Object>> pairs = []
        for (Map.Entry entry in map.entrySet()) {
            pairs.add([entry.key, entry.value])
        }
        return pairs
    }

}
