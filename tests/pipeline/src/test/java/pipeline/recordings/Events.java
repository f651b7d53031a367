package pipeline.recordings;

import groovy.json.JsonSlurperClassic;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import pipeline.engine.Settings;

/** What was done to the recorded builds from outside, and when: src/test/resources/recordings/events.json. */
final class Events {
    private static final Map<String, Map<String, Object>> ALL = read();

    private Events() {}

    @SuppressWarnings("unchecked")
    private static Map<String, Map<String, Object>> read() {
        try {
            return (Map<String, Map<String, Object>>) new JsonSlurperClassic()
                    .parseText(Files.readString(Path.of("src/test/resources/recordings/events.json")));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Map<String, Object> of(int number) {
        return ALL.getOrDefault(String.valueOf(number), Map.of());
    }

    /** The build that was deleted before the last one started; 0 for none. */
    static int deleted(int number) {
        return (Integer) of(number).getOrDefault("delete", 0);
    }

    /** {@code build}: the only one that all this is for. {@code happenings}: kind and text in the log; {@code restart}: kill or term; {@code by}: id and full name of who presses stop. */
    @SuppressWarnings("unchecked")
    static void apply(int number, Settings s) {
        Map<String, Object> e = of(number);
        s.interruptionsAlwaysWin = ((List<Object>) ALL.get("older").get("recordings")).contains(number);
        if (e.get("build") != null && (Integer) e.get("build") != s.number) {
            return;
        }
        s.performanceOptimized = "PERFORMANCE_OPTIMIZED".equals(e.get("durability"));
        for (Object one : (List<Object>) e.getOrDefault("happenings", List.of())) {
            String[] kindAndText = ((String) one).split("@", 2);
            s.happenings.add(new Settings.Happening(kindAndText[0], null, null, 0, kindAndText[1]));
        }
        s.restartKind = (String) e.getOrDefault("restart", s.restartKind);
        if (e.get("by") != null) {
            List<String> by = (List<String>) e.get("by");
            s.abortUserId = by.get(0);
            s.abortUserName = by.get(1);
        }
    }
}
