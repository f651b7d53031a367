package pipeline.declarative;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.codehaus.groovy.ast.expr.ClosureExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.ListExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.stmt.Statement;

/** Parses {@code pipeline { }} itself. */
final class RootParser {
    private static final Set<String> PARAMETERS = Set.of("string", "booleanParam", "choice", "password", "text");
    private static final Set<String> TRIGGERS = Set.of("cron", "pollSCM", "upstream");
    private final Problems problems;
    private final Sections sections;

    RootParser(Problems problems) {
        this.problems = problems;
        this.sections = new Sections(problems);
    }

    MapExpression parse(MethodCallExpression pipeline, ClosureExpression block) {
        MapExpression model = Ast.at(new MapExpression(), pipeline);
        Map<String, MethodCallExpression> found = find(block);
        for (String required : List.of("stages", "agent")) {
            if (!found.containsKey(required)) {
                problems.add(pipeline, "Missing required section \"" + required + "\"");
            }
        }
        found.forEach((name, call) -> section(model, name, call));
        return model;
    }

    private Map<String, MethodCallExpression> find(ClosureExpression block) {
        Map<String, MethodCallExpression> r = new LinkedHashMap<>();
        for (Statement s : Ast.statements(block)) {
            MethodCallExpression c = Ast.call(s);
            if (c == null) {
                problems.add(s, "Not a valid section definition: \"" + s.getText() + "\". Some extra configuration is required.");
            } else if (r.put(Ast.name(c), c) != null) {
                problems.add(s, "Multiple occurrences of the " + Ast.name(c) + " section");
            }
        }
        return r;
    }

    private void section(MapExpression model, String name, MethodCallExpression c) {
        switch (name) {
            case "agent" -> Ast.put(model, name, sections.agent(c));
            case "environment" -> sections.environment(c, model);
            case "options" -> Ast.put(model, name, sections.options(c, false));
            case "parameters" -> Ast.put(model, name, described(c, "build parameter", PARAMETERS));
            case "triggers" -> described(c, "trigger", TRIGGERS);
            case "libraries" -> Ast.put(model, name, libraries(c));
            case "stages" -> Ast.put(model, name, new StageParser(problems, sections).stages(c));
            case "post" -> Ast.put(model, name, sections.post(c));
            case "tools" -> problems.refuse(c, "the section \"tools\"");
            default -> problems.add(c, "Undefined section \"" + name + "\"");
        }
    }

    /** {@code string(name: 'X')} and its like: [type, {-> [arguments]}]. */
    private Expression described(MethodCallExpression section, String what, Set<String> known) {
        List<Expression> r = new ArrayList<>();
        for (Statement s : sections.body(section)) {
            MethodCallExpression c = Ast.call(s);
            if (c == null) {
                problems.add(s, "Expected a " + what + (what.startsWith("build") ? " definition" : ""));
            } else if (!known.contains(Ast.name(c))) {
                problems.refuse(s, "the " + what + " \"" + Ast.name(c) + "\"");
            } else if (Ast.block(c) != null) {
                problems.add(s, (what.equals("trigger") ? "Triggers" : "Build parameters") + " definitions cannot have blocks");
            } else {
                r.add(new ListExpression(List.of(Ast.text(Ast.name(c)), Ast.argumentsLater(c))));
            }
        }
        if (r.isEmpty()) {
            problems.add(section, Ast.name(section) + " can not be empty");
        }
        return new ListExpression(r);
    }

    private Expression libraries(MethodCallExpression section) {
        List<Expression> r = new ArrayList<>();
        for (Statement s : sections.body(section)) {
            MethodCallExpression c = Ast.call(s);
            if (c == null || !"lib".equals(Ast.name(c)) || Ast.arguments(c).size() != 1) {
                problems.add(s, "Expected a \"lib(...)\" but got " + s.getText());
            } else {
                r.add(Ast.later(Ast.arguments(c).get(0)));
            }
        }
        if (r.isEmpty()) {
            problems.add(section, "libraries can not be empty");
        }
        return new ListExpression(r);
    }
}
