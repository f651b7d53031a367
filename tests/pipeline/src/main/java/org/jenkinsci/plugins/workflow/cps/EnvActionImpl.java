package org.jenkinsci.plugins.workflow.cps;

import groovy.lang.GroovyObjectSupport;
import java.io.Serializable;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import pipeline.engine.Build;

/** Imitation of {@code env}: reads the environment of the place it is used in, writes for the whole build, as text [104, 201]. */
public final class EnvActionImpl extends GroovyObjectSupport implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Null for an unknown and for an empty variable [104]. */
    @Override
    public Object getProperty(String name) {
        String v = Build.current().environment().get(name);
        return v == null || v.isEmpty() ? null : v;
    }

    @Override
    public void setProperty(String name, Object value) {
        Build.current().state().env.put(name, String.valueOf(value));
    }

    public Map<String, String> getEnvironment() {
        Map<String, String> all = new TreeMap<>(Build.current().environment(pipeline.engine.Context.TOP));
        return all;
    }

    public Map<String, String> getOverriddenEnvironment() {
        return Collections.unmodifiableMap(new TreeMap<>(Build.current().state().env));
    }

    private Object readResolve() {
        return new EnvActionImpl();
    }
}
