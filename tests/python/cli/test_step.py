"""``step`` as the launcher runs it: a process, a request file, one answer file, and an exit code that says whether that is written."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from last9_markers.fake_server import FakeLast9
from last9_markers.runner.serve import ANSWERED, UNANSWERED
from support import MINIMAL_ENV, ROOT, engine, field, make_request, patience, run_step


def test_delivered(last9: FakeLast9, tmp_path: Path) -> None:
    """The log goes to stderr, the answer to its file, nothing to stdout, and the request file is gone."""
    done = run_step(make_request(), last9.refresh_token, tmp_path)
    assert done.code == ANSWERED
    assert done.answer["delivered"] is True
    assert done.stderr.splitlines() == [
        "[Last9] Sending deployment marker: deployment (start) for payments-api",
        "[Last9] Deployment marker sent successfully",
    ]
    assert not (tmp_path / "request.json").exists()


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", '{"contract":1,"pending":["x"]}', "\ufeff{}", '{"contract":2'])
def test_unreadable_request(tmp_path: Path, text: str) -> None:
    """A request of another version or of none gets an answer that accepts nothing and throws nothing away."""
    done = run_step(text, "some-refresh-token", tmp_path)
    assert done.code == ANSWERED
    assert done.answer["accepted"] is False
    assert done.answer["delivered"] is False
    assert "pending" not in done.answer
    (warning,) = done.answer["warnings"]
    assert "from one version" in warning
    assert done.stderr == f"[Last9] WARNING: {warning}\n"
    assert not (tmp_path / "request.json").exists()


def test_missing_request(tmp_path: Path) -> None:
    """A file that is not there is a warning that names the remedy, not a traceback."""
    done = engine(["step", "--request", str(tmp_path / "nowhere.json"), "--answer", str(tmp_path / "answer.json")])
    assert (done.code, done.stdout) == (ANSWERED, "")
    answer = json.loads((tmp_path / "answer.json").read_text("ascii"))
    assert "temporary workspace" in answer["warnings"][0]
    assert "pending" not in answer
    assert "Traceback" not in done.stderr


def test_missing_token(last9: FakeLast9, tmp_path: Path) -> None:
    """Without the credential's variable nothing is asked of Last9, and the warning tells how to store one."""
    done = run_step(make_request(), None, tmp_path)
    assert "no refresh token found (credential 'last9-refresh-token')" in done.answer["warnings"][0]
    assert "Secret text" in done.answer["warnings"][0]
    assert len(done.pending) == 1
    assert last9.requests() == []


def test_dry_run_without_a_credential(tmp_path: Path) -> None:
    """A dry run shows the event on one line, needs no token, sends nothing and keeps nothing."""
    done = run_step(make_request("start", options={"dryRun": "true", "customAttributes": {"n": "Zürich\n🚀"}}), None, tmp_path)
    assert done.answer["warnings"] == []
    assert done.answer["delivered"] is False
    assert done.answer["accepted"] is True
    assert done.pending == []
    said, shown = done.stderr.splitlines()
    assert said.startswith("[Last9] Dry run")
    assert json.loads(shown.removeprefix("[Last9] "))["attributes"]["n"] == "Zürich\n🚀"


def test_dry_run_by_the_environment_sends_nothing(last9: FakeLast9, tmp_path: Path) -> None:
    """The administrator's ``LAST9_DRY_RUN`` holds every marker back, token or not."""
    done = run_step(make_request(), last9.refresh_token, tmp_path, environ={"LAST9_DRY_RUN": "true"})
    assert done.answer["delivered"] is False
    assert last9.url in done.stderr
    assert last9.requests() == []
    assert last9.refresh_token not in done.stderr


