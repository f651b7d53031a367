package org.last9

import com.cloudbees.groovy.cps.NonCPS

/**
 * What a block of `withLast9Deployment` gets: its window, for what is known only during the deployment. What is set goes out with the stop.
 *
 * It is saved with the program, so values become texts at once, in @NonCPS methods: nothing that is put here can make a later step fail.
 */
class Deployment implements Serializable {

    private static final long serialVersionUID = 1L

    /** The window's id, as both markers have it. */
    final String id
    private final DeploymentAttributes attributes = new DeploymentAttributes()
    private String version = null

    Deployment(String id) {
        this.id = id
    }

    /** Set one with `attributes['image.digest'] = …`. */
    @NonCPS
    DeploymentAttributes getAttributes() {
        return attributes
    }

    /** The same as `putAll`. */
    @NonCPS
    void setAttributes(Object given) {
        attributes.putAll(given)
    }

    @NonCPS
    String getVersion() {
        return version
    }

    @NonCPS
    void setVersion(Object given) {
        version = attributes.read('version', given) ?: version
    }

    /** What cannot be read, for a warning each. */
    @NonCPS
    List<String> problems() {
        return attributes.problems()
    }

    @NonCPS
    boolean isChanged() {
        return version != null || attributes.values()
    }

    /** The options of the step that change by it. */
    @NonCPS
    Map over(Map options) {
        Map more = [:]
        if (attributes.values()) {
            Object given = options?.customAttributes
            more.customAttributes = (given instanceof Map ? given : [:]) + attributes.values()
        }
        if (version != null) {
            more.version = version
        }
        return more
    }

    @NonCPS
    @Override
    String toString() {
        return id
    }

}
