package org.last9

import hudson.util.Secret

/**
 * Where a marker goes and with which credential: each field resolved by itself, the first level that has it wins.
 *
 * literal → build parameter → named environment variable → routing profile → last9Config → `LAST9_*` variable → default.
 * This is settled here and not in the engine because the credential must be bound before the engine starts.
 * What the refresh token says of itself is the engine's last level.
 */
class Connection implements Serializable {

    private static final long serialVersionUID = 1L

    /** Field → the administrator's variable. The profile comes first, since it is a level of the others. */
    private static final Map<String, String> VARIABLES = [
        routingProfile: 'LAST9_ROUTING_PROFILE', orgSlug: 'LAST9_ORG_SLUG', credentialId: 'LAST9_CREDENTIAL_ID',
        apiBaseUrl: 'LAST9_API_BASE_URL', dataSourceName: 'LAST9_DATA_SOURCE_NAME',
    ]
    private static final String DEFAULT_CREDENTIAL = 'last9-refresh-token'

    private final Object script
    private final Map options
    private final Map defaults
    private final Map profile
    private final List<String> problems = []
    private final Map<String, Map> fields = [:]

    Connection(Object script, Map options, Map defaults) {
        this.script = script
        this.options = options
        this.defaults = defaults
        this.profile = [:]
    }

    /**
     * All fields as they are now, in the environment of this place of the pipeline: `connection` and `connectionProblems` (why nothing may be sent;
     * empty when all is well) as the contract has them. Plain data, for it is kept with the program as long as a window is open.
     */
    Map resolve() {
        for (String field in VARIABLES.keySet()) {
            List<Map> levels = levels(field)
            if (levels) {
                fields[field] = field == 'apiBaseUrl' ? levels[0] + [trusted: trusted(levels)] : levels[0]
            }
            if (field == 'routingProfile' && levels) {
                readProfile(levels[0].value)
            }
        }
        fields.credentialId = fields.credentialId ?: [value: DEFAULT_CREDENTIAL, source: 'default', fromParameter: false]
        return [connection: fields, connectionProblems: problems]
    }

    /** `options` without what this class has answered for. */
    static Map without(Map options) {
        Map rest = [:] + options
        for (String field in VARIABLES.keySet()) {
            rest.remove(field)
            rest.remove(field + 'Param')
            rest.remove(field + 'EnvVar')
        }
        rest.remove('routingProfiles')
        return rest
    }

    /** A profile with a mistake in it is none: what it means to say and does not would be taken from another team's settings. */
    private void readProfile(String name) {
        Map profiles = administratorsProfiles()
        if (defaults.routingProfiles instanceof Map) {
            profiles.putAll(defaults.routingProfiles)
        }
        Object found = profiles[name]
        if (found == null) {
            problems.add("routing profile '${name}' is not defined (known: ${profiles.keySet().join(', ') ?: 'none'}). ".toString() +
                'Define it in last9Config(routingProfiles: [...]) or LAST9_ROUTING_PROFILES, or correct its name')
        } else if (!(found instanceof Map)) {
            problems.add("routing profile '${name}' is no map of connection fields. Write it as [${name}: [orgSlug: 'acme']]".toString())
        } else {
            for (String field in found.keySet()) {
                if (field == 'routingProfile' || !VARIABLES.containsKey(field)) {
                    problems.add("routing profile '${name}' has no use for '${field}'. Its fields are orgSlug, credentialId, ".toString() +
                        'apiBaseUrl and dataSourceName: correct the name')
                }
            }
            profile.putAll(found)
        }
    }

    /** Every level that has a value for the field, best first. */
    private List<Map> levels(String field) {
        List<Map> levels = []
        levels.addAll(given(options, field, 'option'))
        add(levels, profile[field], 'profile', false)
        levels.addAll(given(defaults, field, 'config'))
        String variable = VARIABLES[field]
        add(levels, script.env."${variable}", 'global', isParameter(variable))
        return levels
    }

    /** A field as literal, as the name of a build parameter and as the name of an environment variable. */
    private List<Map> given(Map from, String field, String source) {
        List<Map> levels = []
        add(levels, from[field], source, false)
        String parameter = from[field + 'Param']
        if (parameter && isOpen(parameter, field + 'Param')) {
            add(levels, script.params[parameter], 'parameter', true)
        }
        String variable = from[field + 'EnvVar']
        if (variable && isOpen(variable, field + 'EnvVar')) {
            add(levels, script.env."${variable}", 'environment', isParameter(variable))
        }
        return levels
    }

    /** A password parameter's value would stand in addresses, requests and the log. */
    private boolean isOpen(String name, String option) {
        if (script.params[name] instanceof Secret) {
            problems.add("${option} names the password parameter '${name}', whose value must not be shown. Use a text parameter".toString())
            return false
        }
        return true
    }

    private boolean isParameter(String name) {
        return script.params.containsKey(name)
    }

    private static void add(List<Map> levels, Object value, String source, boolean fromParameter) {
        String text = Options.text(value)
        if (text) {
            levels.add([value: text, source: source, fromParameter: fromParameter])
        }
    }

    /** The values that nobody who merely starts a build can choose. */
    private static List<String> trusted(List<Map> levels) {
        List<String> trusted = []
        for (Map level in levels) {
            if (!level.fromParameter) {
                trusted.add(level.value)
            }
        }
        return trusted
    }

    private Map administratorsProfiles() {
        String json = script.env.LAST9_ROUTING_PROFILES
        Map profiles = Json.object(json)
        if (json && profiles == null) {
            problems.add('LAST9_ROUTING_PROFILES is not a JSON object. Correct it where the administrator set it')
        }
        return profiles ?: [:]
    }

}
