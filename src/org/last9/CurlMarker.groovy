package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput
import hudson.util.Secret

/**
 * A marker as curl sends it from an agent without Python: what resources/last9/curl.sh reads, made of the engine's request.
 *
 * Fewer labels than the engine's (docs/attributes.md has the table; tests/contract holds both to the same event). The token is not read here, so
 * organization and host must be set, and nobody who only starts builds may have a say in either. All of it is @NonCPS, and runs on such agents only.
 */
class CurlMarker implements Serializable {

    private static final long serialVersionUID = 1L

    private static final List<String> STATES = ['start', 'stop']
    /** Of whose labels a custom attribute takes the place; they are what makes windows, so that order counts if there are too many. */
    private static final List<String> OURS = ['service', 'service_name', 'deployment_environment', 'env', 'deployment.id', 'deployment.outcome',
        'deployment.window_duration_ms', 'version']
    private static final Map<String, String> OF_THE_BUILD = [
        'jenkins.build_url': 'BUILD_URL', 'jenkins.job_name': 'JOB_NAME', 'jenkins.build_number': 'BUILD_NUMBER',
    ]
    private static final List<String> NOT_SETTABLE = ['deployment_id', 'deployment_window_duration_ms', '__name__', 'event_name', 'event_state']
    private static final int MOST_LABELS = 27
    private static final int MOST_CUSTOM = 19
    private static final int LONGEST = 1024
    private static final String BASE_URL =
        '(?i)https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?(/[a-z0-9_~-][a-z0-9._~-]*)*/*'
    private static final String LOOPBACK = 'localhost|127\\.[0-9.]+|\\[::1\\]'
    /** They have a say in where the token goes, or in whom curl believes to be Last9. */
    private static final List<String> TELLING = ['LAST9_ORG_SLUG', 'LAST9_API_BASE_URL', 'LAST9_ROUTING_PROFILES', 'LAST9_CONFIG', 'LAST9_CA_BUNDLE',
        'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'SSLKEYLOGFILE']

    /** Variables that choose among what others have defined: a parameter may be called so. */
    private static final List<String> LEVELS = ['LAST9_ROUTING_PROFILE', 'LAST9_CREDENTIAL_ID', 'LAST9_DATA_SOURCE_NAME', 'LAST9_DRY_RUN']
    private static final List<String> PROFILE_FIELDS = ['orgSlug', 'credentialId', 'apiBaseUrl', 'dataSourceName']

    private final Object script
    private final Map request
    private final Map options
    private final Map config

    private CurlMarker(Object script, Map request) {
        this.script = script
        this.request = request
        this.options = request.options ?: [:]
        this.config = request.config ?: [:]
    }

    /**
     * `problem`: why curl must not send it, and what to do. Else `text` (the lines of curl.sh), and of the contract's answer what is then so if
     * that marker is `delivered`. Of a connection test only whether there is a problem. `subject` is what the log calls the marker.
     */
    @NonCPS
    static Map of(Object script, String request, String subject) {
        try {
            CurlMarker marker = new CurlMarker(script, Json.object(request))
            Map place = marker.destination()
            return place.problem || marker.request.step == 'last9TestConnection' ? place : marker.composed(place, subject)
        } catch (Exception failure) {
            return [problem: "its settings cannot be read (${failure.message}). Install Python 3.9 or newer".toString()]
        }
    }

    @NonCPS
    private Map composed(Map place, String subject) {
        String service = text('serviceName')
        String state = (text('eventState') ?: 'stop').toLowerCase()
        if (!service || !STATES.contains(state) || options.environment instanceof Collection || options.environment instanceof Map) {
            return [problem: 'serviceName, environment or eventState is not usable. Correct the call of the step']
        }
        Map event = [event_name: text('eventName') ?: 'deployment', event_state: state, timestamp: moment((long) request.timestampMs)]
        if (place.dataSourceName) {
            event.data_source_name = place.dataSourceName
        }
        event.attributes = labels(service, state)
        String json = JsonOutput.toJson(event)
        List<String> lines = [
            place.base + '/api/v4/oauth/access_token', "${place.base}/api/v4/organizations/${place.orgSlug}/change_events".toString(),
            json.replace('\\', '\\\\').replace('"', '\\"'), subject.replaceAll('\\p{Cntrl}+', ' '),
        ]
        return [text: lines.join('\n') + '\n', delivered: [records: [record(event, place)], pending: [own: null, kept: kept()]]]
    }

    /** Every kept marker stays as it is. */
    @NonCPS
    private List<List> kept() {
        List<List> kept = []
        for (Map each in request.pending) {
            kept.add([kept.size(), each.failures])
        }
        return kept
    }

    @NonCPS
    private Map<String, String> labels(String service, String state) {
        Map<String, String> facts = [service: service, service_name: service, deployment_environment: text('environment'), env: text('environment'),
            'deployment.id': request.window?.id, version: text('version')]
        if (state == 'stop') {
            facts['deployment.outcome'] = Outcome.of(request, text('outcome').toLowerCase())
            Object began = request.window?.startedAtMs
            facts['deployment.window_duration_ms'] = began == null ? null : Math.max(0L, (long) request.timestampMs - (long) began).toString()
        }
        for (Map.Entry each in OF_THE_BUILD.entrySet()) {
            facts[each.key] = known(script.env."${each.value}")
        }
        Map<String, String> custom = custom(facts)
        Map<String, String> labels = [:]
        boolean underscores = 'underscore'.equalsIgnoreCase(text('attributeNames') ?: Options.trimmed(script.env.LAST9_ATTRIBUTE_NAMES))
        for (String name in OURS + custom.keySet() + OF_THE_BUILD.keySet()) {
            String value = custom.containsKey(name) ? custom[name] : facts[name]
            if (value && labels.size() < MOST_LABELS) {
                labels[underscores && !custom.containsKey(name) ? name.replace('.', '_') : bounded(name)] = bounded(value)
            }
        }
        return labels
    }

    /** Those that are texts, whole numbers or yes and no; whatever has its name among `facts`, in either spelling, gives way. */
    @NonCPS
    private Map<String, String> custom(Map<String, String> facts) {
        Map<String, String> found = [:]
        Object given = options.customAttributes ?: config.customAttributes
        for (Map.Entry each in (given instanceof Map ? given : [:]).entrySet()) {
            String name = each.key
            Object value = each.value
            boolean isText = value instanceof String || value instanceof Boolean || value instanceof Integer || value instanceof Long
            if (!name.trim() || NOT_SETTABLE.contains(name.replace('.', '_')) || value instanceof String && value.trim() == 'null') {
                continue
            }
            for (String fact in [] + facts.keySet()) {
                if (name == fact || name == fact.replace('.', '_')) {
                    facts[fact] = null
                }
            }
            if (isText && OURS.contains(name)) {
                facts[name] = value.toString()
            } else if (isText && found.size() < MOST_CUSTOM) {
                found[name] = value.toString()
            }
        }
        return found
    }

    /** What the report shows of it: the one record that the engine has not written (marker/records.py reads and writes the others). */
    @NonCPS
    private static String record(Map event, Map place) {
        Map labels = event.attributes
        Map facts = [:]
        for (String name in ['deployment.id', 'deployment.outcome', 'deployment.window_duration_ms', 'version']) {
            String value = labels[name] ?: labels[name.replace('.', '_')]
            if (value) {
                facts[name] = value
            }
        }
        return JsonOutput.toJson([last9Record: 1, fate: 'sent', state: event.event_state, at: event.timestamp, name: event.event_name,
            service: labels.service_name ?: labels.service, environment: labels.deployment_environment ?: labels.env, last9: place.base, facts: facts,
            labels: [:]])
    }

    /** `base`, `orgSlug` and `dataSourceName`, or a `problem`. */
    @NonCPS
    private Map destination() {
        Settings settings = new Settings(script, options, config)
        Map values = settings.values(null)
        Map found = settings.places(values.profile)
        String organization = found.orgSlug?.value
        String base = found.apiBaseUrl?.value
        if (!organization || !base) {
            return [problem: 'curl needs the organization and the API\'s address, which the engine reads in the token. Set orgSlug and apiBaseUrl ' +
                '(LAST9_ORG_SLUG and LAST9_API_BASE_URL), or install Python 3.9 or newer']
        }
        base = base.contains('://') ? base : 'https://' + base
        String host = base.toLowerCase().replaceFirst('^[a-z]+://', '').replaceFirst('(:[0-9]*)?(/.*)?$', '')
        boolean isUsable = base.length() <= LONGEST && base.matches(BASE_URL) && organization.matches('[A-Za-z0-9][A-Za-z0-9._-]{0,99}')
        if (!isUsable || base.toLowerCase().startsWith('http:') && !host.matches(LOOPBACK) ||
            values.profile && !isDefined((String) values.profile.value, values.environment)) {
            return [problem: 'orgSlug, apiBaseUrl or the routing profile is not usable. last9TestConnection on an agent with Python says why']
        }
        String starter = starter(host, found, [] + values.environment.keySet() - LEVELS)
        if (starter) {
            return [problem: "whoever starts builds has a say in where the token would go: ${starter}. Set orgSlug and apiBaseUrl in the ".toString() +
                'Jenkinsfile or as an administrator\'s variables, and name the parameter otherwise, or install Python 3.9 or newer']
        }
        return [base: base.replaceFirst('/+$', '').replaceFirst('/api(/v4)?$', ''), orgSlug: organization, dataSourceName: found.dataSourceName?.value]
    }

    /** Whether there is one such routing profile, and no mistake in it that is to be seen here. */
    @NonCPS
    private boolean isDefined(String profile, Map<String, String> environment) {
        int count = 0
        for (Object profiles in [config.routingProfiles, Json.object(environment.LAST9_ROUTING_PROFILES)]) {
            for (Map.Entry each in (profiles instanceof Map ? profiles : [:]).entrySet()) {
                if (Options.trimmed(each.key) == profile) {
                    count += each.value instanceof Map && !([] + each.value.keySet() - PROFILE_FIELDS) ? 1 : 2
                }
            }
        }
        return count == 1
    }

    /** By what somebody who only starts builds may have chosen host or organization; null if by nothing. The rules of request/starters.py. */
    @NonCPS
    private String starter(String host, Map found, List<String> named) {
        if ([found.orgSlug.source, found.apiBaseUrl.source].contains('parameter')) {
            return 'a build parameter names it'
        }
        String bare = host.replaceAll('[\\[\\]]', '')
        for (Map.Entry each in script.params.entrySet()) {
            String name = each.key
            for (String telling in TELLING + named) {
                if (name.equalsIgnoreCase(telling)) {
                    return "a build parameter is called ${name}".toString()
                }
            }
            for (Object value in [each.value instanceof Secret ? null : each.value, script.env."${name}"]) {
                String text = Options.trimmed(value).toLowerCase()
                String beginning = text.replaceFirst('(?s)[^a-z0-9.\\-\\[\\]].*', '')
                if ((text.contains(bare) || beginning && bare.endsWith(beginning)) && !bare.endsWith('.last9.io')) {
                    return "the value of the build parameter ${name} may be a part of it".toString()
                }
            }
        }
        return null
    }

    /** An option's text; empty for what is none. */
    @NonCPS
    private String text(String option) {
        Object given = Options.trimmed(options[option]) ? options[option] : config[option]
        return given instanceof Map || given instanceof Collection ? '' : known(given) ?: ''
    }

    @NonCPS
    private static String known(Object value) {
        String text = Options.trimmed(value)
        return text == 'null' || !text ? null : text
    }

    /** Without half emojis, which JSON cannot carry, and no longer than the engine's. */
    @NonCPS
    private static String bounded(String text) {
        String whole = text.replaceAll('\\p{Cs}', '\ufffd')
        return whole.length() > LONGEST ? whole.substring(0, LONGEST) : whole
    }

    @NonCPS
    private static String moment(long milliseconds) {
        return new Date(milliseconds).format("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", TimeZone.getTimeZone('UTC'))
    }

}
