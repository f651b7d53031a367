package pipeline.library;

import com.cloudbees.groovy.cps.CpsTransformer;
import com.cloudbees.groovy.cps.TransformerConfiguration;
import org.codehaus.groovy.control.CompilerConfiguration;
import org.codehaus.groovy.control.customizers.ImportCustomizer;
import org.jenkinsci.plugins.workflow.cps.CpsClosure2;
import org.jenkinsci.plugins.workflow.cps.CpsScript;
import org.jenkinsci.plugins.workflow.cps.Safepoint;
import pipeline.sandbox.SandboxTransformer;

/** Compiler settings as workflow-cps makes them: its transformer, its script base class, its default imports. */
final class Compiler {
    private Compiler() {}

    static CompilerConfiguration configuration(boolean sandbox) {
        CompilerConfiguration c = new CompilerConfiguration();
        ImportCustomizer imports = new ImportCustomizer();
        imports.addStarImports("com.cloudbees.groovy.cps", "hudson.model", "jenkins.model", "org.jenkinsci.plugins.workflow.libs");
        c.addCompilationCustomizers(imports);
        c.addCompilationCustomizers(new NewerGroovyCps(sandbox));
        CpsTransformer t = sandbox ? new SandboxTransformer() : new CpsTransformer();
        t.setConfiguration(new TransformerConfiguration()
                .withClosureType(CpsClosure2.class)
                .withSafepoint(Safepoint.class, "safepoint"));
        c.addCompilationCustomizers(t);
        c.setScriptBaseClass(CpsScript.class.getName());
        return c;
    }
}
