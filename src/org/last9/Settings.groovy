package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput
import hudson.util.Secret

/**
 * The settings from a step's options, `last9Config` and the environment of this place of the pipeline, as plain data.
 *
 * Only two fields are resolved here, the routing profile and the credential, because the credential must be bound before the engine starts
 * (examples in tests/contract). The engine resolves all others, from the same raw data.
 * All of it is @NonCPS, which makes many small calls cheap.
 */
class Settings implements Serializable {

    private static final long serialVersionUID = 1L

    private static final String PROFILES = 'LAST9_ROUTING_PROFILES'
    /** The variables that decide whether a marker is sent, and where it goes. */
    private static final List<String> VARIABLES = ['LAST9_ROUTING_PROFILE', PROFILES, 'LAST9_ORG_SLUG', 'LAST9_CREDENTIAL_ID',
        'LAST9_API_BASE_URL', 'LAST9_DATA_SOURCE_NAME', 'LAST9_DRY_RUN']
    private static final List<String> FIELDS = ['routingProfileEnvVar', 'orgSlugEnvVar', 'credentialIdEnvVar', 'apiBaseUrlEnvVar',
        'dataSourceNameEnvVar']
    private static final Map<String, String> PLACES = [
        orgSlug: 'LAST9_ORG_SLUG', dataSourceName: 'LAST9_DATA_SOURCE_NAME', apiBaseUrl: 'LAST9_API_BASE_URL',
    ]
    protected static final String DEFAULT_CREDENTIAL = 'last9-refresh-token'
    private static final double DEFAULT_SECONDS = 10
    /** `timeoutSeconds` beyond this is a mistake; the engine says so. */
    private static final double MOST_SECONDS = 300

    private final Object script
    private final Map options
    private final Map config
    /** Every name of either in one text: it says at once which options are not there, and in the sandbox each reading of a map has its price. */
    private final String names
    private final Map<String, String> environment = [:]

    protected Settings(Object script, Map options, Map config) {
        this.script = script
        this.options = options
        this.config = config
        this.names = options.keySet().toString() + config.keySet()
    }

    /**
     * `options` and `config` (JSON texts; `config` null if there is none), `environment` (variable → text or null, as it counts for this window),
     * `profile` and `credential` as the contract has them, `oddVariables`, `dryRun`, `failOnError`, `seconds`, `agentLabel`, `service`, `eventName`.
     * `pinned` is the `environment` and `config` that a manual window began with; null: those of now count. `opens` a window: then `recorded` is
     * what a later build needs to close it. `deployedTo` names service and environment.
     */
    @NonCPS
    static Map read(Object script, Map options, Map pinned, boolean opens) {
        String configText = pinned ? pinned.config : new BuildDefaults(script).json()
        Settings settings = new Settings(script, options, Json.object(configText) ?: [:])
        return settings.values(pinned, opens) + [options: JsonOutput.toJson(options), config: configText]
    }

    /** What a `withEnv` must say so that the environment is what it was: empty as long as nothing has changed. */
    @NonCPS
    static List<String> changes(Object script, Map<String, String> environment) {
        List<String> changes = []
        for (Map.Entry entry in environment.entrySet()) {
            if (script.env."${entry.key}" != entry.value) {
                changes.add("${entry.key}=${entry.value ?: ''}".toString())
            }
        }
        return changes
    }

    @NonCPS
    protected Map values(Map pinned, boolean opens) {
        Object env = script.env
        Map known = environment
        Map before = pinned ? pinned.environment : null
        for (String name in VARIABLES) {
            known[name] = before == null ? env."${name}" : before[name]
        }
        for (String field in (names.contains('EnvVar') ? FIELDS : [])) {
            for (Object given in [options[field], config[field]]) {
                String name = Options.trimmed(given)
                if (name && !known.containsKey(name) && !BuildFacts.isSecret(script, name)) { // the engine says so
                    known[name] = before?.containsKey(name) ? before[name] : env."${name}"
                }
            }
        }
        Map profile = resolve('routingProfile', 'LAST9_ROUTING_PROFILE', null)
        Map credential = resolve('credentialId', 'LAST9_CREDENTIAL_ID', profile) ?: [value: DEFAULT_CREDENTIAL, source: 'default']
        boolean dryRun = Options.isTrue(first('dryRun') ?: known.LAST9_DRY_RUN)
        String service = first('serviceName')
        return [
            environment: known, profile: profile, credential: credential, recorded: opens && !dryRun ? recorded(profile, credential) : null,
            oddVariables: oddVariables(), dryRun: dryRun,
            failOnError: Options.isTrue(first('failOnError')), seconds: seconds(),
            agentLabel: first('agentLabel') ?: env.LAST9_AGENT_LABEL ?: '',
            service: service ?: 'an unnamed service', deployedTo: service + '\n' + first('environment'),
            eventName: first('eventName') ?: 'deployment',
        ]
    }

