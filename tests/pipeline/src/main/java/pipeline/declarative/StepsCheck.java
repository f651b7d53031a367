package pipeline.declarative;

import java.util.List;
import java.util.Map;
import org.codehaus.groovy.ast.expr.ClosureExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.expr.TupleExpression;
import org.codehaus.groovy.ast.stmt.ExpressionStatement;
import org.codehaus.groovy.ast.stmt.Statement;
import pipeline.engine.Steps;

/**
 * Checks {@code steps} and post blocks: nothing but calls of steps and vars, also in the blocks of these; any Groovy only in
 * {@code script}. An unknown name is not an error here, it fails when called [315].
 */
final class StepsCheck {
    /** What must be given, by the constructors of Jenkins' step classes: for {@code node} more than in scripted pipelines [312]. */
    private static final Map<String, List<String>> REQUIRED = Map.ofEntries(
            Map.entry("archiveArtifacts", List.of("artifacts")), Map.entry("checkout", List.of("scm")), Map.entry("dir", List.of("path")),
            Map.entry("echo", List.of("message")), Map.entry("error", List.of("message")), Map.entry("fileExists", List.of("file")),
            Map.entry("library", List.of("identifier")), Map.entry("libraryResource", List.of("resource")),
            Map.entry("node", List.of("label")), Map.entry("readFile", List.of("file")), Map.entry("retry", List.of("count")),
            Map.entry("sh", List.of("script")), Map.entry("sleep", List.of("time")), Map.entry("timeout", List.of("time")),
            Map.entry("unstable", List.of("message")), Map.entry("warnError", List.of("message")),
            Map.entry("withCredentials", List.of("bindings")), Map.entry("withEnv", List.of("overrides")),
            Map.entry("writeFile", List.of("file", "text")), Map.entry("ws", List.of("dir")));
    private static final Map<String, String> BLOCKED = Map.of(
            "stage", "The stage step cannot be used in Declarative Pipelines",
            "properties", "The properties step cannot be used in Declarative Pipelines",
            "parallel", "The parallel step can only be used as the only top-level step in a stage's step block");
    private final Problems problems;

    StepsCheck(Problems problems) {
        this.problems = problems;
    }

    void check(ClosureExpression block) {
        List<Statement> statements = Ast.statements(block);
        if (statements.isEmpty()) {
            problems.add(block, "No steps specified for branch");
        }
        statements.forEach(this::step);
    }

    /** The block of a stage's {@code steps}: it alone may hold one {@code parallel}. */
    void checkSteps(ClosureExpression block) {
        List<Statement> statements = Ast.statements(block);
        MethodCallExpression only = statements.size() == 1 ? Ast.call(statements.get(0)) : null;
        if (only == null || !"parallel".equals(Ast.name(only))) {
            check(block);
        }
    }

    private void step(Statement s) {
        MethodCallExpression c = Ast.call(s);
        if (c == null) {
            boolean onObject = s instanceof ExpressionStatement e && e.getExpression() instanceof MethodCallExpression;
            // A second complaint that misleads [523].
            boolean positional = onObject && ((MethodCallExpression) ((ExpressionStatement) s).getExpression()).getArguments() instanceof TupleExpression t
                    && t.getExpressions().size() > 1;
            problems.add(s, onObject ? "Method calls on objects not allowed outside \"script\" blocks." : "Expected a step");
            if (positional) {
                problems.add(s, "Arguments to \"error\" must be explicitly named.");
            }
            return;
        }
        String name = Ast.name(c);
        if (BLOCKED.containsKey(name)) {
            problems.add(s, "Invalid step \"" + name + "\" used - not allowed in this context - " + BLOCKED.get(name));
        } else if (name.equals("script")) {
            if (Ast.block(c) == null) {
                problems.add(s, "Expected a block with the \"script\" step");
            }
        } else {
            arguments(s, name, Ast.arguments(c));
            if (Ast.block(c) != null) {
                Ast.statements(Ast.block(c)).forEach(this::step);
            }
        }
    }

    private void arguments(Statement s, String name, List<Expression> given) {
        List<String> required = REQUIRED.getOrDefault(name, List.of());
        if (given.size() == 1 && !(given.get(0) instanceof MapExpression) && required.size() > 1) {
            problems.add(s, "Step does not take a single required parameter - use named parameters instead");
        }
        new NamedArguments(problems).check(s, given, required, Steps.parameters(name));
    }
}
