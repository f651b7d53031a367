package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * The argument of a block of `withLast9Deployment`: its window, for facts that are known only during the deployment. The stop carries them.
 *
 * It is saved with the program, so values become texts at once, in @NonCPS methods: no value in it can make a later step fail.
 */
class Deployment implements Serializable {

    private static final long serialVersionUID = 1L
    /** Begins the reason why a value could not be read. */
    static final String PROBLEM = '\u0000'
    /** They are saved with the program; Python keeps less of each. */
    static final int MOST_ATTRIBUTES = 100
    static final int MOST_CHARACTERS = 2000

    /** The window's id, as both markers have it. */
    final String id
    /** No names of properties: in the sandbox a getter would read its own field through itself. */
    private final DeploymentAttributes set = new DeploymentAttributes()
    private String said = null

    Deployment(String id) {
        this.id = id
    }

    /** Set one with `attributes['image.digest'] = …`. */
    @NonCPS
    DeploymentAttributes getAttributes() {
        return set
    }

    /** `attributes = [:]` and `attributes += [:]` add to what is there. */
    @NonCPS
    void setAttributes(Object given) {
        if (given instanceof Map) {
            set.putAll(given)
        } else {
            set.put(PROBLEM + 'what was set as attributes is not a map and is ignored', null)
        }
    }

    @NonCPS
    String getVersion() {
        return said
    }

    @NonCPS
    void setVersion(Object given) {
        said = DeploymentAttributes.text(given)
    }

    /** What cannot be read, for a warning each. */
    @NonCPS
    List<String> problems() {
        List<String> problems = []
        for (Map.Entry entry in set.entrySet()) {
            if (isProblem(entry.key)) {
                problems.add(entry.key.substring(1))
            } else if (isProblem(entry.value)) {
                problems.add("attribute '${entry.key}' cannot be read and is ignored: ${entry.value.substring(1)}".toString())
            }
        }
        if (isProblem(said)) {
            problems.add("the version cannot be read and is ignored: ${said.substring(1)}".toString())
        }
        return problems
    }

    /** The options of the step that change by it; empty if none does. */
    @NonCPS
    Map over(Map options) {
        Map attributes = [:]
        for (Map.Entry entry in set.entrySet()) {
            if (!isProblem(entry.key) && !isProblem(entry.value)) {
                attributes[entry.key] = entry.value
            }
        }
        Map more = [:]
        if (attributes) {
            Object given = options?.customAttributes
            more.customAttributes = (given instanceof Map ? given : [:]) + attributes
        }
        if (said != null && !isProblem(said)) {
            more.version = said
        }
        return more
    }

    @NonCPS
    boolean isChanged() {
        return said != null || set.size() > 0
    }

    @NonCPS
    private static boolean isProblem(String text) {
        return text != null && text.startsWith(PROBLEM)
    }

    @NonCPS
    @Override
    String toString() {
        return id
    }

}