    /**
     * What a later build needs to close the window, should this one not: values, since parameters and variables are others then. Never a secret: a
     * URL with user information is left out, and it is of no use anyway. The administrator's URL is left out, too: the current one is used.
     */
    @NonCPS
    private Map<String, String> recorded(Map profile, Map credential) {
        Map<String, String> recorded = [:]
        for (String name in ['serviceName', 'environment', 'eventName']) {
            String value = first(name)
            if (value) {
                recorded[name] = value
            }
        }
        if (profile) {
            recorded.routingProfile = profile.value
        }
        if (credential.value != DEFAULT_CREDENTIAL) {
            recorded.credentialId = credential.value
        }
        for (Map.Entry place in PLACES.entrySet()) {
            boolean isUrl = place.key == 'apiBaseUrl'
            if (profile || names.contains(place.key) || !isUrl && environment[place.value]) {
                Map found = resolve(place.key, place.value, profile)
                if (found && found.source != 'profile' && !(isUrl && found.source == 'global') && !found.value.contains('@')) {
                    recorded[place.key] = found.value
                }
            }
        }
        return recorded
    }

    @NonCPS
    protected Map<String, Map> whereTo(Map profile) {
        Map<String, Map> found = [:]
        for (Map.Entry place in PLACES.entrySet()) {
            found[place.key] = resolve(place.key, place.value, profile)
        }
        return found
    }

    /** A step's own value, else last9Config's. A blank text is not a value; false is one. */
    @NonCPS
    private String first(String option) {
        return names.contains(option) ? Options.trimmed(options[option]) ?: Options.trimmed(config[option]) : ''
    }

    /** The one rule of tests/contract: literal, parameter, variable, profile, the same of last9Config, the administrator's variable. */
    @NonCPS
    private Map resolve(String field, String variable, Map profile) {
        boolean isNamed = names.contains(field)
        return (isNamed ? given(options, field, 'option') : null) ?: (profile ? found(ofProfile((String) profile.value, field), 'profile') : null) ?:
            (isNamed ? given(config, field, 'config') : null) ?: found(environment[variable], 'global')
    }

    @NonCPS
    private Map given(Map from, String field, String source) {
        String parameter = Options.trimmed(from[field + 'Param'])
        String variable = Options.trimmed(from[field + 'EnvVar'])
        return found(from[field], source) ?: found(parameter ? parameterValue(parameter) : null, 'parameter') ?:
            found(variable ? environment[variable] : null, 'environment')
    }

    @NonCPS
    private static Map found(Object value, String source) {
        String text = Options.trimmed(value)
        return text ? [value: text, source: source] : null
    }

    /** A password parameter's value would be in requests and the log; the engine warns. */
    @NonCPS
    private Object parameterValue(String name) {
        Object value = script.params[name]
        return value instanceof Secret ? null : value
    }

    /** The engine refuses a profile with a mistake in it. */
    @NonCPS
    private Object ofProfile(String name, String field) {
        for (Object profiles in [config.routingProfiles, Json.object(environment[PROFILES])]) {
            if (profiles instanceof Map) {
                for (Map.Entry entry in profiles.entrySet()) {
                    if (Options.trimmed(entry.key) == name && entry.value instanceof Map) {
                        return entry.value[field]
                    }
                }
            }
        }
        return null
    }

    /** A shell drops variables whose names are none of its own, so the engine cannot see them. */
    @NonCPS
    private Map<String, String> oddVariables() {
        Object listed = names.contains('envAllowlist') ? options.envAllowlist ?: config.envAllowlist : null
        listed = listed ?: script.env.LAST9_ENV_ALLOWLIST
        Map<String, String> found = [:]
        if (!listed) {
            return found
        }
        for (Object item in (listed instanceof Collection ? listed : Options.trimmed(listed).split(','))) {
            String name = Options.trimmed(item)
            if (name && !name.matches('[A-Za-z_][A-Za-z0-9_]*')) {
                String value = script.env."${name}"
                if (value != null) {
                    found[name] = value
                }
            }
        }
        return found
    }

    @NonCPS
    private double seconds() {
        String text = first('timeoutSeconds') ?: Options.trimmed(script.env.LAST9_TIMEOUT_SECONDS)
        double asked = text.isNumber() ? text.toDouble() : 0
        return asked >= 1 ? Math.min(asked, MOST_SECONDS) : DEFAULT_SECONDS
    }

}
