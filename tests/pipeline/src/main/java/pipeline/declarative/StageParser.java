package pipeline.declarative;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.codehaus.groovy.ast.expr.ConstantExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.ListExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.stmt.Statement;

/** Parses {@code stages}, {@code parallel} and each {@code stage}. */
final class StageParser {
    private static final List<String> CONTENT = List.of("steps", "stages", "parallel", "matrix");
    private final Problems problems;
    private final Sections sections;
    private final Set<String> names;
    private final boolean inParallel;

    StageParser(Problems problems, Sections sections) {
        this(problems, sections, new HashSet<>(), false);
    }

    private StageParser(Problems problems, Sections sections, Set<String> names, boolean inParallel) {
        this.problems = problems;
        this.sections = sections;
        this.names = names;
        this.inParallel = inParallel;
    }

    StageParser withinParallel() {
        return new StageParser(problems, sections, names, true);
    }

    Expression stages(MethodCallExpression section) {
        List<Expression> r = new ArrayList<>();
        for (Statement s : sections.body(section)) {
            MethodCallExpression c = Ast.call(s);
            if (c == null || !"stage".equals(Ast.name(c))) {
                problems.add(s, "Expected a stage");
            } else {
                r.add(stage(c));
            }
        }
        if (r.isEmpty()) {
            problems.add(section, "No stages specified");
        }
        return Ast.at(new ListExpression(r), section);
    }

    private MapExpression stage(MethodCallExpression c) {
        MapExpression model = Ast.at(new MapExpression(), c);
        List<Expression> arguments = Ast.arguments(c);
        String name = arguments.size() == 1 ? Ast.constant(arguments.get(0)) : null;
        if (arguments.isEmpty()) {
            problems.add(c, "Expected a stage name but did not find any");
        } else if (name == null) {
            problems.add(c, "Expected string literal");
        } else if (!names.add(name)) {
            problems.add(c, "Duplicate stage name: \"" + name + "\"");
        }
        Ast.put(model, "name", Ast.text(name));
        if (Ast.block(c) == null) {
            problems.add(c, "Stage does not have a block");
        } else {
            content(c, name, model);
        }
        return model;
    }

    private void content(MethodCallExpression stage, String name, MapExpression model) {
        Map<String, MethodCallExpression> found = new LinkedHashMap<>();
        for (Statement s : sections.body(stage)) {
            MethodCallExpression c = Ast.call(s);
            if (c == null) {
                problems.add(s, "Not a valid stage section definition: \"" + s.getText() + "\". Some extra configuration is required.");
            } else if (found.put(Ast.name(c), c) != null) {
                problems.add(s, "Multiple occurrences of the " + Ast.name(c) + " section");
            } else if (!CONTENT.contains(Ast.name(c)) && !common(model, c)) {
                problems.add(s, "Unknown stage section \"" + Ast.name(c)
                        + "\". Starting with version 0.5, steps in a stage must be in a ‘steps’ block.");
            }
        }
        List<String> contents = CONTENT.stream().filter(found::containsKey).toList();
        if (inParallel && (found.containsKey("parallel") || found.containsKey("matrix"))) {
            problems.add(found.get(contents.get(contents.size() - 1)),
                    "\"matrix\" or \"parallel\" cannot be nested inside another \"matrix\" or \"parallel\".");
        } else if (contents.size() > 1) {
            problems.add(stage, "Only one of \"matrix\", \"parallel\", \"stages\", or \"steps\" allowed for stage \"" + name + "\"");
        } else if (contents.isEmpty() || contents.get(0).equals("parallel") && sections.body(found.get("parallel")).isEmpty()) {
            problems.add(stage, "Expected one of \"steps\", \"stages\", or \"parallel\" for stage \"" + name + "\"");
        } else {
            work(model, name, found.get(contents.get(0)), found.get("agent"));
        }
    }

    /** The sections that a stage and a matrix have beside their content; false for an unknown one. */
    boolean common(MapExpression model, MethodCallExpression c) {
        switch (Ast.name(c)) {
            case "agent" -> Ast.put(model, "agent", sections.agent(c));
            case "environment" -> sections.environment(c, model);
            case "options" -> Ast.put(model, "options", sections.options(c, true));
            case "post" -> Ast.put(model, "post", sections.post(c));
            case "when" -> Ast.put(model, "when", new WhenParser(problems, sections).parse(c));
            case "failFast" -> Ast.put(model, "failFast", flag(c));
            case "input" -> problems.refuse(c, "the directive \"input\"");
            case "tools" -> problems.refuse(c, "the section \"tools\"");
            default -> {
                return false;
            }
        }
        return true;
    }

    private Expression flag(MethodCallExpression c) {
        boolean fits = Ast.all(c).size() == 1 && Ast.all(c).get(0) instanceof ConstantExpression k && k.getValue() instanceof Boolean;
        if (!fits) {
            problems.add(c, "Expected a boolean with failFast");
            return null;
        }
        return Ast.all(c).get(0);
    }

    private void work(MapExpression model, String name, MethodCallExpression c, MethodCallExpression agent) {
        String kind = Ast.name(c);
        if (agent != null && (kind.equals("parallel") || kind.equals("matrix"))) {
            problems.add(agent, "\"agent\" is not allowed in stage \"" + name + "\" as it contains parallel or matrix stages");
        }
        switch (kind) {
            case "steps" -> {
                sections.body(c);
                if (Ast.block(c) != null) {
                    new StepsCheck(problems).checkSteps(Ast.block(c));
                    Ast.put(model, "steps", Ast.block(c));
                }
            }
            case "stages" -> Ast.put(model, "stages", stages(c));
            case "parallel" -> Ast.put(model, "parallel", withinParallel().stages(c));
            default -> Ast.put(model, "matrix", new MatrixParser(problems, sections, withinParallel()).parse(c));
        }
    }
}
