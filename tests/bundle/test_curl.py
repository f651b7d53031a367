"""curl.sh: sends one marker from an agent without Python, in each shell, and gives the token to no one but Last9."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from agents import ANSWERED, LAUNCHER, MINIMAL_ENV, NO_INTERPRETER, ROOT, SHELLS, Agent, Last9, launcher, processes, program
from test_launcher import end_as_jenkins_does

pytestmark = pytest.mark.needs("curl")

SCRIPT = ROOT / "resources" / "last9" / "curl.sh"
SUBJECT = "the stop marker of payments-api (deployment)"
ATTRIBUTES = {"service_name": "payments-api", "odd": 'it\'s "quoted" \\ $HOME `id` $(id) %s @/etc/passwd \u00fc'}
EVENT = {"event_name": "deployment", "event_state": "stop", "timestamp": "2026-09-21T14:14:20.123Z", "attributes": ATTRIBUTES}
SENT = f"[Last9] Sent by curl, as this agent has no usable Python: {SUBJECT}. It lacks what needs Python: "


@dataclass(frozen=True)
class Run:
    """What a run left: its exit code, its log, its answer if it wrote one."""

    code: int
    log: str
    answer: dict[str, Any]

    @property
    def problem(self) -> str:
        """Why the marker was not sent; nothing was said of it, and nothing is called sent."""
        assert (self.code, self.log) == (ANSWERED, ""), self
        assert self.answer["delivered"] is False
        return str(self.answer["problem"])


class Node:
    """An agent without Python whose PATH is a folder of the test's own, with links to a few programs."""

    def __init__(self, folder: Path, agent: Agent) -> None:
        self.agent = agent
        self.last9: Last9 = agent.last9
        self.path = folder / "bin"
        self.path.mkdir()
        for name in ("curl", "head"):
            (self.path / name).symlink_to(str(shutil.which(name)))
        self.home = folder / "home"
        self.home.mkdir()
        self.environ: dict[str, str] = {}
        self.url = self.last9.url

    def start(
        self, shell: list[str], identity: str, *, seconds: int = 20, look: str = "no", event: str | None = None
    ) -> subprocess.Popen[str]:
        """Start the script as Jenkins does, beside the marker as the library writes it."""
        content = json.dumps(EVENT) if event is None else event
        escaped = content.replace("\\", "\\\\").replace('"', '\\"')
        place = f"{self.url}/api/v4/organizations/acme/change_events"
        lines = (f"{self.url}/api/v4/oauth/access_token", place, escaped, SUBJECT)
        (self.agent.slot / f"marker-{identity}.txt").write_text("\n".join(lines) + "\n", "utf-8")
        text = SCRIPT.read_text("ascii").replace("@REQUEST@", identity).replace("@SECONDS@", str(seconds)).replace("@LOOK@", look)
        script = self.agent.folder.parent / f"script-{identity}.sh"
        script.write_text(text, "ascii")
        words = [str(shutil.which(shell[0])), *shell[1:], "-xe", str(script)]
        environ = {"PATH": str(self.path), "HOME": str(self.home), "LAST9_REFRESH_TOKEN": self.last9.token, **self.environ}
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ, cwd=self.agent.slot)

    def run(self, shell: list[str] | None = None, **more: Any) -> Run:
        """Send one marker. With any result, nothing is left but the answer, and the token is shown nowhere."""
        identity = str(uuid.uuid4())
        process = self.start(shell or ["sh"], identity, **more)
        stdout, stderr = process.communicate(timeout=120)
        done = self.agent.done(process.returncode, stdout, stderr, self.agent.slot / f"request-{identity}.json")
        assert done.code != 0
        assert done.stdout == ""
        assert self.agent.left_over() == []
        self.assert_silent(done.stderr + str(done.written))
        return Run(done.code, done.stderr, json.loads(done.written) if done.written else {})

    def assert_silent(self, text: str) -> None:
        """Neither token, nor what an access token looks like, in that text or in any file."""
        secret = self.environ.get("LAST9_REFRESH_TOKEN", self.last9.token).strip()
        files = [file for file in self.agent.folder.parent.parent.rglob("*") if file.is_file() and not file.is_symlink()]
        assert len(files) > 0
        for found in (text, *(file.read_text("latin-1") for file in files)):
            assert secret not in found
            assert "Bearer" not in found.replace('"header = \\"X-LAST9-API-TOKEN: Bearer $access\\""', "").replace("Bearer $access", "")


