package org.last9

import com.cloudbees.groovy.cps.NonCPS
import groovy.json.JsonOutput

/**
 * A marker as curl sends it from an agent without Python: what resources/last9/curl.sh reads, made of the engine's request.
 *
 * Fewer labels than the engine's (docs/attributes.md has the table; tests/contract holds both to the same event). All of it is @NonCPS, and runs on
 * such agents only.
 */
class CurlMarker implements Serializable {

    private static final long serialVersionUID = 1L

    private static final List<String> STATES = ['start', 'stop']
    /** With any other value of `dryRun`, nothing is sent: the engine knows more ways to say yes than the library. */
    private static final List<String> NO = ['', 'false', 'no', 'off', '0']
    /** A custom attribute replaces one of these labels. They make windows, so they come first, in this order, if there are too many. */
    private static final List<String> OURS = ['service', 'service_name', 'deployment_environment', 'env', 'deployment.id', 'deployment.outcome',
        'deployment.window_duration_ms', 'version']
    private static final Map<String, String> OF_THE_BUILD = [
        'jenkins.build_url': 'BUILD_URL', 'jenkins.job_name': 'JOB_NAME', 'jenkins.build_number': 'BUILD_NUMBER',
    ]
    private static final List<String> NOT_SETTABLE = ['deployment_id', 'deployment_window_duration_ms', '__name__', 'event_name', 'event_state']
    private static final int MOST_LABELS = 27
    private static final int MOST_CUSTOM = 19
    /** Bytes, as the engine has it (core/limits.py). */
    private static final int LONGEST = 1024
    /** Letters of all labels as curl's configuration has them: from 7.72 on it takes no line of more than 100 kB. */
    private static final int MOST_LETTERS = 95_000

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
            Map asked = Json.object(request)
            Map place = CurlDestination.of(script, asked.options ?: [:], asked.config ?: [:])
            return place.problem || asked.step == 'last9TestConnection' ? place : new CurlMarker(script, asked).composed(place, subject)
        } catch (Exception failure) {
            return [problem: "its settings cannot be read (${failure.message}). Install Python 3.9 or newer".toString()]
        }
    }

    @NonCPS
    protected Map composed(Map place, String subject) {
        String service = text('serviceName')
        String state = (text('eventState') ?: 'stop').toLowerCase()
        if (!service || !STATES.contains(state) || isMisfit(options.environment) || isMisfit(options.eventState)) {
            return [problem: 'serviceName, environment or eventState is not usable. Correct the call of the step']
        }
        if (!NO.contains((text('dryRun') ?: Options.trimmed(script.env.LAST9_DRY_RUN)).toLowerCase()) || isMisfit(options.dryRun)) {
            return [problem: 'dryRun is set, and a dry run needs Python. Set it to true or false']
        }
        Map event = [event_name: text('eventName') ?: 'deployment', event_state: state, timestamp: moment((long) request.timestampMs)]
        if (place.dataSourceName) {
            event.data_source_name = place.dataSourceName
        }
        event.attributes = labels(service, state)
        String json = JsonOutput.toJson(event)
        List<String> lines = [
            place.base + '/api/v4/oauth/access_token', "${place.base}/api/v4/organizations/${place.orgSlug}/change_events".toString(),
            escaped(json), subject.replaceAll('\\p{Cntrl}+', ' '),
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
        int letters = 0
        boolean underscores = 'underscore'.equalsIgnoreCase(text('attributeNames') ?: Options.trimmed(script.env.LAST9_ATTRIBUTE_NAMES))
        for (String name in OURS + custom.keySet() + OF_THE_BUILD.keySet()) {
            String value = custom.containsKey(name) ? custom[name] : facts[name]
            Map label = [(underscores && !custom.containsKey(name) ? name.replace('.', '_') : bounded(name)): bounded(value ?: '')]
            int more = escaped(JsonOutput.toJson(label)).length()
            if (value && labels.size() < MOST_LABELS && letters + more < MOST_LETTERS) {
                letters += more
                labels += label
            }
        }
        return labels
    }

    /** Those that are texts, whole numbers or yes and no; an entry of `facts` with the same name, in either spelling, gives way. */
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

    /** Whether that is what the engine takes for a mistake: a variable that was not set, a list, a map. */
    @NonCPS
    private static boolean isMisfit(Object given) {
        return given instanceof Map || given instanceof Collection || Options.trimmed(given) == 'null'
    }

    /** An option's text; empty for what is none. */
    @NonCPS
    private String text(String option) {
        Object given = Options.trimmed(options[option]) ? options[option] : config[option]
        return isMisfit(given) ? '' : Options.trimmed(given)
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
        String cut = whole.length() > LONGEST ? whole.substring(0, LONGEST) : whole
        for (int over = bytes(cut) - LONGEST; over > 0; over = bytes(cut) - LONGEST) {
            cut = cut.substring(0, cut.length() - (int) ((over + 2) / 3))
        }
        return cut.replaceAll('\\p{Cs}', '')
    }

    /** In UTF-8; half of an emoji has no length. */
    @NonCPS
    private static int bytes(String text) {
        return text.replaceAll('\\p{Cs}', '').replaceAll('[\\x{800}-\\x{ffff}]', '...').replaceAll('[\\x{80}-\\x{7ff}]', '..')
            .replaceAll('[\\x{10000}-\\x{10ffff}]', '....').length()
    }

    /** As it stands between quotes in curl's configuration. */
    @NonCPS
    private static String escaped(String json) {
        return json.replace('\\', '\\\\').replace('"', '\\"')
    }

    @NonCPS
    private static String moment(long milliseconds) {
        return new Date(milliseconds).format("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", TimeZone.getTimeZone('UTC'))
    }

}
