package pipeline.run;

import java.util.List;
import java.util.stream.Stream;

/** What a JVM needs to run pipelines. */
final class JvmOptions {
    static final List<String> ALL = Stream.concat(
            Stream.of("java.lang", "java.util", "java.io", "java.lang.reflect").flatMap(p -> Stream.of("--add-opens", "java.base/" + p + "=ALL-UNNAMED")),
            Stream.of("-Xss4m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")).toList();

    private JvmOptions() {}
}
