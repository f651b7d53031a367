package jenkins.model;

import java.io.Serializable;

/** Imitation of Jenkins' reason for an interruption. */
public abstract class CauseOfInterruption implements Serializable {
    private static final long serialVersionUID = 1L;

    public abstract String getShortDescription();

    /** A person pressed stop. The exception names the user id, the log the full name [451]. */
    public static final class UserInterruption extends CauseOfInterruption {
        private static final long serialVersionUID = 1L;
        private final String userId;
        private final String fullName;

        public UserInterruption(String userId, String fullName) {
            this.userId = userId;
            this.fullName = fullName;
        }

        @Override
        public String getShortDescription() {
            return "Aborted by " + userId;
        }

        public String logLine() {
            return "Aborted by " + fullName;
        }
    }
}
