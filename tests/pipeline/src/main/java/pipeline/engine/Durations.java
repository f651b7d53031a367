package pipeline.engine;

/** Spans of time as Jenkins writes them: {@code 1 min 0 sec}, {@code 11 sec}, {@code 0.5 sec}. */
public final class Durations {
    private Durations() {}

    public static String text(long millis) {
        long days = millis / 86_400_000;
        long hours = millis / 3_600_000 % 24;
        long minutes = millis / 60_000 % 60;
        long seconds = millis / 1000 % 60;
        if (days > 0) {
            return days + (days == 1 ? " day " : " days ") + hours + " hr";
        }
        if (hours > 0) {
            return hours + " hr " + minutes + " min";
        }
        if (minutes > 0) {
            return minutes + " min " + seconds + " sec";
        }
        if (seconds >= 10) {
            return seconds + " sec";
        }
        if (seconds >= 1) {
            long tenths = millis % 1000 / 100;
            return tenths == 0 ? seconds + " sec" : seconds + "." + tenths + " sec";
        }
        if (millis >= 100) {
            return "0." + millis / 10 % 100 + " sec";
        }
        return millis + " ms";
    }
}
