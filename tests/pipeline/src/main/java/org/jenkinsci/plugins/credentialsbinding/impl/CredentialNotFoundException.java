package org.jenkinsci.plugins.credentialsbinding.impl;

import hudson.AbortException;

/** Imitation: no credential of that id, or of another kind [401]. */
public class CredentialNotFoundException extends AbortException {
    private static final long serialVersionUID = 1L;

    public CredentialNotFoundException(String message) {
        super(message);
    }
}
