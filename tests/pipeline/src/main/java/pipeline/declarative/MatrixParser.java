package pipeline.declarative;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.ListExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.stmt.Statement;

/** Parses {@code matrix}: its cells are known at compile time, axes and excludes are literals. */
final class MatrixParser {
    /** One axis of an exclude: which values of it the exclude is about. */
    private record Excluded(String axis, List<String> values, boolean not) {
        boolean covers(Map<String, String> cell) {
            return values.contains(cell.get(axis)) != not;
        }
    }

    private final Problems problems;
    private final Sections sections;
    private final StageParser stages;

    MatrixParser(Problems problems, Sections sections, StageParser stages) {
        this.problems = problems;
        this.sections = sections;
        this.stages = stages;
    }

    /** [cells: a list of [variable: value], the first axis changing fastest; stages and what else a stage has, for each cell]. */
    Expression parse(MethodCallExpression matrix) {
        MapExpression model = Ast.at(new MapExpression(), matrix);
        List<Map<String, String>> cells = null;
        List<List<Excluded>> excludes = new ArrayList<>();
        boolean hasStages = false;
        for (Statement s : sections.body(matrix)) {
            MethodCallExpression c = Ast.call(s);
            String name = c == null ? "" : Ast.name(c);
            switch (name) {
                case "axes" -> cells = cells(c);
                case "excludes" -> excludes.addAll(excludes(c));
                case "stages" -> {
                    hasStages = true;
                    Ast.put(model, name, stages.stages(c));
                }
                default -> {
                    if (c == null || !stages.common(model, c)) {
                        problems.add(s, "Unknown stage section \"" + name + "\". Starting with version 0.5, steps in a stage must be in a ‘steps’ block.");
                    }
                }
            }
        }
        if (cells == null || !hasStages) {
            problems.add(matrix, "Missing required section \"" + (cells == null ? "axes" : "stages") + "\"");
            return model;
        }
        cells.removeIf(cell -> excludes.stream().anyMatch(e -> e.stream().allMatch(x -> x.covers(cell))));
        Ast.put(model, "cells", literal(cells));
        return model;
    }

    private static Expression literal(List<Map<String, String>> cells) {
        List<Expression> r = new ArrayList<>();
        for (Map<String, String> cell : cells) {
            MapExpression m = new MapExpression();
            cell.forEach((k, v) -> Ast.put(m, k, Ast.text(v)));
            r.add(m);
        }
        return new ListExpression(r);
    }

    private List<Map<String, String>> cells(MethodCallExpression axes) {
        List<Map<String, String>> r = new ArrayList<>(List.of(new LinkedHashMap<>()));
        for (Statement s : sections.body(axes)) {
            Excluded axis = axis(s, "Expected an axis");
            if (axis == null) {
                continue;
            }
            if (r.get(0).containsKey(axis.axis)) {
                problems.add(s, "Duplicate axis name: \"" + axis.axis + "\"");
            }
            List<Map<String, String>> more = new ArrayList<>();
            for (String value : axis.values) {
                for (Map<String, String> cell : r) {
                    Map<String, String> wider = new LinkedHashMap<>(cell);
                    wider.put(axis.axis, value);
                    more.add(wider);
                }
            }
            r = more;
        }
        return r;
    }

    private List<List<Excluded>> excludes(MethodCallExpression section) {
        List<List<Excluded>> r = new ArrayList<>();
        for (Statement s : sections.body(section)) {
            MethodCallExpression c = Ast.call(s);
            List<Excluded> one = new ArrayList<>();
            if (c == null || !"exclude".equals(Ast.name(c))) {
                problems.add(s, "No exclude directives specified");
                continue;
            }
            for (Statement axis : sections.body(c)) {
                Excluded e = axis(axis, "Expected an axis");
                if (e != null) {
                    one.add(e);
                }
            }
            if (one.isEmpty()) {
                problems.add(c, "No axis directives specified");
            }
            r.add(one);
        }
        if (r.isEmpty()) {
            problems.add(section, "No exclude directives specified");
        }
        return r;
    }

    private Excluded axis(Statement s, String otherwise) {
        MethodCallExpression axis = Ast.call(s);
        if (axis == null || !"axis".equals(Ast.name(axis))) {
            problems.add(s, otherwise);
            return null;
        }
        String name = null;
        List<String> values = null;
        boolean not = false;
        for (Statement field : sections.body(axis)) {
            MethodCallExpression c = Ast.call(field);
            List<String> texts = c == null ? List.of() : Ast.all(c).stream().map(Ast::constant).toList();
            if (texts.isEmpty() || texts.contains(null)) {
                problems.add(field, "Expected string literal");
            } else if (Ast.name(c).equals("name")) {
                name = texts.get(0);
            } else if (values != null) {
                problems.add(field, "Exclude axis must contain either \"values\" or \"notValues\"");
            } else {
                values = texts;
                not = Ast.name(c).equals("notValues");
            }
        }
        if (name == null || values == null) {
            problems.add(axis, "Missing required section \"" + (name == null ? "name" : "values") + "\"");
            return null;
        }
        return new Excluded(name, values, not);
    }
}
