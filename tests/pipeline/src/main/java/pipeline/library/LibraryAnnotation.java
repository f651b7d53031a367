package pipeline.library;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.codehaus.groovy.ast.AnnotatedNode;
import org.codehaus.groovy.ast.AnnotationNode;
import org.codehaus.groovy.ast.ClassCodeVisitorSupport;
import org.codehaus.groovy.ast.ClassNode;
import org.codehaus.groovy.ast.ImportNode;
import org.codehaus.groovy.ast.expr.ConstantExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.ListExpression;
import org.codehaus.groovy.classgen.GeneratorContext;
import org.codehaus.groovy.control.CompilePhase;
import org.codehaus.groovy.control.SourceUnit;
import org.codehaus.groovy.control.customizers.CompilationCustomizer;
import org.codehaus.groovy.control.messages.Message;

/** Finds {@code @Library('name')} before anything is resolved, so that the libraries are there when names are. */
final class LibraryAnnotation extends CompilationCustomizer {
    private final Consumer<List<String>> load;

    LibraryAnnotation(Consumer<List<String>> load) {
        super(CompilePhase.CONVERSION);
        this.load = load;
    }

    @Override
    public void call(SourceUnit source, GeneratorContext context, ClassNode node) {
        List<String> names = new ArrayList<>();
        for (ImportNode i : source.getAST().getImports()) {
            i.getAnnotations().forEach(a -> read(a, names));
        }
        source.getAST().getStarImports().forEach(i -> i.getAnnotations().forEach(a -> read(a, names)));
        new ClassCodeVisitorSupport() {
            @Override
            public void visitAnnotations(AnnotatedNode annotated) {
                super.visitAnnotations(annotated);
                annotated.getAnnotations().forEach(a -> read(a, names));
            }

            @Override
            protected SourceUnit getSourceUnit() {
                return source;
            }
        }.visitClass(node);
        try {
            load.accept(names);
        } catch (IllegalArgumentException e) {
            source.getErrorCollector().addErrorAndContinue(Message.create("Loading libraries failed", source));
        }
    }

    private static void read(AnnotationNode a, List<String> names) {
        if (!a.getClassNode().getNameWithoutPackage().equals("Library")) {
            return;
        }
        Expression value = a.getMember("value");
        List<Expression> all = value instanceof ListExpression l ? l.getExpressions() : List.of(value);
        for (Expression e : all) {
            if (e instanceof ConstantExpression c && !names.contains((String) c.getValue())) {
                names.add((String) c.getValue());
            }
        }
    }
}
