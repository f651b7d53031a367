package hudson.model;

import jenkins.model.Jenkins;

/** Imitation: the class of the controller object [612]. */
public final class Hudson extends Jenkins {}
