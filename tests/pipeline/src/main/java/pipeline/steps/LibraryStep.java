package pipeline.steps;

import hudson.AbortException;
import pipeline.engine.Step;

/** {@code library 'name'}: loads a library at run time [613]. */
@Step.Named(value = "library", type = "org.jenkinsci.plugins.workflow.libs.LibraryStep", sole = "identifier")
public final class LibraryStep extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) String identifier;
    @Arg boolean changelog = true;

    @Override
    public void start() throws AbortException {
        String name = identifier.replaceFirst("@.*", "");
        if (build().state().libraries.containsKey(name)) {
            call.log("Only using first definition of library " + name);
        } else {
            call.log("Loading library " + identifier);
            try {
                build().loaders().load(identifier);
            } catch (IllegalArgumentException e) {
                throw new AbortException(e.getMessage());
            }
        }
        call.succeed(new LoadedClasses(""));
    }
}
