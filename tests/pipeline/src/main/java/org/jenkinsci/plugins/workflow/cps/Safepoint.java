package org.jenkinsci.plugins.workflow.cps;

import com.cloudbees.groovy.cps.Continuable;

/** Called by transformed code in loops, methods and closures: lets other branches, and aborts, have their turn. */
public final class Safepoint {
    public static final Object HERE = new Object();

    private Safepoint() {}

    public static void safepoint() {
        Continuable.suspend("safepoint", HERE);
    }
}
