package pipeline.declarative;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.codehaus.groovy.ast.expr.ClosureExpression;
import org.codehaus.groovy.ast.expr.Expression;
import org.codehaus.groovy.ast.expr.ListExpression;
import org.codehaus.groovy.ast.expr.MapExpression;
import org.codehaus.groovy.ast.expr.MethodCallExpression;
import org.codehaus.groovy.ast.stmt.Statement;

/** Parses the sections that a pipeline and its stages have in common. */
final class Sections {
    /** Options that wrap what they belong to in a step of that name, in the order they are written. */
    static final Set<String> WRAPPERS = Set.of("timeout", "retry", "timestamps", "catchError", "warnError", "withCredentials", "withEnv");
    /** Options that change how the interpreter itself goes. */
    private static final Set<String> OWN = Set.of("skipDefaultCheckout", "parallelsAlwaysFailFast", "skipStagesAfterUnstable",
            "checkoutToSubdirectory", "disableResume", "durabilityHint");
    /** Options without any effect within one build. */
    private static final Set<String> HARMLESS = Set.of("buildDiscarder", "disableConcurrentBuilds", "disableRestartFromStage",
            "preserveStashes", "quietPeriod", "rateLimitBuilds");
    private final Problems problems;

    Sections(Problems problems) {
        this.problems = problems;
    }

    /** The statements of a section's block. */
    List<Statement> body(MethodCallExpression section) {
        ClosureExpression block = Ast.block(section);
        if (block == null) {
            problems.add(section, "Expected a block for " + Ast.name(section));
            return List.of();
        }
        return Ast.statements(block);
    }

    // ---- agent

    /** [type: none, any or label; label: {-> text}; customWorkspace, retries likewise]. */
    Expression agent(MethodCallExpression c) {
        MapExpression r = Ast.at(new MapExpression(), c);
        if (Ast.block(c) != null) {
            inAgent(r, c);
            return r;
        }
        String word = Ast.all(c).size() == 1 ? Ast.word(Ast.all(c).get(0)) : null;
        if (!"any".equals(word) && !"none".equals(word)) {
            problems.add(c, "Only \"agent none\", \"agent any\" or \"agent {...}\" are allowed.");
        }
        Ast.put(r, "type", Ast.text(word));
        return r;
    }

    private void inAgent(MapExpression r, MethodCallExpression agent) {
        List<Statement> types = body(agent);
        MethodCallExpression c = types.size() == 1 ? Ast.call(types.get(0)) : null;
        if (c == null) {
            problems.add(agent, types.size() > 1 ? "Only one agent type is allowed per agent section" : "Expected an agent");
            return;
        }
        Ast.put(r, "type", Ast.text("label"));
        switch (Ast.name(c)) {
            case "label" -> argument(r, c);
            case "node" -> inNode(r, c);
            case "any", "none" -> problems.add(c, "Expected to find ‘key \"value\"’");
            default -> problems.refuse(c, "the agent type \"" + Ast.name(c) + "\"");
        }
    }

    private void inNode(MapExpression r, MethodCallExpression node) {
        boolean label = false;
        for (Statement s : body(node)) {
            MethodCallExpression c = Ast.call(s);
            if (c == null) {
                problems.add(s, "Expected to find ‘key \"value\"’");
            } else if (Set.of("label", "customWorkspace", "retries").contains(Ast.name(c))) {
                label |= "label".equals(Ast.name(c));
                argument(r, c);
            } else {
                problems.add(c, "Invalid config option \"" + Ast.name(c) + "\" for agent type \"node\". Valid config options are "
                        + "[customWorkspace, label, retries]");
            }
        }
        if (!label) {
            problems.add(node, "Missing required parameter for agent type \"node\": label");
        }
    }

    private void argument(MapExpression r, MethodCallExpression c) {
        if (Ast.all(c).size() != 1) {
            problems.add(c, (Ast.all(c).isEmpty() ? "No argument" : "Too many arguments") + " for agent key \"" + Ast.name(c) + "\"");
            return;
        }
        Ast.put(r, Ast.name(c), Ast.later(Ast.all(c).get(0)));
    }

    // ---- environment, options, post

    /** Puts {@code environment} and {@code credentials} into the model. */
    void environment(MethodCallExpression c, MapExpression model) {
        new EnvironmentParser(problems).parse(c, body(c), model);
    }

    /** A list of [name, {-> [arguments]}]. */
    Expression options(MethodCallExpression section, boolean ofStage) {
        List<Expression> r = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Statement s : body(section)) {
            MethodCallExpression c = Ast.call(s);
            if (c == null) {
                problems.add(s, "Expected an option");
                continue;
            }
            String name = Ast.name(c);
            if (!names.add(name)) {
                problems.add(section, "Duplicate option name: \"" + name + "\"");
            } else if (ofStage && !WRAPPERS.contains(name) && !name.equals("skipDefaultCheckout") || !WRAPPERS.contains(name) && !OWN.contains(name) && !HARMLESS.contains(name)) {
                problems.refuse(s, "the " + (ofStage ? "stage option" : "option") + " \"" + name + "\"");
            } else if (Ast.block(c) != null) {
                problems.add(s, "Options definitions cannot have blocks");
            } else if (!HARMLESS.contains(name)) {
                r.add(new ListExpression(List.of(Ast.text(name), Ast.argumentsLater(c))));
            }
        }
        if (names.isEmpty()) {
            problems.add(section, "options can not be empty");
        }
        return Ast.at(new ListExpression(r), section);
    }

    /** Condition to block. */
    Expression post(MethodCallExpression section) {
        MapExpression r = Ast.at(new MapExpression(), section);
        Set<String> names = new HashSet<>();
        for (Statement s : body(section)) {
            MethodCallExpression c = Ast.call(s);
            if (c == null || Ast.block(c) == null) {
                problems.add(s, "The ‘post’ section can only contain build condition names with code blocks. Valid condition names are "
                        + PostConditions.names());
            } else if (!PostConditions.names().contains(Ast.name(c))) {
                problems.add(s, "Invalid condition \"" + Ast.name(c) + "\" - valid conditions are " + PostConditions.names());
            } else if (!names.add(Ast.name(c))) {
                problems.add(section, "Duplicate build condition name: \"" + Ast.name(c) + "\"");
            } else {
                new StepsCheck(problems).check(Ast.block(c));
                Ast.put(r, Ast.name(c), Ast.block(c));
            }
        }
        if (names.isEmpty()) {
            problems.add(section, "post can not be empty");
        }
        return r;
    }
}
