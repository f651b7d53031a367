package org.jenkinsci.plugins.workflow.job;

import groovy.lang.GroovyObjectSupport;

/** Stand-in of the build itself: a trusted library can hold it [612]; whatever it asks of it is refused by name. */
public final class WorkflowRun extends GroovyObjectSupport {
    @Override
    public Object getProperty(String name) {
        throw new UnsupportedOperationException("The pipeline runner does not imitate currentBuild.rawBuild." + name);
    }

    @Override
    public Object invokeMethod(String name, Object args) {
        throw new UnsupportedOperationException("The pipeline runner does not imitate currentBuild.rawBuild." + name + "()");
    }
}
