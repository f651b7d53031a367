package jenkins.model;

import groovy.lang.GroovyObjectSupport;

/** Imitation of the controller object: a trusted library can hold it [612]; every use of it is refused by name. */
public class Jenkins extends GroovyObjectSupport {
    public static Jenkins get() {
        return new hudson.model.Hudson();
    }

    public static Jenkins getInstance() {
        return get();
    }

    @Override
    public Object getProperty(String name) {
        throw new UnsupportedOperationException("The pipeline runner does not imitate jenkins.model.Jenkins." + name);
    }

    @Override
    public Object invokeMethod(String name, Object args) {
        throw new UnsupportedOperationException("The pipeline runner does not imitate jenkins.model.Jenkins." + name + "()");
    }
}
