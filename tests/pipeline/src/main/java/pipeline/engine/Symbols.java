package pipeline.engine;

import java.util.Set;

/** Names that Jenkins knows beside its steps. */
final class Symbols {
    private Symbols() {}

    /** Descriptions that are arguments of a step. */
    static final Set<String> NESTED = Set.of(
            "string", "usernamePassword", "usernameColonPassword", "file", "booleanParam", "text", "choice", "password",
            "parameters", "nonresumable", "agent", "disableConcurrentBuilds", "durabilityHint", "buildDiscarder", "logRotator");

    /** Steps of a common Jenkins that the runner refuses by name. */
    static final Set<String> NOT_IMITATED = Set.of(
            "load", "mail", "git", "tool", "withContext", "getContext", "writeJSON",
            "readYaml", "lock", "milestone", "junit", "powershell", "pwsh", "archive", "unarchive", "emailext",
            "fingerprint", "publishHTML", "httpRequest", "sshagent", "ansiColor", "timestamps", "wrap", "step", "cleanWs",
            "findFiles", "zip", "unzip", "sha1", "sha256", "touch", "tee", "nodesByLabel", "jobDsl", "resolveScm", "validateDeclarativePipeline",
            "usernameColonPasswordMultiBinding", "container", "podTemplate", "catchInterruptions");
}