@pytest.mark.parametrize("budget", [None, 2])
def test_a_server_that_never_answers(tmp_path: Path, budget: int | None) -> None:
    """Accepting and saying nothing holds a marker no longer than its budget and a second, and it is kept."""
    limit = budget or 3
    with socket.create_server(("127.0.0.1", 0)) as mute:
        fields = {"apiBaseUrl": field(f"http://127.0.0.1:{mute.getsockname()[1]}"), "orgSlug": field("acme")}
        request = make_request("start", connection=fields, options={"timeoutSeconds": "3"}, pending=["older"], limitSeconds=budget)
        done = run_step(request, "some-refresh-token", tmp_path)
    assert done.code == ANSWERED
    # Starting an interpreter on a busy machine is not part of the budget.
    assert done.seconds < limit + 1 + patience()
    assert done.answer["delivered"] is False
    assert len(done.answer["warnings"]) == 2
    assert json.loads(done.pending[-1])["event"]["event_state"] == "start"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "the name last9.example was not resolved within the time limit of 1 s. Check apiBaseUrl, and the agent's DNS servers"),
        (
            {"HTTPS_PROXY": "proxy.example:3128"},
            "the proxy proxy.example:3128 was not resolved within the time limit of 1 s. Check HTTPS_PROXY",
        ),
    ],
)
def test_a_name_whose_resolution_hangs(environ: dict[str, str], words: str, tmp_path: Path) -> None:
    """A resolver that hangs in the C library knows none of our limits: the watchdog ends it, names it and keeps the marker."""
    hanging = tmp_path / "hanging"
    hanging.mkdir()
    source = "import ctypes, socket\nsocket.getaddrinfo = lambda *a, **k: ctypes.CDLL(None).sleep(60)\n"
    (hanging / "sitecustomize.py").write_text(source, encoding="utf-8")
    connection = {"apiBaseUrl": field("https://last9.example"), "orgSlug": field("acme")}
    request = make_request("start", connection=connection, options={"timeoutSeconds": "1"})
    path = os.pathsep.join([str(hanging), str(ROOT / "python")])
    done = run_step(request, "some-refresh-token", tmp_path, environ={**environ, "PYTHONPATH": path})
    assert done.code == ANSWERED
    assert done.seconds < 1 + 1 + patience()
    assert words in done.answer["warnings"][0]
    assert len(done.pending) == 1


def test_no_allowlist_finds_the_token(last9: FakeLast9, tmp_path: Path) -> None:
    """A list that names the token's own variable finds nothing: it becomes no attribute, not even a hidden one."""
    request = make_request(options={"envAllowlist": ["LAST9_REFRESH_TOKEN", "KNOWN"]})
    done = run_step(request, last9.refresh_token, tmp_path, environ={"KNOWN": "value"})
    assert done.answer["delivered"] is True
    attributes = last9.received()[0]["attributes"]
    assert attributes["env_known"] == "value"
    assert "env_last9_refresh_token" not in attributes


def test_dripping_headers_end_with_the_budget(last9: FakeLast9, tmp_path: Path) -> None:
    """Bytes that drip reach no limit of the HTTP client's: the watchdog answers, and the marker is queued."""
    last9.order({"on": "exchange", "drip": 0.05})
    done = run_step(make_request("start", options={"timeoutSeconds": "1"}), last9.refresh_token, tmp_path)
    assert done.code == ANSWERED
    assert done.seconds < 1 + 1 + patience()
    assert done.answer["delivered"] is False
    assert "time limit of 1 s is over" in done.answer["warnings"][0]
    assert len(done.pending) == 1
    assert last9.received() == []


def test_an_answer_that_cannot_be_written(last9: FakeLast9, tmp_path: Path) -> None:
    """A folder that is gone costs the answer, not the marker: the status says so, the log why, and there is no traceback."""
    path = tmp_path / "request.json"
    path.write_text(json.dumps(make_request()), encoding="utf-8")
    words = ["step", "--request", str(path), "--answer", str(tmp_path / "gone" / "answer.json")]
    done = engine(words, environ={"LAST9_REFRESH_TOKEN": last9.refresh_token})
    assert len(last9.received()) == 1
    assert (done.code, done.stdout) == (UNANSWERED, "")
    assert "[Last9] WARNING: the answer cannot be written (No such file or directory)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_log_that_nobody_reads(last9: FakeLast9, tmp_path: Path) -> None:
    """A step that has gone away takes nothing from the marker: it arrives, and is answered."""
    path = tmp_path / "request.json"
    path.write_text(json.dumps(make_request()), encoding="utf-8")
    read, write = os.pipe()
    os.close(read)
    words = ["step", "--request", str(path), "--answer", str(tmp_path / "answer.json")]
    done = subprocess.run(
        [sys.executable, "-m", "last9_markers", *words],
        env={**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), "LAST9_REFRESH_TOKEN": last9.refresh_token},
        stdout=write,
        stderr=write,
        timeout=40,
        check=False,
    )
    os.close(write)
    assert done.returncode == ANSWERED
    assert json.loads((tmp_path / "answer.json").read_text("ascii"))["delivered"] is True
    assert len(last9.received()) == 1


