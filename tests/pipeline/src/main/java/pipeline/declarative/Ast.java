package pipeline.declarative;

import java.util.ArrayList;
import java.util.List;
import org.codehaus.groovy.ast.ASTNode;
import org.codehaus.groovy.ast.Parameter;
import org.codehaus.groovy.ast.VariableScope;
import org.codehaus.groovy.ast.expr.ClosureExpression;
import org.codehaus.groovy.ast.expr.ConstantExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.ListExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.expr.NamedArgumentListExpression;
import org.codehaus.groovy.ast.expr.TupleExpression;
import org.codehaus.groovy.ast.expr.VariableExpression;
import org.codehaus.groovy.ast.stmt.BlockStatement;
import org.codehaus.groovy.ast.stmt.ExpressionStatement;
import org.codehaus.groovy.ast.stmt.ReturnStatement;
import org.codehaus.groovy.ast.stmt.Statement;

/** Reads and makes pieces of Groovy's syntax tree. */
final class Ast {
    private Ast() {}

    /** The statement as a call of a plain name, or null: {@code echo 'x'}, {@code stage('a') { }}. */
    static MethodCallExpression call(Statement s) {
        return s instanceof ExpressionStatement e && e.getExpression() instanceof MethodCallExpression c && name(c) != null ? c : null;
    }

    /** The plain name that is called, or null for a call on an object. */
    static String name(MethodCallExpression c) {
        boolean plain = c.isImplicitThis() && c.getMethod() instanceof ConstantExpression;
        return plain ? c.getMethodAsString() : null;
    }

    /** All arguments; names given without parentheses or brackets as one map. */
    static List<Expression> all(MethodCallExpression c) {
        List<Expression> r = new ArrayList<>();
        if (c.getArguments() instanceof TupleExpression t) {
            for (Expression e : t.getExpressions()) {
                r.add(e instanceof NamedArgumentListExpression n ? at(new MapExpression(n.getMapEntryExpressions()), n) : e);
            }
        }
        return r;
    }

    /** The block a call ends with, or null. */
    static ClosureExpression block(MethodCallExpression c) {
        List<Expression> all = all(c);
        return !all.isEmpty() && all.get(all.size() - 1) instanceof ClosureExpression b ? b : null;
    }

    /** The arguments before the block. */
    static List<Expression> arguments(MethodCallExpression c) {
        List<Expression> all = all(c);
        return block(c) == null ? all : new ArrayList<>(all.subList(0, all.size() - 1));
    }

    static List<Statement> statements(ClosureExpression c) {
        return c.getCode() instanceof BlockStatement b ? b.getStatements() : List.of(c.getCode());
    }

    /** The text of a constant, or null. */
    static String constant(Expression e) {
        return e instanceof ConstantExpression c && c.getValue() instanceof String s ? s : null;
    }

    /** A bare word such as {@code any}, or null. */
    static String word(Expression e) {
        return e instanceof VariableExpression v && !v.isThisExpression() && !v.isSuperExpression() ? v.getName() : null;
    }

    /** {@code { -> value }}: evaluated when its turn comes. */
    static ClosureExpression later(Expression value) {
        return later(value, Parameter.EMPTY_ARRAY);
    }

    static ClosureExpression later(Expression value, Parameter... parameters) {
        ReturnStatement result = at(new ReturnStatement(value), value);
        ClosureExpression c = new ClosureExpression(parameters, at(new BlockStatement(List.of(result), new VariableScope()), value));
        c.setVariableScope(new VariableScope());
        return at(c, value);
    }

    /** {@code { -> [arguments] }}. */
    static ClosureExpression argumentsLater(MethodCallExpression c) {
        return later(at(new ListExpression(arguments(c)), c));
    }

    static Expression text(String s) {
        return new ConstantExpression(s);
    }

    static Expression truth(boolean b) {
        return new ConstantExpression(b);
    }

    static void put(MapExpression map, String key, Expression value) {
        if (value != null) {
            map.addMapEntryExpression(new ConstantExpression(key), value);
        }
    }

    /** Gives a made node the place of the one it stands for: errors and traces name it. */
    static <T extends ASTNode> T at(T made, ASTNode of) {
        made.setSourcePosition(of);
        return made;
    }
}
