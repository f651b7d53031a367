package pipeline.declarative;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.codehaus.groovy.ast.ASTNode;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.MapEntryExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.runtime.MethodRankHelper;

/** Checks the arguments of steps and conditions as Declarative does when it compiles. */
final class NamedArguments {
    private final Problems problems;

    NamedArguments(Problems problems) {
        this.problems = problems;
    }

    /** Reports required names that are missing and, unless {@code known} is empty, given names that are not known. */
    void check(ASTNode where, List<Expression> given, Collection<String> required, Collection<String> known) {
        if (given.size() > 1 || given.size() == 1 && !(given.get(0) instanceof MapExpression)) {
            return;
        }
        List<String> names = new ArrayList<>();
        if (!given.isEmpty()) {
            ((MapExpression) given.get(0)).getMapEntryExpressions().forEach(e -> names.add(name(e)));
        }
        for (String r : required) {
            if (!names.contains(r)) {
                problems.add(where, "Missing required parameter: \"" + r + "\"");
            }
        }
        for (String n : names) {
            if (!known.isEmpty() && !known.contains(n)) {
                problems.add(where, "Invalid parameter \"" + n + "\", did you mean \"" + nearest(n, known) + "\"?");
            }
        }
    }

    private static String name(MapEntryExpression e) {
        return e.getKeyExpression().getText();
    }

    private static String nearest(String to, Collection<String> of) {
        return of.stream().min(Comparator.comparingInt(
                s -> MethodRankHelper.damerauLevenshteinDistance(letters(s), letters(to)))).orElse("");
    }

    private static Object[] letters(String s) {
        return s.chars().boxed().toArray();
    }
}
