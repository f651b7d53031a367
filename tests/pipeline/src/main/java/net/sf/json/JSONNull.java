package net.sf.json;

import java.io.Serializable;

/** Imitation of json-lib's null: an object whose text is {@code null}. Groovy's {@code ==} never calls its equals for null, so it is not null to a pipeline. */
public final class JSONNull implements Serializable {
    private static final long serialVersionUID = 1L;
    private static final JSONNull INSTANCE = new JSONNull();

    private JSONNull() {}

    public static JSONNull getInstance() {
        return INSTANCE;
    }

    @Override
    public boolean equals(Object o) {
        return o == null || o instanceof JSONNull;
    }

    @Override
    public int hashCode() {
        return 42 + "null".hashCode();
    }

    @Override
    public String toString() {
        return "null";
    }

    private Object readResolve() {
        return INSTANCE;
    }
}
