package pipeline.library;

import java.util.List;
import org.codehaus.groovy.ast.expr.BinaryExpression;
import org.codehaus.groovy.ast.expr.DeclarationExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.PropertyExpression;
import org.codehaus.groovy.ast.expr.VariableExpression;
import org.codehaus.groovy.ast.stmt.BlockStatement;
import org.codehaus.groovy.ast.stmt.ExpressionStatement;
import org.codehaus.groovy.ast.stmt.ReturnStatement;
import org.codehaus.groovy.ast.stmt.Statement;
import org.codehaus.groovy.syntax.Token;
import org.codehaus.groovy.syntax.Types;

/** In groovy-cps 1.31 the value of {@code a = c}, {@code a.b = c} and {@code a[b] = c} is null: a block that ends so gets a variable for it. */
final class LastAssignment {
    private static final String VARIABLE = "$assigned";

    private LastAssignment() {}

    static void keepValue(BlockStatement block) {
        List<Statement> statements = block.getStatements();
        if (statements.isEmpty()) {
            return;
        }
        Statement last = statements.get(statements.size() - 1);
        Expression e = last instanceof ExpressionStatement s ? s.getExpression() : last instanceof ReturnStatement r ? r.getExpression() : null;
        if (!(e instanceof BinaryExpression b) || b instanceof DeclarationExpression || b.getOperation().getType() != Types.EQUAL
                || !isAssignable(b.getLeftExpression())) {
            return;
        }
        VariableExpression value = new VariableExpression(VARIABLE);
        value.setAccessedVariable(value);
        Token equal = b.getOperation();
        statements.set(statements.size() - 1, at(new DeclarationExpression(value, equal, b.getRightExpression()), b));
        statements.add(at(new BinaryExpression(b.getLeftExpression(), equal, value), b));
        statements.add(at(value, b));
        block.getVariableScope().putDeclaredVariable(value);
    }

    private static boolean isAssignable(Expression e) {
        return e instanceof VariableExpression || e instanceof PropertyExpression || e instanceof BinaryExpression b && b.getOperation().getType() == Types.LEFT_SQUARE_BRACKET;
    }

    private static Statement at(Expression made, Expression from) {
        made.setSourcePosition(from);
        ExpressionStatement s = new ExpressionStatement(made);
        s.setSourcePosition(from);
        return s;
    }
}
