package last9;

import groovy.json.JsonOutput;
import groovy.json.JsonSlurperClassic;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The engine's fake Last9 as a process of its own: a real server on loopback that the committed bundle brings. */
final class FakeLast9 implements AutoCloseable {
    private static final Path CERTIFICATES = LibraryTest.CHECKOUT.resolve("tests/python/certificates");
    /** Who has signed the certificate of the one that speaks TLS. */
    static final Path CA = CERTIFICATES.resolve("ca.pem");
    private final Process process;
    private final HttpClient http;
    final String url;
    final String refreshToken;

    private FakeLast9(Process process, Map<?, ?> first) {
        this.process = process;
        this.url = String.valueOf(first.get("url"));
        this.http = url.startsWith("https") ? HttpClient.newBuilder().sslContext(trusting(CA)).build() : HttpClient.newHttpClient();
        this.refreshToken = String.valueOf(first.get("refreshToken"));
    }

    /** Starts one that knows the organization acme alone, unless {@code more} arguments say otherwise. */
    static FakeLast9 start(Path checkout, String... more) {
        try {
            List<String> command = new ArrayList<>(List.of("python3", checkout.resolve("resources/last9/last9-markers.pyz").toString(), "fake-server"));
            command.addAll(List.of(more));
            Process p = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            String line = new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.UTF_8)).readLine();
            if (line == null) {
                throw new IllegalStateException("the fake Last9 did not start: run make bundle");
            }
            return new FakeLast9(p, (Map<?, ?>) new JsonSlurperClassic().parseText(line));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One that speaks TLS, as localhost and 127.0.0.1. */
    static FakeLast9 startTls(Path checkout) {
        return start(checkout, "--tls", CERTIFICATES.resolve("server.pem").toString(), CERTIFICATES.resolve("server.key").toString());
    }

    private static SSLContext trusting(Path ca) {
        try (InputStream in = Files.newInputStream(ca)) {
            KeyStore roots = KeyStore.getInstance(KeyStore.getDefaultType());
            roots.load(null);
            roots.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
            TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(roots);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    int port() {
        return URI.create(url).getPort();
    }

    /** A refresh token as Last9 makes them: a JWT that says that of itself; no test could verify its signature. */
    static String token(Map<String, Object> claims) {
        Map<String, Object> all = new TreeMap<>(Map.of("scopes", List.of("write"), "exp", 4_102_444_800L));
        all.putAll(claims);
        return Stream.of(JsonOutput.toJson(Map.of("alg", "HS256")), JsonOutput.toJson(all), "no signature")
                .map(part -> Base64.getUrlEncoder().withoutPadding().encodeToString(part.getBytes(StandardCharsets.UTF_8)))
                .collect(Collectors.joining("."));
    }

    /** The events received, in order. */
    @SuppressWarnings("unchecked")
    List<Map<String, Object>> received() {
        return (List<Map<String, Object>>) new JsonSlurperClassic().parseText(ask("GET", "/received", null));
    }

    /** The API paths that were asked for, in order. */
    List<String> paths() {
        return requests().stream().map(r -> String.valueOf(r.get("path"))).toList();
    }

    /**
     * Waits until a client waits for an answer: a delay that was ordered has been met. For a listener to the log, which holds its build up meanwhile:
     * what a log line announces has not happened yet, on a busy machine not for seconds.
     */
    void untilOneWaits() {
        for (int i = 0; i < 3000 && !oneWaits(); i++) {
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        if (!oneWaits()) {
            throw new IllegalStateException("a minute has passed, and the fake Last9 lets nobody wait: " + requests());
        }
    }

    private boolean oneWaits() {
        return requests().stream().anyMatch(request -> request.get("status") == null);
    }

    @SuppressWarnings("unchecked")
    private List<Map<String, Object>> requests() {
        return (List<Map<String, Object>>) new JsonSlurperClassic().parseText(ask("GET", "/requests", null));
    }

    /** Orders faults, as JSON. */
    void fault(String json) {
        ask("POST", "/faults", json);
    }

    /** Has metrics of a service, as JSON: label to value. */
    void observe(String json) {
        ask("POST", "/series", json);
    }

    /** Forgets faults. */
    void wellAgain() {
        ask("DELETE", "/faults", null);
    }

    /** Forgets faults, what was received and what was observed. */
    void reset() {
        wellAgain();
        ask("DELETE", "/received", null);
        ask("DELETE", "/series", null);
    }

    private String ask(String method, String path, String body) {
        var publisher = body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body);
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + path)).method(method, publisher).build();
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() >= 300) {
                throw new IllegalStateException(method + " " + path + " answered " + answer.statusCode() + ": " + answer.body());
            }
            return answer.body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        process.destroy();
    }
}
