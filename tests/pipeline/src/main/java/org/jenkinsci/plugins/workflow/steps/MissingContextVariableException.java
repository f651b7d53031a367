package org.jenkinsci.plugins.workflow.steps;

/** Imitation: a step was called where what it needs (a node) is missing [401]. */
public final class MissingContextVariableException extends Exception {
    private static final long serialVersionUID = 1L;

    public MissingContextVariableException(String type, String step) {
        super("Required context class " + type + " is missing\nPerhaps you forgot to surround the " + step
                + " step with a step that provides this, such as: node");
    }
}
