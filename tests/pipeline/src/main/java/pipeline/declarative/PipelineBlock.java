package pipeline.declarative;

import java.util.ArrayList;
import java.util.List;
import org.codehaus.groovy.ast.ClassNode;
import org.codehaus.groovy.ast.CodeVisitorSupport;
import org.codehaus.groovy.ast.MethodNode;
import org.codehaus.groovy.ast.expr.ArgumentListExpression;
import org.codehaus.groovy.ast.expr.ClosureExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.stmt.ExpressionStatement;
import org.codehaus.groovy.ast.stmt.Statement;
import org.codehaus.groovy.classgen.GeneratorContext;
import org.codehaus.groovy.control.CompilePhase;
import org.codehaus.groovy.control.SourceUnit;
import org.codehaus.groovy.control.customizers.CompilationCustomizer;

/**
 * Compiles {@code pipeline { }}: the block becomes a literal of maps, lists and closures that {@code Declarative.groovy} interprets.
 * Done on the syntax tree, as pipeline-model-definition does it, because its checks are compile errors [312] and because the values
 * of {@code environment} are evaluated one by one, in an order of their own [106]. What is made holds only the pipeline's own
 * closures: it is saved and sandboxed with them. Looked for where Jenkins looks: at the top of a Jenkinsfile and in {@code call}
 * methods of library vars [603].
 */
public final class PipelineBlock extends CompilationCustomizer {
    private static final String NAME = "pipeline";

    public PipelineBlock() {
        // Before names are resolved: made and written code are then treated alike by everything that follows.
        super(CompilePhase.CONVERSION);
    }

    @Override
    public void call(SourceUnit source, GeneratorContext context, ClassNode type) {
        if (!type.isScript()) {
            return;
        }
        Problems problems = new Problems(source);
        List<MethodCallExpression> found = new ArrayList<>();
        for (Statement s : source.getAST().getStatementBlock().getStatements()) {
            if (isPipeline(s)) {
                found.add(Ast.call(s));
            } else {
                nested(s, problems);
            }
        }
        for (MethodNode m : type.getMethods("call")) {
            found.addAll(within(m.getCode()));
        }
        for (MethodCallExpression c : found) {
            MapExpression model = new RootParser(problems).parse(c, Ast.block(c));
            c.setArguments(Ast.at(new ArgumentListExpression(model), c.getArguments()));
        }
    }

    private static boolean isPipeline(Statement s) {
        MethodCallExpression c = Ast.call(s);
        return c != null && NAME.equals(Ast.name(c)) && Ast.block(c) != null && Ast.all(c).size() == 1;
    }

    private static void nested(Statement s, Problems problems) {
        within(s).forEach(c -> problems.add(c, "pipeline block must be at the top-level, not within another block."));
    }

    private static List<MethodCallExpression> within(Statement code) {
        List<MethodCallExpression> r = new ArrayList<>();
        code.visit(new CodeVisitorSupport() {
            @Override
            public void visitExpressionStatement(ExpressionStatement s) {
                if (isPipeline(s)) {
                    r.add(Ast.call(s));
                } else {
                    super.visitExpressionStatement(s);
                }
            }

            @Override
            public void visitClosureExpression(ClosureExpression c) {
                c.getCode().visit(this);
            }
        });
        return r;
    }
}
