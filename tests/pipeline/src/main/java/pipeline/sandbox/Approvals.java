package pipeline.sandbox;

import org.kohsuke.groovy.sandbox.GroovyInterceptor;

/** Decides which calls sandboxed code may make. */
final class Approvals extends GroovyInterceptor {
}