def test_the_answer_can_be_read_by_others(last9: FakeLast9, tmp_path: Path) -> None:
    """Under any umask the answer has mode 0644: root in a container must not hide it from the agent."""
    before = os.umask(0o077)
    try:
        assert run_step(make_request(), last9.refresh_token, tmp_path).answer["delivered"] is True
    finally:
        os.umask(before)
    assert (tmp_path / "answer.json").stat().st_mode & 0o777 == 0o644


def test_the_limit_of_the_launcher_ends_in_an_answer(last9: FakeLast9, tmp_path: Path) -> None:
    """With every time limit of a request there is an answer before the interval timer ends the process."""
    last9.order({"on": "exchange", "drip": 0.2})
    path = tmp_path / "request.json"
    path.write_text(json.dumps(make_request("start", options={"timeoutSeconds": "100"})), encoding="utf-8")
    armed = "import signal; signal.setitimer(signal.ITIMER_REAL, 8); from last9_markers.cli.main import run; run()"
    words = ["step", "--request", str(path), "--answer", str(tmp_path / "answer.json")]
    environ = {**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), "LAST9_REFRESH_TOKEN": last9.refresh_token}
    done = subprocess.run([sys.executable, "-c", armed, *words], env=environ, capture_output=True, timeout=60, check=False)
    assert done.returncode == ANSWERED, done
    answer = json.loads((tmp_path / "answer.json").read_text("ascii"))
    assert answer["delivered"] is False
    assert answer["pending"]["own"]


@pytest.mark.parametrize("variable", ["LC_ALL", "PYTHONIOENCODING"])
def test_a_log_of_another_encoding(last9: FakeLast9, tmp_path: Path, variable: str) -> None:
    """A log that cannot carry a character gets the line all the same, and the marker arrives with it."""
    environ = {variable: "C" if variable == "LC_ALL" else "ascii"}
    done = run_step(make_request("start", options={"serviceName": "Zürich-🚀"}), last9.refresh_token, tmp_path, environ=environ)
    assert done.answer["delivered"] is True
    assert len(done.stderr.splitlines()) == 2
    assert last9.received()[0]["attributes"]["service"] == "Zürich-🚀"


def test_a_hostile_environment(last9: FakeLast9, tmp_path: Path) -> None:
    """Unusable proxies and CA files of the agent's do not keep a marker from a loopback server."""
    environ = {"ALL_PROXY": "socks5://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1", "NO_PROXY": "[::1]", "SSL_CERT_FILE": "/nowhere"}
    done = run_step(make_request(), last9.refresh_token, tmp_path, environ=environ)
    assert done.answer["delivered"] is True


def test_fail_on_error_exits_as_ever(last9: FakeLast9, tmp_path: Path) -> None:
    """The library fails the build by the answer; the exit code is for defects alone."""
    last9.order({"on": "event", "status": 403})
    done = run_step(make_request("start", options={"failOnError": "true"}), last9.refresh_token, tmp_path)
    assert done.code == ANSWERED
    assert done.answer["failBuild"].startswith("Last9 deployment marker not delivered, and failOnError is set: ")


def test_a_defect_of_the_engine_still_answers(tmp_path: Path, last9: FakeLast9) -> None:
    """An exception that no one expected becomes one warning without a traceback, and the marker is kept."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import last9_markers.marker.event as e\ndef compose(*a):\n    raise ZeroDivisionError('boom')\ne.compose = compose\n",
        encoding="utf-8",
    )
    environ = {"PYTHONPATH": os.pathsep.join([str(broken), str(ROOT / "python")])}
    done = run_step(make_request(pending=["older"]), last9.refresh_token, tmp_path, environ=environ)
    assert done.code == ANSWERED
    assert "Traceback" not in done.stderr
    (warning,) = done.answer["warnings"]
    assert "ZeroDivisionError" in warning
    assert "Please report" in warning
    assert done.pending[0] == "older"
    assert json.loads(done.pending[1])["timestampMs"] == make_request()["timestampMs"]
