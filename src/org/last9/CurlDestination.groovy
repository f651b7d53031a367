package org.last9

import com.cloudbees.groovy.cps.NonCPS
import hudson.util.Secret

/**
 * Where curl may send a marker, and the token. The engine's rules (request/destination.py, request/starters.py), and stricter: the token is not read
 * here, so organization and host must be set, and a person who only starts builds may choose neither.
 */
class CurlDestination implements Serializable {

    private static final long serialVersionUID = 1L

    private static final int LONGEST_URL = 1000
    private static final String BASE_URL =
        '(?i)https?://([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\\[[0-9a-f:.]+\\])(:[0-9]{1,5})?(/[a-z0-9_~-][a-z0-9._~-]*)*/*'
    private static final String LOOPBACK = 'localhost|127\\.[0-9.]+|\\[::1\\]'
    /** They have a say in where the token goes, or in whom curl believes to be Last9. */
    private static final List<String> TELLING = ['LAST9_ORG_SLUG', 'LAST9_API_BASE_URL', 'LAST9_ROUTING_PROFILES', 'LAST9_CONFIG', 'LAST9_CA_BUNDLE',
        'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY', 'SSLKEYLOGFILE']

    /** Variables that choose among what others have defined: a parameter may be called so. */
    private static final List<String> LEVELS = ['LAST9_ROUTING_PROFILE', 'LAST9_CREDENTIAL_ID', 'LAST9_DATA_SOURCE_NAME', 'LAST9_DRY_RUN']
    private static final List<String> PROFILE_FIELDS = ['orgSlug', 'credentialId', 'apiBaseUrl', 'dataSourceName']

    /** `base`, `orgSlug` and `dataSourceName`, or a `problem`. */
    @NonCPS
    static Map of(Object script, Map options, Map config) {
        Settings settings = new Settings(script, options, config)
        Map values = settings.values(null, false)
        Map found = settings.whereTo(values.profile)
        String organization = found.orgSlug?.value
        String base = found.apiBaseUrl?.value
        if (!organization || !base) {
            return [problem: 'curl needs the organization and the API\'s address, which the engine reads in the token. Set orgSlug and apiBaseUrl ' +
                '(LAST9_ORG_SLUG and LAST9_API_BASE_URL), or install Python 3.9 or newer']
        }
        base = base.contains('://') ? base : 'https://' + base
        String host = base.toLowerCase().replaceAll('^[a-z]+://', '').replaceAll('(:[0-9]*)?(/.*)?$', '')
        boolean isUsable = base.length() <= LONGEST_URL && base.matches(BASE_URL) && organization.matches('[A-Za-z0-9][A-Za-z0-9._-]{0,99}')
        List places = [config.routingProfiles, Json.object(values.environment.LAST9_ROUTING_PROFILES)]
        boolean isDefined = !values.profile || isDefined((String) values.profile.value, places)
        if (!isUsable || !isDefined || base.toLowerCase().startsWith('http:') && !host.matches(LOOPBACK)) {
            return [problem: 'orgSlug, apiBaseUrl or the routing profile is not usable. last9TestConnection on an agent with Python says why']
        }
        String starter = starter(script, host, found, [] + values.environment.keySet() - LEVELS)
        if (starter) {
            return [problem: "a person who only starts builds may choose where the token goes: ${starter}. Set orgSlug and apiBaseUrl ".toString() +
                'in the Jenkinsfile or as an administrator\'s variables, name the parameter otherwise, or install Python 3.9 or newer']
        }
        String bare = base.replaceAll('/+$', '').replaceAll('/api(/v4)?$', '')
        return [base: bare, orgSlug: organization, dataSourceName: found.dataSourceName?.value]
    }

    /** Whether there is one such routing profile, and no mistake in it that is to be seen here. */
    @NonCPS
    private static boolean isDefined(String profile, List places) {
        int count = 0
        for (Object profiles in places) {
            for (Map.Entry each in (profiles instanceof Map ? profiles : [:]).entrySet()) {
                if (Options.trimmed(each.key) == profile) {
                    count += each.value instanceof Map && !([] + each.value.keySet() - PROFILE_FIELDS) ? 1 : 2
                }
            }
        }
        return count == 1
    }

    /** By what a person who only starts builds may have chosen host or organization; null if by nothing. The rules of request/starters.py. */
    @NonCPS
    private static String starter(Object script, String host, Map found, List<String> named) {
        if ([found.orgSlug.source, found.apiBaseUrl.source].contains('parameter')) {
            return 'a build parameter names host or organization'
        }
        // an administrator's may have a parameter's value by chance, and a profile is selected by one
        String organization = ['global', 'profile'].contains(found.orgSlug.source) ? null : found.orgSlug.value.toLowerCase()
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
                String beginning = text.replaceAll('(?s)[^a-z0-9.\\-\\[\\]].*', '')
                if (text == organization || (text.contains(bare) || beginning && bare.endsWith(beginning)) && !bare.endsWith('.last9.io')) {
                    return "the value of the build parameter ${name} may be a part of it".toString()
                }
            }
        }
        return null
    }

}
