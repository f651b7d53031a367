package pipeline.sandbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * The project's list of approved signatures is part of what script-security approves. That plugin's lists are here as fingerprints
 * ({@code tools/script_security.py} makes them): the start of each line's SHA-256.
 */
class SignaturesTest {
    private static final Path FINGERPRINTS = Path.of("src/test/resources/script-security/fingerprints.txt");
    private static final Path OURS = Path.of("src/main/resources/pipeline/sandbox/approved-signatures");

    private static Map<String, Set<String>> lists() throws IOException {
        Map<String, Set<String>> lists = new LinkedHashMap<>();
        Set<String> open = null;
        for (String line : Files.readAllLines(FINGERPRINTS)) {
            if (line.startsWith("[")) {
                open = new TreeSet<>();
                lists.put(line.substring(1, line.indexOf(']')), open);
            } else {
                open.add(line);
            }
        }
        return lists;
    }

    private static String fingerprint(String signature) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(signature.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether a list has the signature itself or all of its class ({@code method java.util.Map *}). */
    private static boolean isOn(Set<String> list, String signature) {
        String[] words = signature.split(" ");
        return list.contains(fingerprint(signature)) || words.length > 2 && list.contains(fingerprint(words[0] + " " + words[1] + " *"));
    }

    /** Each signature that sandboxed code may call here is one that Jenkins approves, and none is one that it forbids. */
    @Test
    void eachIsApprovedByScriptSecurity() throws IOException {
        Map<String, Set<String>> lists = lists();
        List<String> ours = Files.readAllLines(OURS).stream().map(String::trim).filter(l -> !l.isEmpty() && !l.startsWith("#")).toList();
        assertEquals(List.of(), ours.stream().filter(s -> !isOn(lists.get("generic-whitelist"), s) && !isOn(lists.get("jenkins-whitelist"), s)).toList(),
                "not on script-security's lists");
        assertEquals(List.of(), ours.stream().filter(s -> isOn(lists.get("blacklist"), s)).toList(), "forbidden by script-security");
    }

    /** The fingerprints tell yes from no: what is known to be approved, what is known not to be, and what is known to be forbidden. */
    @Test
    void theFingerprintsTell() throws IOException {
        Map<String, Set<String>> lists = lists();
        assertTrue(isOn(lists.get("generic-whitelist"), "staticMethod java.lang.System currentTimeMillis"));
        assertTrue(isOn(lists.get("jenkins-whitelist"), "staticField hudson.model.Result ABORTED"));
        for (String list : List.of("generic-whitelist", "jenkins-whitelist")) {
            assertFalse(isOn(lists.get(list), "staticMethod java.lang.System getenv java.lang.String"));
            assertFalse(isOn(lists.get(list), "method org.jenkinsci.plugins.workflow.steps.FlowInterruptedException getCauses"));
        }
        assertTrue(isOn(lists.get("blacklist"), "staticMethod groovy.json.JsonOutput toJson java.lang.Object"));
    }
}
