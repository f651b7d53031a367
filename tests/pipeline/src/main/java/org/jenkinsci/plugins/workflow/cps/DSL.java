package org.jenkinsci.plugins.workflow.cps;

import groovy.lang.GroovyObjectSupport;
import java.io.Serializable;
import pipeline.engine.Steps;

/** Imitation of what the variable {@code steps} holds: calls steps by name. */
public class DSL extends GroovyObjectSupport implements Serializable {
    private static final long serialVersionUID = 1L;

    @Override
    public Object invokeMethod(String name, Object args) {
        return Steps.invoke(name, args);
    }

    private Object readResolve() {
        return new DSL();
    }
}
