package last9;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import groovy.lang.Closure;
import groovy.lang.GroovyObjectSupport;
import groovy.lang.GroovyShell;
import groovy.lang.Script;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.codehaus.groovy.control.CompilerConfiguration;
import org.junit.jupiter.api.Test;

/**
 * The Job DSL scripts under examples/, run on Jenkins' Groovy: every name in them is one that Job DSL or the plugin has, and they make the
 * same jobs as the config.xml files beside them.
 */
class JobDslTest {
    private static final Path EXAMPLES = LibraryTest.CHECKOUT.resolve("examples");

    /** One call: where it stands ("freeStyleJob.steps.shell"), in which item, and what it was given. */
    private record Call(String path, String item, List<String> arguments) {}

    /** Takes any call, as Job DSL's contexts do, and notes it; its closures are run with such an object as their delegate. */
    private static class Context extends GroovyObjectSupport {
        private final String path;
        private final String item;
        private final List<Call> calls;

        Context(String path, String item, List<Call> calls) {
            this.path = path;
            this.item = item;
            this.calls = calls;
        }

        @Override
        public Object invokeMethod(String name, Object given) {
            Object[] arguments = (Object[]) given;
            String inner = path.isEmpty() ? name : path + "." + name;
            List<String> texts = Stream.of(arguments).filter(a -> !(a instanceof Closure)).map(String::valueOf).toList();
            if (name.equals("readFileFromWorkspace")) {
                return read(LibraryTest.CHECKOUT.resolve(texts.get(0)));
            }
            String owner = path.isEmpty() ? texts.get(0) : item;
            calls.add(new Call(inner, owner, texts));
            if (arguments.length > 0 && arguments[arguments.length - 1] instanceof Closure<?> block) {
                block.setDelegate(new Context(inner, owner, calls));
                block.setResolveStrategy(Closure.DELEGATE_FIRST);
                block.call();
            }
            return null;
        }
    }

    /** The scripts' base: the top level is a context like the others. */
    public abstract static class JobDslScript extends Script {
        private final List<Call> calls = new ArrayList<>();

        @Override
        public Object invokeMethod(String name, Object arguments) {
            return new Context("", "", calls).invokeMethod(name, arguments);
        }
    }

    private static List<Call> run(Path file) {
        CompilerConfiguration configuration = new CompilerConfiguration();
        configuration.setScriptBaseClass(JobDslScript.class.getName());
        JobDslScript script = (JobDslScript) new GroovyShell(JobDslTest.class.getClassLoader(), configuration).parse(read(file));
        script.run();
        return script.calls;
    }

    private static List<Path> scripts() throws IOException {
        try (Stream<Path> files = Files.walk(EXAMPLES)) {
            return files.filter(f -> f.toString().endsWith(".groovy")).sorted().toList();
        }
    }

    /** Each method is in the table with the class that has it; none in the table is there for nothing. */
    @Test
    void everyNameIsJobDslsOrThePluginsOwn() throws IOException {
        var known = Files.readAllLines(LibraryTest.CHECKOUT.resolve("tests/plugin-names/job-dsl.txt")).stream()
                .filter(line -> !line.startsWith("#")).map(line -> line.split(" \\| ")[0].strip()).collect(Collectors.toCollection(TreeSet::new));
        var used = new TreeSet<String>();
        for (Path script : scripts()) {
            run(script).forEach(call -> used.add(call.path()));
        }
        assertEquals(3, scripts().size());
        assertEquals(known, used);
    }

    /** What Job DSL makes and what config.xml says run the very same shell steps, before and after the build. */
    @Test
    void freestyleJobsRunTheSameStepsAsTheirConfigXml() throws Exception {
        List<Call> calls = run(EXAMPLES.resolve("job-dsl/freestyle.groovy"));
        assertEquals(commands("window-around-one-step"), shells(calls, "payments-api-window-around-one-step"));
        assertEquals(commands("window-over-all-steps"), shells(calls, "payments-api-window-over-all-steps"));
        assertEquals(commands("marker-after-build.post-build-script"), shells(calls, "payments-api-marker-after-build"));
        assertEquals(commands("marker-after-build.core-alone"), shells(calls, "payments-api-deploy"));
    }

    /** Each job whose steps send binds the token's variable to the credential; the one that does not send has no token. */
    @Test
    void tokenIsBoundWhereItIsNeededAndNowhereElse() {
        var bound = run(EXAMPLES.resolve("job-dsl/freestyle.groovy")).stream().filter(c -> c.path().endsWith(".credentialsBinding.string")).toList();
        assertTrue(bound.stream().allMatch(c -> c.arguments().equals(List.of("LAST9_REFRESH_TOKEN", "last9-refresh-token"))), bound.toString());
        assertEquals(List.of("payments-api-window-around-one-step", "payments-api-window-over-all-steps", "payments-api-marker-after-build"),
                bound.stream().map(Call::item).toList());
    }

    /** Every team has its folder, its own settings and the library. */
    @Test
    void eachTeamHasAFolderOfItsOwn() {
        List<Call> calls = run(EXAMPLES.resolve("several-teams/folders.groovy"));
        assertEquals(List.of("payments", "search"), values(calls, "folder", ""));
        String property = "folder.properties.folderProperties.properties.stringProperty.";
        assertEquals(List.of("LAST9_ORG_SLUG", "LAST9_DATA_SOURCE_NAME"), values(calls, property + "key", "payments"));
        assertEquals(List.of("acme-search"), values(calls, property + "value", "search"));
        assertEquals(List.of("payments/deploy", "search/deploy"), values(calls, "pipelineJob", ""));
    }

    /** The marker's Pipeline job has the very script that ScenariosTest runs. */
    @Test
    void markerJobHasTheScriptOfTheExample() {
        List<Call> calls = run(EXAMPLES.resolve("job-dsl/pipeline.groovy"));
        assertEquals(List.of(read(EXAMPLES.resolve("freestyle/marker-after-build.Jenkinsfile"))),
                values(calls, "pipelineJob.definition.cps.script", "deploy-payments-api-marker"));
    }

    private static List<String> values(List<Call> calls, String path, String item) {
        return calls.stream().filter(c -> c.path().equals(path) && (item.isEmpty() || c.item().equals(item))).map(c -> c.arguments().get(0)).toList();
    }

    private static List<String> shells(List<Call> calls, String job) {
        return calls.stream().filter(c -> c.item().equals(job) && !c.arguments().isEmpty())
                .filter(c -> c.path().endsWith(".steps.shell") || c.path().endsWith(".shell.command")).map(c -> c.arguments().get(0)).toList();
    }

    private static List<String> commands(String job) throws Exception {
        var document = DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(EXAMPLES.resolve("freestyle/" + job + ".config.xml").toFile());
        var nodes = document.getElementsByTagName("command");
        List<String> found = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            found.add(Objects.requireNonNull(nodes.item(i).getTextContent()));
        }
        return found;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
