"""``send``, ``demo``, ``fake-server`` and what else the command line knows, each as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from last9_markers import __version__
from last9_markers.fake_server import FakeLast9
from support import MINIMAL_ENV, ROOT, engine, make_request, run_step

SEND = ["send", "--service-name", "payments-api"]


def test_send_a_marker(last9: FakeLast9, tmp_path: Path) -> None:
    """A shell sends a marker with the token from the environment, and a stop is the default."""
    done = engine([*SEND, "--environment", "production"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == 0
    assert done.stdout == ""
    assert "[Last9] Deployment marker sent successfully" in done.stderr
    (event,) = last9.received()
    assert event["event_state"] == "stop"
    assert event["event_name"] == "deployment"
    assert event["organization"] == "acme"
    assert event["attributes"] == {
        "service": "payments-api",
        "service_name": "payments-api",
        "env": "production",
        "deployment_environment": "production",
        "message": "payments-api to production",
    }


def test_send_with_every_argument(tmp_path: Path) -> None:
    """Arguments count before the environment's settings."""
    with FakeLast9(organizations=("globex", "acme")) as last9:
        arguments = ["--event-state", "start", "--event-name", "rollback", "--org-slug", "acme", "--data-source-name", "metrics"]
        environ = {
            "LAST9_REFRESH_TOKEN": last9.refresh_token,
            "LAST9_ORG_SLUG": "globex",
            "LAST9_API_BASE_URL": "http://127.0.0.1:1",
            "LAST9_DATA_SOURCE_NAME": "other",
        }
        done = engine([*SEND, *arguments, "--api-base-url", last9.url], environ=environ, cwd=tmp_path)
        assert done.code == 0
        (event,) = last9.received()
        assert {event["event_state"], event["event_name"], event["organization"], event["data_source_name"]} == {
            "start",
            "rollback",
            "acme",
            "metrics",
        }


