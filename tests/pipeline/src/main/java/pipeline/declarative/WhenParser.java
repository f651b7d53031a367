package pipeline.declarative;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.ListExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.stmt.Statement;

/** Parses {@code when}: conditions as [type, arguments: {-> [..]}], [type, block] or [type, children]. */
final class WhenParser {
    private static final Set<String> BEFORE = Set.of("beforeAgent", "beforeInput", "beforeOptions");
    private static final Set<String> NESTED = Set.of("not", "allOf", "anyOf");
    /** Each with the names it must be given and, after a bar, those it may be given. */
    private static final Map<String, String> PLAIN = Map.of("branch", "pattern | comparator", "environment", "name value | ignoreCase",
            "equals", "expected actual |", "tag", "| pattern comparator", "buildingTag", "|", "changeRequest", "|", "isRestartedRun", "|");
    private static final Set<String> NOT_IMITATED = Set.of("changelog", "changeset", "triggeredBy");
    private final Problems problems;
    private final Sections sections;

    WhenParser(Problems problems, Sections sections) {
        this.problems = problems;
        this.sections = sections;
    }

    Expression parse(MethodCallExpression when) {
        MapExpression model = Ast.at(new MapExpression(), when);
        List<Expression> conditions = new ArrayList<>();
        for (Statement s : sections.body(when)) {
            MethodCallExpression c = Ast.call(s);
            if (c != null && BEFORE.contains(Ast.name(c)) && Ast.all(c).size() == 1) {
                Ast.put(model, Ast.name(c), Ast.all(c).get(0));
            } else {
                add(conditions, condition(s));
            }
        }
        if (conditions.isEmpty()) {
            problems.add(when, "Empty when closure, remove the property or add some content.");
        }
        Ast.put(model, "conditions", new ListExpression(conditions));
        return model;
    }

    private static void add(List<Expression> list, Expression e) {
        if (e != null) {
            list.add(e);
        }
    }

    private Expression condition(Statement s) {
        MethodCallExpression c = Ast.call(s);
        if (c == null) {
            problems.add(s, "Expected a when condition");
            return null;
        }
        String name = Ast.name(c);
        MapExpression r = Ast.at(new MapExpression(), c);
        Ast.put(r, "type", Ast.text(name));
        if (name.equals("expression") && Ast.block(c) != null) {
            Ast.put(r, "block", Ast.block(c));
        } else if (NESTED.contains(name) && !Ast.arguments(c).isEmpty()) {
            problems.add(s, "No additional arguments are allowed for children when condition \"" + name + "\".");
        } else if (NESTED.contains(name)) {
            Ast.put(r, "children", children(c));
        } else if (name.equals("changeRequest") && !Ast.all(c).isEmpty()) {
            problems.refuse(s, "the when condition \"changeRequest\" with arguments");
        } else if (PLAIN.containsKey(name) && Ast.block(c) != null) {
            problems.add(s, "No children when conditions are allowed for when condition \"" + name + "\".");
        } else if (PLAIN.containsKey(name)) {
            arguments(s, PLAIN.get(name), Ast.arguments(c));
            Ast.put(r, "arguments", Ast.argumentsLater(c));
        } else if (NOT_IMITATED.contains(name)) {
            problems.refuse(s, "the when condition \"" + name + "\"");
        } else {
            problems.add(s, "Unknown conditional " + name + ". Valid conditionals are: allOf, anyOf, branch, buildingTag, changeRequest, "
                    + "changelog, changeset, environment, equals, expression, isRestartedRun, not, tag, triggeredBy");
        }
        return r;
    }

    private void arguments(Statement s, String names, List<Expression> given) {
        List<String> required = List.of(names.replaceFirst(" ?\\|.*", "").split(" "));
        List<String> all = List.of(names.replace("|", "").trim().split(" +"));
        new NamedArguments(problems).check(s, given, required.equals(List.of("")) ? List.of() : required, all.equals(List.of("")) ? List.of() : all);
    }

    private Expression children(MethodCallExpression c) {
        List<Expression> r = new ArrayList<>();
        for (Statement s : sections.body(c)) {
            add(r, condition(s));
        }
        if (Ast.name(c).equals("not") && r.size() != 1) {
            problems.add(c, "Nested when condition \"not\" requires exactly 1 child condition(s).");
        } else if (r.isEmpty()) {
            problems.add(c, "Nested when condition \"" + Ast.name(c) + "\" requires at least one child condition.");
        }
        return new ListExpression(r);
    }
}
