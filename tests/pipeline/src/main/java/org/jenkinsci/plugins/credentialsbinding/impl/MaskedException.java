package org.jenkinsci.plugins.credentialsbinding.impl;

/** Imitation: an exception that left withCredentials and whose text held a secret [105]. */
public final class MaskedException extends Exception {
    private static final long serialVersionUID = 1L;

    public MaskedException(String message) {
        super(message);
    }
}