@pytest.fixture
def node(tmp_path: Path, agent: Agent) -> Node:
    """An agent with curl and head on its PATH, and no more."""
    return Node(tmp_path, agent)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_marker_arrives_in_each_shell(shell: list[str], node: Node) -> None:
    """The event is that of the marker, byte for byte in its texts; one line says that curl sent it and what it lacks."""
    done = node.run(shell)
    expected = {"last9Answer": 2, "curl": "sent", "accepted": True, "deploymentId": None, "warnings": [], "failBuild": None}
    assert (done.code, done.answer) == (ANSWERED, {**expected, "delivered": True, "problem": ""})
    assert done.log.startswith(SENT)
    assert done.log.count("\n") == 1
    (event,) = node.last9.received()
    assert {name: event[name] for name in EVENT} == EVENT
    assert [request["path"] for request in node.last9.requests()] == [
        "/api/v4/oauth/access_token",
        "/api/v4/organizations/acme/change_events",
    ]


RECORDING = """#!/bin/sh
for word in "$0" "$@"; do printf '%s\\n' "$word"; done >>'{trace}.arguments'
{tr} '\\0' '\\n' </proc/$$/environ >>'{trace}.environment'
{tee} -a '{trace}.input' | '{curl}' "$@"
"""


@pytest.mark.parametrize("shell", SHELLS)
def test_no_token_in_arguments_and_environment(shell: list[str], node: Node, tmp_path: Path) -> None:
    """A curl that writes down what it is given: both tokens come on standard input, and neither is an argument or a variable."""
    trace = tmp_path.parent / f"{tmp_path.name}-trace"
    (node.path / "curl").unlink()
    names = {name: shutil.which(name) for name in ("tr", "tee", "curl")}
    program(node.path / "curl", RECORDING.format(trace=trace, **names).partition("\n")[2])
    node.environ["SSLKEYLOGFILE"] = str(tmp_path / "keys")
    assert node.run(shell).answer["delivered"] is True
    given = Path(f"{trace}.input").read_text("utf-8")
    access = re.findall(r"Bearer ([^\"]+)", given)
    assert node.last9.token in given
    assert len(access) == 1
    for what in ("arguments", "environment"):
        found = Path(f"{trace}.{what}").read_text("utf-8")
        assert "PATH=" in found or "--max" in found or "-K" in found
        for secret in (node.last9.token, access[0], "SSLKEYLOGFILE", "acme"):
            assert secret not in found
    for line in Path(f"{trace}.arguments").read_text("utf-8").split("\n" + str(node.path / "curl")):
        assert line.replace(str(node.path / "curl"), "").split()[0] == "-q"


