package pipeline.run;

import groovy.json.JsonOutput;
import groovy.json.JsonSlurperClassic;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The fake Last9 that a pipeline talks to unless LAST9_API_BASE_URL names another server. */
final class FakeLast9 implements AutoCloseable {
    private static final String BUNDLE = "resources/last9/last9-markers.pyz";
    private final Process process;
    private final String url;

    private FakeLast9(Process process, String url) {
        if (process != null) {
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        }
        this.process = process;
        this.url = url;
    }

    /** Starts it, points the build at it, and puts its refresh token into an empty credentials store. */
    static FakeLast9 startIfNeeded(Pipeline p, Path checkout) throws IOException, Main.Unable {
        if (p.settings().globalEnv.get("LAST9_API_BASE_URL") != null) {
            return new FakeLast9(null, null);
        }
        List<String> command = new ArrayList<>(List.of("python3"));
        boolean bundle = Files.exists(checkout.resolve(BUNDLE));
        boolean sources = Files.isDirectory(checkout.resolve("python/last9_markers"));
        if (!bundle && !sources) {
            return without("neither " + BUNDLE + " nor python/last9_markers is in " + checkout.toAbsolutePath());
        }
        command.addAll(bundle ? List.of(checkout.resolve(BUNDLE).toString()) : List.of("-m", "last9_markers"));
        command.addAll(List.of("fake-server", "--port", "0", "--organization", "*"));
        ProcessBuilder b = new ProcessBuilder(command).redirectError(
                bundle ? ProcessBuilder.Redirect.INHERIT : ProcessBuilder.Redirect.DISCARD);
        if (!bundle) {
            b.environment().put("PYTHONPATH", checkout.resolve("python").toAbsolutePath().toString());
        }
        List<String> tokens = p.settings().credentials.values().stream().filter(String.class::isInstance).map(Object::toString).toList();
        b.environment().put("LAST9_FAKE_SERVER_REFRESH_TOKENS", JsonOutput.toJson(tokens));
        return start(b, p, bundle);
    }

    private static FakeLast9 without(String why) {
        System.err.println("run-pipeline: no fake Last9: " + why + "; run make bundle, or set LAST9_API_BASE_URL");
        return new FakeLast9(null, null);
    }

    private static FakeLast9 start(ProcessBuilder b, Pipeline p, boolean required) throws IOException, Main.Unable {
        Process process;
        try {
            process = b.start();
        } catch (IOException e) {
            throw new Main.Unable("python3 cannot be started (" + e.getMessage() + "); install Python 3.9 or newer");
        }
        BufferedReader r = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String line = r.readLine();
        if (line == null || !line.startsWith("{")) {
            process.destroy();
            if (!required) {
                return without("it did not start from its sources");
            }
            throw new Main.Unable("the fake Last9 did not start (its first line was: " + line + "); run make bundle and try again");
        }
        Map<?, ?> first = (Map<?, ?>) new JsonSlurperClassic().parseText(line);
        String url = String.valueOf(first.get("url"));
        p.env("LAST9_API_BASE_URL", url);
        if (p.settings().credentials.isEmpty() && System.getenv("PIPELINE_CREDENTIALS") == null) {
            p.credential("last9-refresh-token", String.valueOf(first.get("refreshToken")));
        }
        return new FakeLast9(process, url);
    }

    /** The events it has received, in order. */
    List<?> received() throws IOException, InterruptedException {
        if (process == null) {
            return List.of();
        }
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/received")).build();
        String body = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
        return (List<?>) new JsonSlurperClassic().parseText(body);
    }

    @Override
    public void close() {
        if (process != null) {
            process.destroy();
        }
    }
}
