package last9;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * Agents on which a plain {@code sh} step works and little else does as one would have it. Each is made as it is in the world where this machine allows
 * that, and else by the nearest means; {@link #setUp} returns by which.
 */
enum OddAgent {
    NOEXEC("a workspace mounted noexec", "") {
        @Override
        String setUp(AgentPlace place) throws IOException {
            place.proof = "if (sh(script: '#!/bin/sh\\necho ran', returnStatus: true) != 126) { error 'the workspace lets files be executed' }";
            if (place.mount(place.home, "noexec")) {
                return "a mount";
            }
            place.program("tools/cp", "/bin/cp \"$@\" && for made; do :; done && chmod a-x \"$made\"");
            place.environment.merge("PATH", place.folder.resolve("tools").toString(), (path, tools) -> tools + ":" + path);
            return "files that lose their x bits, since nothing can be mounted here";
        }
    },
    NO_PYTHON("no Python", "this agent has no usable Python|no Python here can run") {
        @Override
        String setUp(AgentPlace place) throws IOException {
            place.environment.put("PATH", LibraryTest.toolsButPython().toString());
            place.proof = "sh '! command -v python3 && ! command -v python'";
            return "a PATH without it";
        }
    },
    NO_PYTHON_AND_A_LABEL("no Python, and a label of agents that have it", NO_PYTHON.remedy) {
        @Override
        String setUp(AgentPlace place) throws IOException {
            place.before = "[ \"$NODE_NAME\" = equipped ] || export PATH=" + LibraryTest.toolsButPython();
            place.global.put("LAST9_AGENT_LABEL", "equipped");
            place.proof = "sh '! command -v python3 && ! command -v python'";
            return "a PATH without it";
        }
    },
    MINIMAL_PYTHON("python3-minimal", "it lacks the module [a-z]+\\).*python3-minimal lacks modules") {
        @Override
        String setUp(AgentPlace place) throws IOException {
            place.environment.put("PATH", minimal(place));
            place.proof = "sh 'python3 -c \"import ssl\" && ! python3 -c \"import json\" 2>/dev/null'";
            return "a Python cut down to Debian's list";
        }
    },
    MINIMAL_PYTHON_AND_A_LABEL("python3-minimal, and a label of agents that have all of it", MINIMAL_PYTHON.remedy) {
        @Override
        String setUp(AgentPlace place) throws IOException {
            place.before = "[ \"$NODE_NAME\" = equipped ] || export PATH=" + minimal(place);
            place.global.put("LAST9_AGENT_LABEL", "equipped");
            place.proof = "sh '! python3 -c \"import json\" 2>/dev/null'";
            return "a Python cut down to Debian's list";
        }
    },
    ROOT_AND_A_USER("root in a container and Jenkins' user in turn", "") {
        @Override
        String setUp(AgentPlace place) {
            place.turns = List.of("root", "user", "root", "user");
            if (!AgentPlace.IS_ROOT) {
                place.runs = "umask 022; sh \"$@\"; code=$?; [ \"$AS\" != root ] || find \"$WORKSPACE_TMP/last9\" -type f -exec chmod a-w {} +; exit $code";
                return "files that lose their w bits, since only root can be two users";
            }
            // This JVM stands for the agent's process, which is Jenkins' user's. Root is another user with root's powers over files, so that one sees whose they are.
            String powers = "+chown,+dac_override,+dac_read_search,+fowner";
            place.before = "find " + place.home + " -user 0 -exec chown -h 54321:54321 {} +";
            place.runs = "umask 077\ncase $AS in\nroot) exec setpriv --reuid=12345 --regid=12345 --clear-groups --inh-caps=" + powers + " --ambient-caps=" + powers
                    + " -- sh \"$@\" ;;\n*) exec setpriv --reuid=54321 --regid=54321 --clear-groups -- sh \"$@\" ;;\nesac";
            place.proof = "sh '! touch /etc/last9-was-here 2>/dev/null'\nwithEnv(['AS=root']) { sh '[ -r /etc/shadow ]' }";
            return "two users";
        }
    },
    READ_ONLY_HOME("HOME and TMPDIR that may only be read", "") {
        @Override
        String setUp(AgentPlace place) {
            boolean mounted = place.mount(place.userHome, "ro");
            String home = mounted ? place.userHome.toString() : "/proc"; // no user can make a file there, not even root
            place.environment.put("HOME", home);
            place.environment.put("TMPDIR", home);
            place.proof = "sh '! touch \"$HOME/x\" 2>/dev/null'";
            return mounted ? "a mount" : "/proc, since nothing can be mounted here";
        }
    },
    DEAD_ADDRESS("a name whose first address, IPv6, swallows everything", "") {
        @Override
        String setUp(AgentPlace place) throws IOException {
            String dead = AgentPlace.run("python3", "-c", "import socket; socket.create_server(('::1', 0), family=socket.AF_INET6)") == 0 ? "::1" : "127.0.0.2";
            place.swallow(dead);
            place.url = "http://localhost:" + place.last9.port();
            Path hosts = place.file("hosts", dead + " localhost\n127.0.0.1 localhost\n");
            if (place.mountsAround("mount --bind " + hosts + " /etc/hosts")) {
                place.proof = "sh 'getent ahosts localhost | head -n 1 | grep -q \"^" + dead + " \"'";
                return "a hosts file with " + dead;
            }
            place.runs = "exec sh \"$@\"";
            place.file("resolver.py", "import socket, sys\n"
                    + "socket.getaddrinfo = lambda host, port, *more, **named: [(socket.AF_INET6 if ':' in a else socket.AF_INET, 1, 6, '', (a, port)) for a in ('" + dead + "', '127.0.0.1')]\n"
                    + "sys.argv = sys.argv[sys.argv.index('-c'):]\nprogram = sys.argv.pop(1)\nexec(program)\n");
            place.environment.put("LAST9_PYTHON", place.program("resolving/python3", "exec python3 -I -S " + place.folder.resolve("resolver.py") + " \"$@\"").toString());
            return "a resolver in the interpreter with " + dead + ", since nothing can be mounted here";
        }
    },
    PROXY("a proxy as the only way out", "") {
        @Override
        String setUp(AgentPlace place) {
            overTls(place);
            TunnelProxy proxy = place.with(new TunnelProxy(place.last9.port()));
            place.url = "https://localhost:1"; // no server is there
            place.environment.put("HTTPS_PROXY", "http://build:tunnel%20secret@127.0.0.1:" + proxy.port());
            place.afterwards = () -> {
                if (proxy.asked.isEmpty() || !proxy.asked.stream().allMatch(head -> head.startsWith("CONNECT localhost:1 ") && head.contains("Proxy-Authorization: Basic "))) {
                    throw new AssertionError("asked of the proxy: " + proxy.asked);
                }
            };
            return "a proxy with a password";
        }
    },
    EXEMPTED("a dead proxy, and NO_PROXY as people write it", "") {
        @Override
        String setUp(AgentPlace place) {
            overTls(place);
            place.url = "https://localhost:" + place.last9.port();
            place.environment.put("HTTPS_PROXY", "127.0.0.1:9");
            place.environment.put("NO_PROXY", "10.0.0.0/8;localhost *.example.com");
            return "the variables";
        }
    },
    DEAD_PROXY("a dead proxy", "the proxy 127\\.0\\.0\\.1:9") {
        @Override
        String setUp(AgentPlace place) {
            overTls(place);
            place.url = "https://localhost:" + place.last9.port();
            place.environment.put("HTTPS_PROXY", "127.0.0.1:9");
            return "the variable";
        }
    };

    private final String what;
    /** What a warning must say if no marker can be sent: a regular expression. */
    final String remedy;

    OddAgent(String what, String remedy) {
        this.what = what;
        this.remedy = remedy;
    }

    /** Makes the agent such, and returns by which means. */
    abstract String setUp(AgentPlace place) throws IOException;

    @Override
    public String toString() {
        return what;
    }

    private static void overTls(AgentPlace place) {
        place.last9 = place.with(FakeLast9.startTls(LibraryTest.CHECKOUT));
        place.environment.put("LAST9_CA_BUNDLE", FakeLast9.CA.toString());
    }

    /** A PATH whose only Python is one that has what Debian's python3-minimal has. */
    private static String minimal(AgentPlace place) throws IOException {
        String script = LibraryTest.CHECKOUT.resolve("tests/bundle/cut_down.py").toString();
        Process p = new ProcessBuilder("python3", script, place.folder.resolve("minimal").toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String python = new BufferedReader(new InputStreamReader(p.getInputStream(), StandardCharsets.UTF_8)).readLine();
        return Path.of(python).getParent() + ":" + LibraryTest.toolsButPython();
    }
}
