package pipeline.declarative

import org.jenkinsci.plugins.workflow.cps.CpsScript

/** What stages and the pipeline as a whole run in: node and checkout, credentials and environment, options that are steps. */
class Surroundings implements Serializable {
    private static final long serialVersionUID = 1L
    CpsScript script
    Map optionsOfPipeline = [:]

    /** Name to arguments; evaluated here, once. */
    Map options(List declared) {
        Map r = [:]
        for (List option : declared ?: []) {
            r[option[0]] = option[1]()
        }
        return r
    }

    /** Runs it on the agent that the section asks for; nothing for none, or where a stage has no section. */
    void agent(Map section, boolean ofStage, Map stageOptions = [:], Closure body) {
        if (section == null || section.type == 'none') {
            body()
        } else if (section.type == 'any') {
            script.node { workspace(section, ofStage, stageOptions, body) }
        } else {
            String label = section.label()
            int retries = section.retries == null ? 1 : section.retries() as int
            if (retries > 1) {
                script.retry(count: retries, conditions: [script.agent(), script.nonresumable()]) {
                    script.node(label) { workspace(section, ofStage, stageOptions, body) }
                }
            } else {
                script.node(label) { workspace(section, ofStage, stageOptions, body) }
            }
        }
    }

    private void workspace(Map section, boolean ofStage, Map stageOptions, Closure body) {
        if (section.customWorkspace == null) {
            checkedOut(ofStage, stageOptions, body)
        } else {
            script.ws(section.customWorkspace()) { checkedOut(ofStage, stageOptions, body) }
        }
    }

    /** The implicit checkout: a stage of its own outside of stages; its GIT_* hold for all that runs here [102]. */
    private void checkedOut(boolean ofStage, Map stageOptions, Closure body) {
        Map git = null
        if (DeclarativeBuild.hasScm() && !skipsCheckout(stageOptions)) {
            if (ofStage) {
                git = checkout()
            } else {
                script.stage('Declarative: Checkout SCM') { git = checkout() }
            }
        }
        if (git) {
            List<String> variables = []
            for (String name : git.keySet()) {
                variables << name + '=' + git[name]
            }
            script.withEnv(variables, body)
        } else {
            body()
        }
    }

    private Map checkout() {
        if (!optionsOfPipeline.checkoutToSubdirectory) {
            return script.checkout(script.scm)
        }
        Map git = null
        script.dir(optionsOfPipeline.checkoutToSubdirectory[0]) { git = script.checkout(script.scm) }
        return git
    }

    private boolean skipsCheckout(Map stageOptions) {
        Map from = stageOptions.containsKey('skipDefaultCheckout') ? stageOptions : optionsOfPipeline
        List skip = from.skipDefaultCheckout
        // Without an argument it means true.
        return skip != null && (skip.isEmpty() || skip[0])
    }

    /** Runs it with the credentials and then the variables of an environment section: one block each, if there are any [106]. */
    void environment(Map holder, Closure body) {
        credentials(holder) {
            variables(holder.environment, body)
        }
    }

    private void credentials(Map holder, Closure body) {
        Map<String, String> ids = new HashMap<String, String>()
        if (holder.credentials) {
            for (String name : holder.credentials.keySet()) {
                ids[name] = holder.credentials[name](valueOf(holder.environment)) as String
            }
        }
        if (ids) {
            script.withCredentials(DeclarativeBuild.bindings(ids), body)
        } else {
            body()
        }
    }

    private void variables(Map environment, Closure body) {
        if (!environment) {
            body()
            return
        }
        List variables = []
        Closure others = valueOf(environment)
        // In a HashMap's order, which the flow graph shows [106].
        for (String name : DeclarativeBuild.unordered(environment.keySet())) {
            def value = environment[name](others)
            // A GString: whether a secret was interpolated is judged by it [106].
            variables << "${name}=${value}"
        }
        script.withEnv(variables, body)
    }

    /** Gives the value of another variable of the same section, by its name; what a closure finds outside, or null. */
    private Closure valueOf(Map environment) {
        Closure others
        others = { what -> what instanceof Closure ? valueOrNull(what) : environment[what](others) }
        return others
    }

    private Object valueOrNull(Closure variable) {
        try {
            return variable()
        } catch (MissingPropertyException e) {
            return null
        }
    }

    /** Runs it within the options that are steps, the first outermost [901, 902]. */
    void wrappers(List declared, Closure body) {
        List rest = []
        for (List option : declared ?: []) {
            if (DeclarativeBuild.isWrapper(option[0])) {
                rest << option
            }
        }
        wrap(rest, body)
    }

    private void wrap(List rest, Closure body) {
        if (rest.isEmpty()) {
            body()
            return
        }
        List inner = new ArrayList(rest.subList(1, rest.size()))
        List arguments = rest[0][1]()
        if (arguments.isEmpty()) {
            script."${rest[0][0]}"() { wrap(inner, body) }
        } else {
            script."${rest[0][0]}"(arguments[0]) { wrap(inner, body) }
        }
    }
}
