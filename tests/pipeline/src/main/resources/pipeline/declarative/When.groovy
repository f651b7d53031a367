package pipeline.declarative

import org.jenkinsci.plugins.workflow.cps.CpsScript

/** Evaluates when sections. */
class When implements Serializable {
    private static final long serialVersionUID = 1L
    CpsScript script

    /**
     * Whether the stage goes on at this point. A section is evaluated once: at the point it names, by default within the agent. The
     * points are asked in order and nothing is asked after a no, so at a later one an earlier yes is known.
     */
    boolean passes(Map section, String point = null) {
        String at = section == null ? null : ['beforeOptions', 'beforeInput', 'beforeAgent'].find { section[it] }
        return section == null || at != point || all(section.conditions)
    }

    private boolean all(List conditions) {
        for (Map c : conditions) {
            if (!holds(c)) {
                return false
            }
        }
        return true
    }

    private boolean any(List conditions) {
        for (Map c : conditions) {
            if (holds(c)) {
                return true
            }
        }
        return false
    }

    private boolean holds(Map c) {
        switch (c.type) {
            case 'expression': return c.block() ? true : false
            case 'not': return !holds(c.children[0])
            case 'allOf': return all(c.children)
            case 'anyOf': return any(c.children)
            case 'isRestartedRun': return false
            default: return PlainConditions.holds(c.type, c.arguments())
        }
    }
}
