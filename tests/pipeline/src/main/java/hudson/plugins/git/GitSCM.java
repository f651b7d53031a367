package hudson.plugins.git;

import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** Imitation of the value of {@code scm}: a git repository; where it lies and the address it shows. */
public final class GitSCM implements Serializable {
    private static final long serialVersionUID = 1L;
    private final String path;
    private final String url;

    public GitSCM(String path, String url) {
        this.path = path;
        this.url = url;
    }

    public String repositoryPath() {
        return path;
    }

    /** As the flow graph shows it [103]. */
    public Map<String, Object> described() {
        return Map.of("$scmGit", Map.of("extensions", List.of(), "userRemoteConfigs", List.of(Map.of("$describable", Map.of("url", url))),
                "branches", List.of(Map.of("$describable", Map.of("name", "*/main")))));
    }

    public String url() {
        return url;
    }
}