@pytest.mark.parametrize("shell", SHELLS)
def test_nobody_sees_a_token_while_it_runs(shell: list[str], node: Node) -> None:
    """Sampled from outside while Last9 takes its time with either request: no process has a token among its arguments."""
    node.last9.order({"on": "exchange", "delay": 1}, {"on": "event", "delay": 1})
    process = node.start(shell, str(uuid.uuid4()))
    seen: set[str] = set()
    while process.poll() is None:
        assert processes(node.last9.token) == []
        assert processes("Bearer ") == []
        seen.update(line.split(" ")[0] for line in processes("-K", "-q"))
        time.sleep(0.02)
    process.communicate()
    assert str(node.path / "curl") in seen
    assert len(node.last9.received()) == 1


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "environ",
    [
        {"SHELLOPTS": "xtrace:verbose:allexport:nounset:braceexpand"},
        {"BASH_ENV": "traced", "ENV": "traced"},
        {"IFS": "KX", "CDPATH": "/", "OPTIND": "7"},
        {"LC_ALL": "tr_TR.UTF-8", "POSIXLY_CORRECT": "1"},
        {"BASHOPTS": "failglob:nocasematch:extglob:lastpipe"},
    ],
    ids=str,
)
def test_a_hostile_environment(shell: list[str], environ: dict[str, str], node: Node, tmp_path: Path) -> None:
    """With any setting of the shell (trace, echo, export), the marker is sent, and the token is shown nowhere."""
    (tmp_path / "traced").write_text("set -axv\n")
    node.environ.update({name: str(tmp_path / value) if value == "traced" else value for name, value in environ.items()})
    identity = str(uuid.uuid4())
    process = node.start(shell, identity)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == ANSWERED
    assert SENT in stderr
    assert "no match" not in stderr
    assert [path.name for path in node.agent.slot.iterdir()] == [f"answer-{identity}.json"]
    node.assert_silent(stdout + stderr)
    assert len(node.last9.received()) == 1


def test_a_curlrc_is_not_read(node: Node, tmp_path: Path) -> None:
    """A .curlrc that traces everything into a file, as the user's or as CURL_HOME's, has no effect."""
    trace = tmp_path / "trace"
    (node.home / ".curlrc").write_text(f'trace-ascii = "{trace}"\ninsecure\n')
    node.environ.update(CURL_HOME=str(node.home), XDG_CONFIG_HOME=str(node.home))
    assert node.run().answer["delivered"] is True
    assert not trace.exists()


@pytest.mark.parametrize("where", ["inside", "link", "relative", "empty"])
@pytest.mark.parametrize("name", ["curl", "head"])
def test_a_checkout_chooses_no_program(where: str, name: str, node: Node, tmp_path: Path) -> None:
    """What lies in the workspace, or in a folder that PATH names by a relative path, gets no token: the launcher is to look again."""
    program(node.agent.workspace / name, f': >"{tmp_path}/pwned"')
    program(node.agent.slot / name, f': >"{tmp_path}/pwned"')
    (tmp_path / "link").symlink_to(node.agent.workspace)
    (node.path / name).unlink()
    folder = {"inside": str(node.agent.workspace), "link": str(tmp_path / "link"), "relative": ".", "empty": ""}[where]
    node.environ["PATH"] = f"{folder}:{node.path}"
    process = node.start(["sh"], str(uuid.uuid4()))
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == NO_INTERPRETER
    assert not (tmp_path / "pwned").exists()
    assert node.last9.requests() == []


FAULTS = [
    ({"delay": 60}, "no answer within 1 s"),
    ({"status": 503}, "Last9 answers 503"),
    ({"status": 429}, "Last9 answers 429"),
    ({"drop": "before"}, "the connection was cut (curl: 52)"),
    ({"status": 302, "headers": {"Location": "/api/v4/organizations/acme/change_events"}}, "Last9 redirects (302)"),
    ({"status": 307, "headers": {"Location": "/api/v4/organizations/acme/change_events"}}, "Last9 redirects (307)"),
    ({"status": 401}, "Last9 refuses the token (401)"),
    ({"status": 403}, "Last9 refuses the token (403)"),
    ({"status": 404}, "not found (404)"),
    ({"status": 400}, "Last9 answers 400"),
]


