package pipeline.declarative;

import pipeline.engine.Step;

/** {@code getContext} as Declarative itself calls it for a skipped stage [204]: only its place in log and flow graph matters. */
@Step.Named(value = "getContext", type = "org.jenkinsci.plugins.workflow.cps.steps.ingroovy.GetContextStep")
public final class GetContext extends Step {
    private static final long serialVersionUID = 1L;
    @Arg Object type;

    @Override
    public void start() {
        if (type != null) {
            throw new UnsupportedOperationException("The pipeline runner does not imitate the step 'getContext'");
        }
        call.succeed(null);
    }
}
