package pipeline.declarative;

import java.util.HashSet;
import java.util.Set;
import org.codehaus.groovy.ast.ASTNode;
import org.codehaus.groovy.control.SourceUnit;
import org.codehaus.groovy.control.messages.SyntaxErrorMessage;
import org.codehaus.groovy.syntax.SyntaxException;

/** Compile errors of a Declarative pipeline, in the texts of pipeline-model-definition [312]; a build with one fails before it starts. */
final class Problems {
    private final SourceUnit source;
    private final Set<String> told = new HashSet<>();

    Problems(SourceUnit source) {
        this.source = source;
    }

    void add(ASTNode where, String text) {
        if (told.add(where.getLineNumber() + ":" + where.getColumnNumber() + ":" + text)) {
            source.getErrorCollector().addErrorAndContinue(new SyntaxErrorMessage(
                    new SyntaxException(text, where.getLineNumber(), where.getColumnNumber()), source));
        }
    }

    /** Jenkins would take it, the runner does not. */
    void refuse(ASTNode where, String what) {
        add(where, "The pipeline runner does not imitate " + what + ". See tests/pipeline/README.md for what it does.");
    }
}