@pytest.mark.parametrize("on", ["exchange", "event"])
@pytest.mark.parametrize(("fault", "problem"), FAULTS, ids=str)
def test_a_fault_is_told_and_nothing_called_sent(on: str, fault: dict[str, Any], problem: str, node: Node) -> None:
    """With any other answer of Last9: within the limit one problem without a secret, one attempt, and nothing is called sent."""
    node.last9.order(on=on, **fault)
    told = node.run(seconds=1 if "delay" in fault else 20).problem
    assert problem in told
    assert told.startswith("the exchange of the refresh token failed: " if on == "exchange" else "Last9 did not take it: ")
    paths = [request["path"].rpartition("/")[2] for request in node.last9.requests()]
    assert paths == ["access_token"] if on == "exchange" else ["access_token", "change_events"]


@pytest.mark.parametrize("fault", [{"drop": "body"}, {"drop": "headers"}, {"size": 1 << 24}], ids=str)
def test_what_follows_the_status_plays_no_role(fault: dict[str, Any], node: Node) -> None:
    """An event that Last9 has taken is delivered, however its answer ends; an exchange without a whole answer is none."""
    node.last9.order(on="event", **fault)
    assert node.run(seconds=2).answer["delivered"] is True
    assert len(node.last9.received()) == 1
    node.last9.start_afresh()
    node.last9.order(on="exchange", **fault)
    assert node.run(seconds=2).problem.startswith("the exchange of the refresh token failed: ")
    assert [request["path"].rpartition("/")[2] for request in node.last9.requests()] == ["access_token"]


@pytest.mark.parametrize("shell", SHELLS)
def test_faults_in_each_shell(shell: list[str], node: Node) -> None:
    """In each shell a refused exchange ends it, a hanging one within the limit, and one cut off in the middle is not an answer."""
    for fault, problem in (
        ({"status": 401}, "(401)"),
        ({"delay": 60}, "within 1 s"),
        ({"drop": "body"}, "(curl: "),
        ({"size": 1 << 24}, "too long"),
    ):
        node.last9.order_nothing()
        node.last9.order(on="exchange", **fault)
        assert problem in node.run(shell, seconds=1 if "delay" in fault else 20).problem
    assert node.last9.received() == []


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("body", ["<html>\n" + "x" * 100_000, "\n" * 100_000, "200\n0\n" * 20_000], ids=["page", "empty", "codes"])
def test_an_answer_without_an_end(shell: list[str], body: str, node: Node) -> None:
    """An answer that is cut off is called too long, with any lines: a sign-in page, empty lines, what looks like a status."""
    node.last9.order(on="exchange", body=body)
    assert node.run(shell).problem.endswith("Last9's answer is far too long. Check apiBaseUrl")
    assert [request["path"].rpartition("/")[2] for request in node.last9.requests()] == ["access_token"]


@pytest.mark.parametrize("name", ["curl", "head"])
def test_a_cd_that_speaks(name: str, node: Node, tmp_path: Path) -> None:
    """If bash has inherited an exported `cd` that prints its folder, a checkout still chooses no program."""
    program(node.agent.workspace / name, f': >"{tmp_path}/pwned"')
    node.environ["BASH_FUNC_cd%%"] = '() { builtin cd "$@" && echo "now in $PWD"; }'
    node.environ["PATH"] = f"{node.agent.workspace}:{node.path}"
    assert node.run(["bash"]).answer["delivered"] is True
    assert not (tmp_path / "pwned").exists()


BODIES = {
    "{}": None,
    "": None,
    "access_token": None,
    '{"access_token": null}': None,
    '{"access_token": ""}': None,
    '{"access_token": "short"}': None,
    '{"access_token": 12345678901}': None,
    '{"x": "access_token", "y": "not-a-token-at-all"}': None,
    '{"access_token": "with blank or worse"}': None,
    '{"access_token": "abc\\nheader = evil12345"}': None,
    "<html>access_token</html>": None,
    '{"access_token": "' + "x" * 20000 + '"}': None,
    '{ "type" : "Bearer" ,\n "access_token"\t:\n "TOKEN" }': "found",
    '{"refresh_token":"a \\" b","access_token":"TOKEN","scopes":["write"]}': "found",
}


