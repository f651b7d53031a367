package hudson.plugins.git;

import java.io.Serializable;

/** Stand-in of the value of {@code scm}: a git repository; where it lies and the address it shows. */
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

    public String url() {
        return url;
    }
}
