package hudson.util;

import java.io.Serializable;

/** Imitation of Jenkins' secret: what {@code params.X} is for a password parameter. Its text is its plain value, as in Jenkins. */
public final class Secret implements Serializable {
    private static final long serialVersionUID = 1L;
    private final String value;

    public Secret(String value) {
        this.value = value;
    }

    public String getPlainText() {
        return value;
    }

    public String getEncryptedValue() {
        return "{" + java.util.Base64.getEncoder().encodeToString(new byte[16]) + "}";
    }

    @Override
    public String toString() {
        return value;
    }
}
