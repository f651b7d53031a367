package pipeline.declarative;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.codehaus.groovy.ast.ClassHelper;
import org.codehaus.groovy.ast.Parameter;
import org.codehaus.groovy.ast.expr.ArgumentListExpression;
import org.codehaus.groovy.ast.expr.BinaryExpression;
import org.codehaus.groovy.ast.expr.ClosureExpression;
import org.codehaus.groovy.ast.expr.ConstantExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.ExpressionTransformer;
import org.codehaus.groovy.ast.expr.GStringExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.expr.PropertyExpression;
import org.codehaus.groovy.ast.expr.VariableExpression;
import org.codehaus.groovy.ast.stmt.ExpressionStatement;
import org.codehaus.groovy.ast.stmt.Statement;
import org.codehaus.groovy.syntax.Types;

/**
 * Parses {@code environment { }}: each value becomes a closure. Where it names another variable of the same block, as {@code X} or
 * {@code env.X}, it asks for that one's value through its parameter; its own name and all others mean what is outside [106], null if there is
 * nothing (pipeline-model-definition's own tests).
 */
final class EnvironmentParser {
    /** The parameter of every value's closure: called with a name it gives that variable's value; with a closure, its value or null. */
    private static final String BLOCK = "$environmentOfThisBlock";
    private final Problems problems;

    EnvironmentParser(Problems problems) {
        this.problems = problems;
    }

    void parse(MethodCallExpression section, List<Statement> statements, MapExpression model) {
        Map<String, Expression> values = new LinkedHashMap<>();
        statements.forEach(s -> assignment(s, values));
        if (statements.isEmpty()) {
            problems.add(section, "No variables specified for environment");
        }
        MapExpression environment = Ast.at(new MapExpression(), section);
        MapExpression credentials = Ast.at(new MapExpression(), section);
        values.forEach((name, value) -> {
            Expression id = credentialsId(value);
            ClosureExpression closure = closure(name, id == null ? value : id, values);
            Ast.put(id == null ? environment : credentials, name, closure);
        });
        Ast.put(model, "environment", environment);
        Ast.put(model, "credentials", credentials);
    }

    private void assignment(Statement s, Map<String, Expression> values) {
        boolean assigns = s instanceof ExpressionStatement e && e.getExpression() instanceof BinaryExpression b
                && b.getOperation().getType() == Types.EQUAL && Ast.word(b.getLeftExpression()) != null;
        if (!assigns) {
            problems.add(s, "Expected name=value pairs");
            return;
        }
        BinaryExpression b = (BinaryExpression) ((ExpressionStatement) s).getExpression();
        check(b.getRightExpression());
        if (values.put(Ast.word(b.getLeftExpression()), b.getRightExpression()) != null) {
            problems.add(b, "Duplicate environment variable name: \"" + Ast.word(b.getLeftExpression()) + "\"");
        }
    }

    private void check(Expression value) {
        if (value instanceof ConstantExpression || value instanceof GStringExpression || value instanceof MethodCallExpression) {
            return;
        }
        if (!(value instanceof BinaryExpression b)) {
            problems.add(value, "Environment variable values must either be single quoted, double quoted, or function calls.");
        } else if (b.getOperation().getType() != Types.PLUS) {
            problems.add(value, "Environment variable values can only be joined together with ‘+’s.");
        } else {
            joined(b.getLeftExpression());
            joined(b.getRightExpression());
        }
    }

    private void joined(Expression part) {
        if (part instanceof BinaryExpression) {
            check(part);
        } else if (!(part instanceof ConstantExpression) && !(part instanceof GStringExpression)) {
            problems.add(part, "Environment variable values to be concatenated together must be single or double quoted.");
        }
    }

    /** The id in {@code credentials('id')}, or null for any other value. */
    private static Expression credentialsId(Expression value) {
        boolean credentials = value instanceof MethodCallExpression c && "credentials".equals(Ast.name(c)) && Ast.all(c).size() == 1;
        return credentials ? Ast.all((MethodCallExpression) value).get(0) : null;
    }

    private static ClosureExpression closure(String own, Expression value, Map<String, Expression> all) {
        ExpressionTransformer names = new ExpressionTransformer() {
            private final Set<Expression> receivers = Collections.newSetFromMap(new IdentityHashMap<>());

            @Override
            public Expression transform(Expression e) {
                String name = name(e);
                // What credentials() gives is in the environment already when the other values are evaluated.
                if (name != null && !name.equals(own) && all.containsKey(name) && credentialsId(all.get(name)) == null) {
                    return ask(new ConstantExpression(name), e);
                }
                if (e instanceof VariableExpression) {
                    return Ast.word(e) == null || receivers.contains(e) ? e : ask(Ast.later(e), e);
                }
                receivers.add(e instanceof MethodCallExpression c ? c.getObjectExpression()
                        : e instanceof PropertyExpression p ? p.getObjectExpression() : null);
                return e == null ? null : Ast.at(e.transformExpression(this), e);
            }
        };
        return Ast.later(names.transform(value), new Parameter(ClassHelper.OBJECT_TYPE, BLOCK));
    }

    /** X for {@code X} and {@code env.X}. */
    private static String name(Expression e) {
        if (e instanceof PropertyExpression p) {
            return "env".equals(Ast.word(p.getObjectExpression())) ? p.getPropertyAsString() : null;
        }
        return Ast.word(e);
    }

    private static Expression ask(Expression what, Expression at) {
        MethodCallExpression c = new MethodCallExpression(new VariableExpression(BLOCK), "call", new ArgumentListExpression(what));
        c.setImplicitThis(false);
        return Ast.at(c, at);
    }
}