@pytest.mark.parametrize("shell", SHELLS)
def test_reads_the_access_token_or_nothing(shell: list[str], node: Node) -> None:
    """Out of any answer the text under access_token, if it has the form of one; everything else is a problem, and no event is tried."""
    for body, found in BODIES.items():
        node.last9.start_afresh()
        node.last9.order(on="exchange", body=body.replace("TOKEN", "an-access.token_of~mine+/="))
        done = node.run(shell)
        asked = [request["path"].rpartition("/")[2] for request in node.last9.requests()]
        if found is None:
            assert "no usable access_token" in done.problem, body
            assert asked == ["access_token"], body
        else:
            assert asked == ["access_token", "change_events"], body
            assert "Last9 did not take it" in done.problem  # this one was never issued


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "token", ["", "  \n ", 'quo"ted-token', "back\\slash-token", "two words-token", "two\nlines-token", "\u00fcmlaut-token"]
)
def test_a_token_of_another_form_is_not_sent(shell: list[str], token: str, node: Node) -> None:
    """What could not be a refresh token, or would end a line of curl's configuration, is never given to curl."""
    node.environ["LAST9_REFRESH_TOKEN"] = token
    identity = str(uuid.uuid4())
    process = node.start(shell, identity)
    _, stderr = process.communicate(timeout=60)
    answer = json.loads((node.agent.slot / f"answer-{identity}.json").read_text("utf-8"))
    assert "the credential holds no usable token" in answer["problem"]
    assert not token.strip() or token not in stderr + json.dumps(answer)
    assert node.last9.requests() == []


def test_blanks_around_the_token(node: Node) -> None:
    """What copying leaves behind, a line break or a blank, is not part of the token."""
    node.environ["LAST9_REFRESH_TOKEN"] = f" \t{node.last9.token}\r\n"
    assert node.run().answer["delivered"] is True


def test_a_marker_that_holds_the_token(node: Node) -> None:
    """A refresh token that a person puts into an attribute is not sent to everyone's dashboards."""
    identity = str(uuid.uuid4())
    process = node.start(["sh"], identity, event=json.dumps({**EVENT, "attributes": {"x": node.last9.token}}))
    process.communicate(timeout=60)
    answer = json.loads((node.agent.slot / f"answer-{identity}.json").read_text("utf-8"))
    assert "the refresh token is part of it" in answer["problem"]
    assert node.last9.requests() == []


@pytest.mark.parametrize("shell", SHELLS)
def test_an_abort_leaves_no_process_and_is_no_success(shell: list[str], node: Node) -> None:
    """Jenkins ends curl first: no event is tried then, no answer written that anyone could take for one, and nothing outlives it."""
    node.last9.order(on="exchange", delay=600)
    identity = str(uuid.uuid4())
    process = node.start(shell, identity, seconds=300)
    while not node.last9.requests():
        time.sleep(0.02)
    end_as_jenkins_does(process.pid)
    process.communicate(timeout=60)
    assert process.returncode in (143, -15)
    assert list(node.agent.slot.iterdir()) == []
    assert [request["path"].rpartition("/")[2] for request in node.last9.requests()] == ["access_token"]
    assert processes(str(node.path / "curl")) == []


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["python3", "python", "python3.9", "python3.39", "LAST9_PYTHON", "its name"])
def test_where_there_may_be_a_python_the_launcher_looks(shell: list[str], name: str, node: Node) -> None:
    """A node known to be without Python may have one outside of the container, wherever the launcher looks: nothing is sent here then."""
    program(node.path / name, "exit 1")
    if name == "LAST9_PYTHON":
        node.environ["LAST9_PYTHON"] = str(node.path / name)
    if name == "its name":
        node.environ["LAST9_PYTHON"] = name
    assert node.run(shell, look="yes").code == NO_INTERPRETER
    assert node.last9.requests() == []
    assert node.run(shell, look="no").answer["delivered"] is True


