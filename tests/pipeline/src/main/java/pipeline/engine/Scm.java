package pipeline.engine;

import hudson.plugins.git.GitSCM;

/** What {@code scm} is: the repository that the Jenkinsfile came from, usable outside node [103]. */
final class Scm {
    private Scm() {}

    static GitSCM of(Build build) {
        Settings s = build.settings();
        if (s.scmRepository == null) {
            throw new IllegalStateException("‘checkout scm’ is only available when using “Multibranch Pipeline” or “Pipeline script from SCM”");
        }
        return new GitSCM(s.scmRepository, s.scmUrl == null ? s.scmRepository : s.scmUrl);
    }
}