def test_send_reads_the_environment(last9: FakeLast9, tmp_path: Path) -> None:
    """What no argument says the ``LAST9_*`` variables do; here they name an organization that is not there."""
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token, "LAST9_ORG_SLUG": "globex", "LAST9_API_BASE_URL": last9.url}
    done = engine(SEND, environ=environ, cwd=tmp_path)
    assert "does not know organization 'globex'" in done.stderr
    assert last9.received() == []


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--fail-on-error"], 1)])
def test_send_without_a_token(tmp_path: Path, arguments: list[str], code: int) -> None:
    """A marker that was not delivered fails a shell only if it is asked to, and the log does not say that it is queued."""
    done = engine([*SEND, *arguments], cwd=tmp_path)
    assert done.code == code
    assert done.stderr.count("WARNING") == 1
    assert "no refresh token found" in done.stderr
    assert "kept" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--event-state", "begin"], "'begin'"), (["--service-name", " "], "--service-name is required")],
)
def test_send_that_makes_no_marker(last9: FakeLast9, tmp_path: Path, arguments: list[str], words: str) -> None:
    """A wrong value is a warning with the remedy; nothing is sent."""
    done = engine([*SEND, *arguments], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == 0
    assert words in done.stderr
    assert last9.requests() == []


def test_send_dry_run(last9: FakeLast9, tmp_path: Path) -> None:
    """A dry run shows the marker and sends none."""
    done = engine([*SEND, "--dry-run"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == 0
    assert '"event_name": "deployment"' in done.stderr
    assert last9.requests() == []


@pytest.mark.parametrize("arguments", [["send"], ["send", "--service-name"], [*SEND, "--no-such-option"]])
def test_send_with_wrong_arguments(arguments: list[str]) -> None:
    """Arguments that cannot be read end with code 2 and the usage, on stderr."""
    done = engine(arguments, environ={"LAST9_REFRESH_TOKEN": "never-to-be-seen"})
    assert done.code == 2
    assert "usage: last9-markers send" in done.stderr
    assert "never-to-be-seen" not in done.stdout + done.stderr


@pytest.mark.parametrize("in_repository", [False, True])
def test_demo(tmp_path: Path, in_repository: bool) -> None:
    """The demo shows a start and a stop as log and as received, on any console, and warns of nothing in any folder."""
    if in_repository:
        commit = ["-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "-q", "--allow-empty", "-m", "x"]
        for arguments in (["init", "-q"], ["remote", "add", "origin", "https://git.example.com/another.git"], commit):
            subprocess.run(["git", *arguments], cwd=tmp_path, env=MINIMAL_ENV, check=True)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    done = engine(["demo"], cwd=tmp_path, environ={"PYTHONIOENCODING": "ascii", "TMPDIR": str(temporary)})
    assert done.code == 0, done.stderr
    assert done.stdout.count("[Last9] Deployment marker sent successfully") == 2
    assert '"event_state": "start"' in done.stdout
    assert '"deployment.outcome": "success"' in done.stdout
    assert "WARNING" not in done.stdout
    (page,) = temporary.glob("last9-demo-*/last9-deployments.html")
    assert done.stdout.endswith(f"The same as a page: {page}\n")
    assert "eyJ" not in done.stdout
    assert done.stderr == ""


def test_demo_takes_no_arguments() -> None:
    """What the demo does not understand it says."""
    done = engine(["demo", "--fast"])
    assert done.code == 2
    assert "usage" in done.stderr


@contextmanager
def _fake_server(*arguments: str, environ: dict[str, str] | None = None) -> Iterator[tuple[dict[str, Any], subprocess.Popen[str]]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "last9_markers", "fake-server", *arguments],
        env={**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), **(environ or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline()), process
    finally:
        process.kill()
        process.communicate()


def _ask(url: str, method: str = "GET", body: Any = None) -> Any:
    with urlopen(Request(url, method=method, data=json.dumps(body).encode() if body is not None else None), timeout=20) as answer:
        return json.load(answer)


def test_fake_server_command(tmp_path: Path) -> None:
    """The first line says where it listens and what it accepts; it takes a marker, breaks down on order, and forgets on demand."""
    with _fake_server("--organization", "globex", "acme") as (said, _):
        assert set(said) == {"url", "refreshToken", "orgSlug"}
        assert said["orgSlug"] == "globex"
        assert run_step(make_request(), said["refreshToken"], tmp_path).answer["delivered"] is True
        (event,) = _ask(f"{said['url']}/received")
        assert event["organization"] == "globex"
        _ask(f"{said['url']}/faults", "POST", [{"on": "event", "status": 403}])
        assert run_step(make_request(), said["refreshToken"], tmp_path).answer["delivered"] is False
        _ask(f"{said['url']}/faults", "DELETE")
        assert [entry["status"] for entry in _ask(f"{said['url']}/requests")] == [200, 200, 200, 403]
        _ask(f"{said['url']}/received", "DELETE")
        assert _ask(f"{said['url']}/received") == []


def test_fake_server_accepts_further_tokens() -> None:
    """Tokens may also come from the environment, which no process list shows."""
    tokens = json.dumps(["first-further-token"])
    with _fake_server("--refresh-token", "second-further-token", environ={"LAST9_FAKE_SERVER_REFRESH_TOKENS": tokens}) as (said, _):
        for token in ("first-further-token", "second-further-token"):
            url = f"{said['url']}/api/v4/oauth/access_token"
            asked = Request(url, json.dumps({"refresh_token": token}).encode(), {"Content-Type": "application/json"})
            with urlopen(asked, timeout=20) as answer:
                assert json.load(answer)["access_token"]


@pytest.mark.parametrize("value", ["{", '"text"', "[1]"])
def test_fake_server_with_tokens_that_are_none(value: str) -> None:
    """A list that cannot be read is refused before anything is served."""
    done = engine(["fake-server"], environ={"LAST9_FAKE_SERVER_REFRESH_TOKENS": value})
    assert done.code == 2
    assert "must be a JSON array" in done.stdout + done.stderr


@pytest.mark.parametrize("words", [["--port", "99999"], ["--port", "-1"], ["--tls", "/no/cert", "/no/key"], ["--port", "{taken}"]])
def test_a_fake_server_that_cannot_serve_says_why(words: list[str]) -> None:
    """A port that is taken or none, and PEM files that are not there, are one line with the reason and code 2, no traceback."""
    with _fake_server() as (said, _):
        taken = said["url"].rpartition(":")[2]
        done = engine(["fake-server", *(word.format(taken=taken) for word in words)])
    assert (done.code, done.stdout) == (2, "")
    assert "error: cannot serve on port" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_help_of_a_command_in_either_order() -> None:
    """``help window`` is ``window --help``."""
    assert engine(["help", "window"]).stdout == engine(["window", "--help"]).stdout
    assert "usage: last9-markers COMMAND" in engine(["help", "nonsense"]).stdout


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_fake_server_ends_when_interrupted() -> None:
    """Ctrl-C ends it in good order, without a traceback."""
    with _fake_server() as (_, process):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [([], 0), (["--help"], 0), (["-h"], 0), (["nonsense"], 2), (["step"], 2), (["step", "--request"], 2), (["step", "x", "y"], 2)],
)
def test_usage(arguments: list[str], code: int) -> None:
    """Help goes to stdout, errors go to stderr with code 2; `step` without its file is an error."""
    done = engine(arguments, environ={"PYTHONIOENCODING": "ascii"})
    assert done.code == code, done.stderr
    assert "usage: last9-markers" in (done.stderr if code else done.stdout)
    assert (done.stdout if code else done.stderr) == ""


def test_version() -> None:
    """The version is the package's."""
    done = engine(["--version"])
    assert (done.code, done.stdout) == (0, f"last9-markers {__version__}\n")