@pytest.mark.needs("openssl")
def test_a_certificate_nobody_vouches_for(node: Node, tmp_path: Path) -> None:
    """Over TLS a server that no authority vouches for gets no token; one that LAST9_CA_BUNDLE vouches for does, by TLS 1.3."""
    files = [str(tmp_path / name) for name in ("key.pem", "certificate.pem")]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    openssl = [str(shutil.which("openssl")), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*openssl, "-keyout", files[0], "-out", files[1]], check=True, capture_output=True, env=MINIMAL_ENV)
    server = TlsServer(files[1], files[0])
    try:
        node.url = server.url
        assert "no secure connection (curl: 60)" in node.run().problem
        node.environ["LAST9_CA_BUNDLE"] = files[1]
        assert "Last9 answers 400" in node.run().problem
        assert server.versions == {"TLSv1.3"}
        (node.path / "curl").unlink()  # before 7.34 it knows no --tlsv1.2, and takes no command with it
        program(node.path / "curl", OLD.format(cat=shutil.which("cat"), curl=shutil.which("curl")))
        assert "Last9 answers 400" in node.run().problem
    finally:
        server.close()


OLD = """case $* in *tlsv1.2*) exit 2 ;; esac
given=$({cat})
case $given in *tlsv1.2*) exit 2 ;; esac
printf '%s\\n' "$given" | '{curl}' "$@"
"""


class TlsServer:
    """Speaks TLS and answers 400 to everything."""

    def __init__(self, certificate: str, key: str) -> None:
        import http.server
        import ssl
        import threading

        versions: set[str] = set()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                versions.add(self.connection.version())  # type: ignore[attr-defined]
                self.send_response(400)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.versions = versions
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize("shell", SHELLS)
def test_the_launcher_says_whether_curl_serves(shell: list[str], node: Node) -> None:
    """The launcher only answers, because the library knows which marker it is about; without curl the answer names both remedies."""
    asked = ask_launcher(node, shell)
    assert (asked.answer["curl"], asked.log) == ("always", "")
    assert asked.answer["noEngine"] is True
    program(node.path / "python3", "exit 5")
    asked = ask_launcher(node, shell)
    assert (asked.answer["curl"], asked.log) == ("once", ""), "a Python that does not serve here may serve elsewhere on the node"
    (node.path / "curl").unlink()
    asked = ask_launcher(node, shell)
    assert (asked.answer["curl"], asked.log) == ("no", "")
    (warning,) = asked.answer["warnings"]
    assert "Install Python 3.9 or newer" in warning
    assert "Or install curl" in warning


def ask_launcher(node: Node, shell: list[str]) -> Run:
    """Run the launcher as the library does for a marker that curl may send."""
    request = node.agent.request()
    identity = request.stem[len("request-") :]
    script = node.agent.folder.parent / f"script-{identity}.sh"
    script.write_text(launcher(LAUNCHER, identity), "utf-8")
    command = [str(shutil.which(shell[0])), *shell[1:], "-xe", str(script)]
    environ = {"PATH": str(node.path)}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=node.agent.slot, check=False, timeout=60)
    result = node.agent.done(done.returncode, done.stdout, done.stderr, request)
    assert result.code == NO_INTERPRETER
    return Run(result.code, result.stderr, result.answer)


def test_holds_its_places_and_looks_as_the_launcher_does() -> None:
    """The library replaces three marks; the way to look for a program is the launcher's, word for word; all of it is plain ASCII."""
    text = SCRIPT.read_text("ascii")
    assert text.startswith("{ set +xe; } 2>/dev/null\n")
    assert {part for part in text.split("@")[1:] if part.isupper()} == {"REQUEST", "SECONDS", "LOOK"}
    looking = re.compile(r"^# Sets \$found.*?^}$", re.MULTILINE | re.DOTALL)
    assert looking.findall(text) == looking.findall(LAUNCHER.read_text("ascii"))
    assert len(looking.findall(text)) == 1
