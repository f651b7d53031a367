package org.last9

import groovy.json.JsonOutput

/**
 * Runs the engine on the current node: one `fileExists`, one `writeFile`, one `sh` or `bat`; on a node's first marker the bundle as well.
 *
 * Data reaches the engine in a file only. What goes into the launcher's text is a UUID made here and the bundle's hash.
 */
class Launcher implements Serializable {

    private static final long serialVersionUID = 1L

    /** The launchers' texts, so that only a build's first marker reads them from the library (a flow node each time). Empty after a restart. */
    private static final Map<String, String> TEXTS = [:]

    private final Object script

    Launcher(Object script) {
        this.script = script
    }

    /** The engine's answer to the request, null when none came. */
    Map run(Map request) {
        String id = UUID.randomUUID().toString()
        String folder = temporaryFolder()
        placeBundle(folder, id)
        script.writeFile(file: "${folder}/request-${id}.json".toString(), text: JsonOutput.toJson(request), encoding: 'UTF-8')
        return Answer.parse(launch(id, request.step == Report.STEP ? 'Last9 deployment report' : 'Last9 deployment marker'))
    }

    /** The text is nested into the call: a variable that holds half a megabyte would be written into the program's state. */
    private void placeBundle(String folder, String id) {
        if (!script.fileExists("${folder}/last9-markers-${Bundle.SHA256}.pyz".toString())) {
            script.writeFile(file: "${folder}/incoming-${id}.pyz".toString(), encoding: 'Base64',
                text: script.libraryResource(resource: 'last9/last9-markers.pyz', encoding: 'Base64'))
        }
    }

    private String launch(String id, String label) {
        if (isUnix()) {
            return script.sh(script: text('last9/run.sh', id), returnStdout: true, label: label)
        }
        // run.bat has Python write UTF-8; without a word Jenkins takes it for the encoding of the agent's Java
        return script.bat(script: text('last9/run.bat', id), returnStdout: true, encoding: 'UTF-8', label: label)
    }

    private String text(String resource, String id) {
        if (!TEXTS[resource]) {
            TEXTS[resource] = script.libraryResource(resource: resource, encoding: 'UTF-8')
        }
        return TEXTS[resource].replace('@REQUEST@', id).replace('@BUNDLE@', Bundle.SHA256)
    }

    /** Told from the workspace's path, which costs no step. */
    private boolean isUnix() {
        return script.env.WORKSPACE.startsWith('/')
    }

    /** Beside the workspace, never in it. Jenkins before 2.222 has no WORKSPACE_TMP. */
    private String temporaryFolder() {
        return (script.env.WORKSPACE_TMP ?: script.env.WORKSPACE + '@tmp') + '/last9'
    }

}
