package pipeline.steps;

import com.cloudbees.groovy.cps.Outcome;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jenkinsci.plugins.credentialsbinding.impl.CredentialNotFoundException;
import org.jenkinsci.plugins.workflow.steps.MissingContextVariableException;
import pipeline.engine.Body;
import pipeline.engine.Context;
import pipeline.engine.Described;
import pipeline.engine.Masks;
import pipeline.engine.Step;

/** {@code withCredentials([string(credentialsId: 'id', variable: 'X')]) { }}: binds, masks; works without a node [105]. */
@Step.Named(value = "withCredentials", type = "org.jenkinsci.plugins.credentialsbinding.impl.BindingStep", sole = "bindings", block = true)
public final class WithCredentials extends Step {
    private static final long serialVersionUID = 1L;
    @Arg(required = true) List<Object> bindings;
    private Context inside;
    private String masked;
    private boolean begun;
    private final List<String> files = new ArrayList<>();

    @Override
    public void start() throws Exception {
        Map<String, String> secrets = new LinkedHashMap<>();
        Map<String, String> plain = new LinkedHashMap<>();
        for (Object b : bindings) {
            try {
                bind(b instanceof Described d ? d : named((Map<?, ?>) b), secrets, plain);
            } catch (CredentialNotFoundException | NullPointerException e) {
                call.failUnrecorded(e);
                return;
            }
        }
        masked = names(secrets);
        Map<String, String> all = new LinkedHashMap<>(plain);
        all.putAll(secrets);
        inside = call.context().withEnv(all).withSecrets(secrets);
        wakeAt(build().clock().now(), "bound");
    }

    /** The body begins a moment later than that of other steps: another branch goes first [808]. */
    @Override
    public void wake(String what) {
        if (!masked.isEmpty()) {
            call.log("Masking supported pattern matches of " + masked);
        }
        begun = true;
        call.runBody(inside);
    }

    @Override
    public void resume() {
        if (!begun) {
            wake("bound");
        }
    }

    /** A binding that is named by its class, as Declarative's credentials() makes them [106]. */
    private static Described named(Map<?, ?> b) {
        Map<String, Object> arguments = new LinkedHashMap<>();
        b.forEach((k, v) -> arguments.put(String.valueOf(k), v));
        String type = String.valueOf(arguments.remove("$class")).replaceFirst(".*\\.", "");
        String symbol = switch (type) {
            case "StringBinding" -> "string";
            case "FileBinding" -> "file";
            case "UsernamePasswordBinding" -> "usernameColonPassword";
            case "UsernamePasswordMultiBinding" -> "usernamePassword";
            default -> type;
        };
        return new Described(symbol, arguments, List.of());
    }

    private static String names(Map<String, String> secrets) {
        List<String> r = new ArrayList<>();
        secrets.keySet().forEach(v -> r.add("$" + v));
        return String.join(" or ", r);
    }

    private void bind(Described b, Map<String, String> secrets, Map<String, String> plain) throws Exception {
        // Blanks around an id do not matter, null does [481].
        if (b.arguments().get("credentialsId") == null) {
            throw new NullPointerException();
        }
        String id = b.arguments().get("credentialsId").toString().trim();
        Object found = build().settings().credentials.get(id);
        if (found == null) {
            throw new CredentialNotFoundException("Could not find credentials entry with ID '" + id + "'");
        }
        Map<?, ?> m = found instanceof Map<?, ?> kind ? kind : Map.of();
        Map<?, ?> pair = "file".equals(m.get("kind")) ? null : found instanceof Map<?, ?> up ? up : null;
        switch (b.symbol()) {
            case "string" -> secrets.put(variable(b, "variable"), expect(id, found, m.isEmpty(), "org.jenkinsci.plugins.plaincredentials.StringCredentials"));
            case "usernamePassword" -> {
                expect(id, found, pair != null, "com.cloudbees.plugins.credentials.common.StandardUsernamePasswordCredentials");
                plain.put(variable(b, "usernameVariable"), String.valueOf(pair.get("username")));
                secrets.put(variable(b, "passwordVariable"), String.valueOf(pair.get("password")));
            }
            case "usernameColonPassword" -> {
                expect(id, found, pair != null, "com.cloudbees.plugins.credentials.common.StandardUsernamePasswordCredentials");
                secrets.put(variable(b, "variable"), pair.get("username") + ":" + pair.get("password"));
            }
            case "file" -> {
                expect(id, found, "file".equals(m.get("kind")), "org.jenkinsci.plugins.plaincredentials.FileCredentials");
                secrets.put(variable(b, "variable"), file(m));
            }
            default -> throw new UnsupportedOperationException("The pipeline runner does not imitate the credentials binding '" + b.symbol() + "'");
        }
    }

    /** A file binding needs a node: the file is put beside the workspace, for its owner only [105]. */
    private String file(Map<?, ?> credential) throws Exception {
        if (call.context().agent == null) {
            throw new MissingContextVariableException("hudson.FilePath", "withCredentials");
        }
        Path folder = Path.of(call.context().folder + "@tmp", "secretFiles", UUID.randomUUID().toString());
        Path p = Files.createDirectories(folder).resolve(String.valueOf(credential.get("name")));
        Files.writeString(p, String.valueOf(credential.get("content")));
        Files.setPosixFilePermissions(p, PosixFilePermissions.fromString("r--------"));
        files.add(p.toString());
        return p.toString();
    }

    @Override
    public void bodyDone(Body body, Outcome outcome) throws Exception {
        for (String f : files) {
            Files.deleteIfExists(Path.of(f));
        }
        super.bodyDone(body, outcome);
    }

    private static String expect(String id, Object found, boolean right, String type) throws CredentialNotFoundException {
        if (!right) {
            throw new CredentialNotFoundException("Credentials '" + id + "' is of type '" + (found instanceof Map<?, ?> m
                    ? "file".equals(m.get("kind")) ? "Secret file" : "Username with password" : "Secret text") + "' where '" + type + "' was expected");
        }
        return found.toString();
    }

    private static String variable(Described b, String name) {
        return String.valueOf(b.arguments().get(name));
    }

    /** A secret in the text of what leaves the block is masked [105]. */
    @Override
    public Throwable translate(Throwable leaving) {
        return Masks.exception(inside, leaving);
    }
}
