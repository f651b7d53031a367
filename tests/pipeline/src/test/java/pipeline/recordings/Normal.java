package pipeline.recordings;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Brings our log and a recorded one to the same form: what differs from run to run becomes the placeholder that the recordings
 * have; the chatter of git and of resuming is dropped. Nothing that the pipeline, its processes or an error said is touched.
 */
final class Normal {
    static final String CREDENTIALS = "[Pipeline] withCredentials";
    static final String END_OF_CREDENTIALS = "[Pipeline] // withCredentials";
    private static final String[][] RULES = {
        {"durable-[0-9a-f]{8}\\b", "durable-<ID>"},
        {"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<UUID>"},
        {"\\b[0-9a-f]{40}\\b", "<SHA1>"},
        {"EXECUTOR_NUMBER=\\d+", "EXECUTOR_NUMBER=<N>"},
        {"(JENKINS_NODE_COOKIE|JENKINS_SERVER_COOKIE|HUDSON_SERVER_COOKIE)=\\S+", "$1=<COOKIE>"},
        {"((?:kill|ps) -[A-Za-z=]+(?: args= -p)?) \\d+", "$1 <PID>"},
        {"(CpsClosure2|Object|DSL|WorkflowScript)@[0-9a-f]{1,8}\\b", "$1@<HASH>"},
        {"found among steps \\[.*?\\] or symbols \\[.*?\\]", "found among steps [<STEPS>] or symbols [<SYMBOLS>]"},
        {"(Resuming build at|Ready to run at) .*", "$1 <TIME>"},
        {"\\b(script)(\\d+)\\b", "$1<N>"},
        {" at \\d+\\.\\d\\d$", " at <T>"},
        {"^\\+ wait \\d+$", "+ wait <PID>"},
        // currentBuild.durationString of a build younger than a second: this runner is faster than the Jenkins that was recorded
        {"<n> ms and counting", "<n> sec and counting"},
    };
    /** What is left of a time after a restart. */
    private static final Pattern REST = Pattern.compile("^(Sleeping for|Timeout set to expire in) [0-9.]+ sec$");
    private static final Pattern FRAME = Pattern.compile("^\\s+at (.*)$");
    private static final Pattern OWN_FRAME = Pattern.compile("\\(([A-Za-z0-9_]+)(?:\\.groovy)?:\\d+\\)");

    private final String workspace;
    private final String home;
    private final List<String> ownSources;

    Normal(String home, List<String> ownSources) {
        this.home = home;
        this.workspace = home + "/workspace/demo";
        this.ownSources = ownSources;
    }

    /** Our lines with placeholders. */
    String line(String s) {
        s = s.replace(home + "/mnt/", "/mnt/").replace(workspace, "<WORKSPACE>").replace(home, "<JENKINS_HOME>");
        for (String[] rule : RULES) {
            s = s.replaceAll(rule[0], rule[1]);
        }
        return s;
    }

    /** A log, ours or a recorded one: split into lines, stack frames cut, chatter dropped. */
    List<String> log(List<String> lines) {
        List<String> r = new ArrayList<>();
        boolean resumed = false;
        boolean torn = false;
        for (String raw : String.join("\n", lines).split("\n", -1)) {
            String s = line(raw.replace("\r", "\n").stripTrailing()).replace("\t at ", "    at ");
            for (String one : s.split("\n")) {
                if (torn) {
                    one = "+ " + one;
                }
                // Two commands of one shell pipe are traced at once: their lines may be torn.
                torn = one.startsWith("+ + ");
                one = torn ? one.substring(2) : one;
                resumed |= one.startsWith("Resuming build at");
                add(r, resumed ? REST.matcher(one).replaceFirst("$1 <REST>") : one);
            }
        }
        return r;
    }

    private void add(List<String> r, String s) {
        Matcher frame = FRAME.matcher(s);
        if (s.equals(END_OF_CREDENTIALS) && !r.isEmpty() && r.get(r.size() - 1).equals(CREDENTIALS)) {
            return;
        }
        if (frame.matches()) {
            String own = own(frame.group(1)) ? "    at " + frame.group(1) : "    at <frames>";
            if (own.endsWith("<frames>") && !r.isEmpty() && r.get(r.size() - 1).equals(own)) {
                return;
            }
            r.add(own);
        } else if (!CHATTER.matcher(s).find()) {
            r.add(s);
        }
    }

    private boolean own(String frame) {
        Matcher m = OWN_FRAME.matcher(frame);
        return m.find() && ownSources.contains(m.group(1));
    }

    /** Lines that need not match: git's, those of a library being fetched, of a resumed build, links for a browser, and groovy's guesses. */
    private static final Pattern CHATTER = Pattern.compile("^<GIT OUTPUT>$|^Cloning the remote|^Cloning repository|^Checking out Revision|"
            + "^Commit message:|^Loading library|^Resuming build at|^Ready to run at|^Click here to forcibly|^Possible solutions:|"
            + "^\\s+in (field|object) |^an exception which occurred:|seems to be removed or offline|^Pausing \\(|^Still waiting to schedule|^‘Jenkins’ doesn’t have label|^ *$");
}
