package pipeline.library;

import java.util.List;
import org.codehaus.groovy.ast.ClassCodeExpressionTransformer;
import org.codehaus.groovy.ast.ClassHelper;
import org.codehaus.groovy.ast.ClassNode;
import org.codehaus.groovy.ast.FieldNode;
import org.codehaus.groovy.ast.MethodNode;
import org.codehaus.groovy.ast.Parameter;
import org.codehaus.groovy.ast.PropertyNode;
import org.codehaus.groovy.ast.expr.ArgumentListExpression;
import org.codehaus.groovy.ast.expr.ClosureExpression;
import org.codehaus.groovy.ast.expr.ConstantExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.ListExpression;
import org.codehaus.groovy.ast.expr.MapEntryExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.expr.PropertyExpression;
import org.codehaus.groovy.ast.expr.SpreadExpression;
import org.codehaus.groovy.ast.expr.SpreadMapExpression;
import org.codehaus.groovy.ast.expr.StaticMethodCallExpression;
import org.codehaus.groovy.ast.expr.TupleExpression;
import org.codehaus.groovy.ast.expr.VariableExpression;
import org.codehaus.groovy.ast.stmt.BlockStatement;
import org.codehaus.groovy.classgen.GeneratorContext;
import org.codehaus.groovy.control.CompilePhase;
import org.codehaus.groovy.control.SourceUnit;
import org.codehaus.groovy.control.customizers.CompilationCustomizer;

/**
 * What the groovy-cps of Jenkins 2.541 does otherwise than 1.31, the newest on Maven Central: spread in lists, maps and arguments
 * works [621], a default parameter cannot use an earlier one [605], a last assignment is the value of its block, even in a
 * method that returns nothing [520, 522]. Runs before the transformer.
 */
final class NewerGroovyCps extends CompilationCustomizer {
    private static final ClassNode SPREAD = ClassHelper.make(Spread.class);
    private final String callMethod;

    NewerGroovyCps(boolean sandbox) {
        super(CompilePhase.CANONICALIZATION);
        callMethod = sandbox ? "checkedCall" : "call";
    }

    @Override
    public void call(SourceUnit source, GeneratorContext context, ClassNode type) {
        Rewriter rewriter = new Rewriter(source);
        for (MethodNode m : type.getMethods()) {
            boolean plain = m.getAnnotations().stream().anyMatch(a -> a.getClassNode().getNameWithoutPackage().equals("NonCPS"));
            if (plain || m.getCode() == null) {
                continue;
            }
            for (Parameter p : m.getParameters()) {
                if (p.hasInitialExpression()) {
                    p.setInitialExpression(rewriter.withoutParameters(p.getInitialExpression()));
                }
            }
            rewriter.visitMethod(m);
            if (m.getCode() instanceof BlockStatement b) {
                LastAssignment.keepValue(b);
            }
        }
    }

    private final class Rewriter extends ClassCodeExpressionTransformer {
        private final SourceUnit source;
        private boolean defaults;

        Rewriter(SourceUnit source) {
            this.source = source;
        }

        @Override
        protected SourceUnit getSourceUnit() {
            return source;
        }

        @Override
        public void visitField(FieldNode f) {}

        @Override
        public void visitProperty(PropertyNode p) {}

        Expression withoutParameters(Expression initial) {
            defaults = true;
            Expression r = transform(initial);
            defaults = false;
            return r;
        }

        @Override
        public Expression transform(Expression e) {
            if (e == null) {
                return null;
            }
            if (defaults && e instanceof VariableExpression v && v.getAccessedVariable() instanceof Parameter) {
                return at(new PropertyExpression(VariableExpression.THIS_EXPRESSION, v.getName()), e);
            }
            if (e instanceof ClosureExpression c) {
                c.getCode().visit(this);
                if (c.getCode() instanceof BlockStatement b) {
                    LastAssignment.keepValue(b);
                }
                return e;
            }
            if (e instanceof ListExpression l && hasSpread(l.getExpressions())) {
                return at(spread("list", pairs(l.getExpressions())), e);
            }
            if (e instanceof MapExpression m && m.getMapEntryExpressions().stream().anyMatch(NewerGroovyCps::isSpread)) {
                return at(spread("map", maps(m)), e);
            }
            if (e instanceof MethodCallExpression m && !m.isSpreadSafe() && m.getArguments() instanceof TupleExpression t
                    && hasSpread(t.getExpressions())) {
                ArgumentListExpression args = new ArgumentListExpression(transform(m.getObjectExpression()), transform(m.getMethod()),
                        spread("list", pairs(t.getExpressions())));
                return at(spread(callMethod, args), e);
            }
            return super.transform(e);
        }

        private ArgumentListExpression pairs(List<Expression> items) {
            ArgumentListExpression r = new ArgumentListExpression();
            for (Expression i : items) {
                boolean spread = i instanceof SpreadExpression;
                r.addExpression(new ConstantExpression(spread));
                r.addExpression(transform(spread ? ((SpreadExpression) i).getExpression() : i));
            }
            return r;
        }

        private ArgumentListExpression maps(MapExpression m) {
            ArgumentListExpression r = new ArgumentListExpression();
            for (MapEntryExpression entry : m.getMapEntryExpressions()) {
                MapExpression one = new MapExpression();
                one.addMapEntryExpression(entry);
                r.addExpression(isSpread(entry) ? transform(entry.getValueExpression()) : at(transform(one), entry));
            }
            return r;
        }
    }

    private static StaticMethodCallExpression spread(String method, ArgumentListExpression args) {
        return new StaticMethodCallExpression(SPREAD, method, args);
    }

    private static boolean hasSpread(List<Expression> items) {
        return items.stream().anyMatch(SpreadExpression.class::isInstance);
    }

    private static boolean isSpread(MapEntryExpression e) {
        return e.getKeyExpression() instanceof SpreadMapExpression;
    }

    private static Expression at(Expression made, org.codehaus.groovy.ast.ASTNode from) {
        made.setSourcePosition(from);
        return made;
    }
}
