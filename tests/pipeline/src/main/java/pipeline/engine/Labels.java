package pipeline.engine;

import java.util.Arrays;
import java.util.List;

/** Label expressions: names, {@code !}, {@code &&}, {@code ||}, parentheses. */
public final class Labels {
    private final String text;
    private final List<String> have;
    private int at;

    private Labels(String text, List<String> have) {
        this.text = text;
        this.have = have;
    }

    /** Whether an agent of that name and labels fits the expression; an empty one fits all. */
    public static boolean match(String expression, Settings.AgentSpec agent) {
        if (expression == null || expression.isBlank()) {
            return true;
        }
        List<String> have = new java.util.ArrayList<>(Arrays.asList(agent.labels().split("\\s+")));
        have.add(agent.name());
        return new Labels(expression, have).or();
    }

    private boolean or() {
        boolean r = and();
        while (eat("||")) {
            r |= and();
        }
        return r;
    }

    private boolean and() {
        boolean r = not();
        while (eat("&&")) {
            r &= not();
        }
        return r;
    }

    private boolean not() {
        if (eat("!")) {
            return !not();
        }
        if (eat("(")) {
            boolean r = or();
            eat(")");
            return r;
        }
        int from = at;
        while (at < text.length() && "!&|() ".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        return have.contains(text.substring(from, at));
    }

    private boolean eat(String token) {
        while (at < text.length() && text.charAt(at) == ' ') {
            at++;
        }
        if (text.startsWith(token, at)) {
            at += token.length();
            return true;
        }
        return false;
    }
}
