"""The window's markers where something is out of the ordinary: options, outages, what becomes of a state file."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from last9_markers.fake_server import FakeLast9
from shell_support import (
    WINDOW,
    Running,
    program,
    surroundings,
    told,
    window,
)
from support import ROOT, engine

#: An outage that costs no time: the delay is longer than any wait.
QUIET = {"status": 503, "headers": {"Retry-After": "60"}}

# -- options -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said", "markers"),
    [
        (["--servce-name", "x"], "an option is ignored: there is no option '--servce-name': did you mean '--service-name'?", 2),
        (["stray"], "an argument of 5 characters does not belong to an option", 2),
        (["--attribute", "x"], "--attribute 'x' is not KEY=VALUE", 2),
        (["--environment"], "--environment needs a value", 2),
        (["--event-state", "start"], "there is no option '--event-state'", 2),
        (["--service-name="], "--service-name is required", 0),
        (["--routing-profile", "nowhere"], "routing profile 'nowhere' is not defined", 0),
        (["--timeout-seconds", "soon"], "--timeout-seconds must be a number of seconds above 0, not 'soon'", 2),
        (["--state", "/sys/state.json"], "state file /sys/state.json cannot be written", 2),
        (["--token-file", "nowhere"], "the token file nowhere cannot be read", 0),
        (["--api-base-url", "http://example.com"], "plain http", 0),
    ],
)
def test_wrong_options(last9: FakeLast9, tmp_path: Path, words: list[str], said: str, markers: int) -> None:
    """The command runs with any options; each mistake is one warning that names the remedy."""
    with window(last9, tmp_path, words, ["sh", "-c", "echo ran; exit 9"]) as running:
        assert running.wait() == 9
    assert running.out == b"ran\n"
    assert said in running.log
    assert len(told(last9)) == markers
    assert "Traceback" not in running.log


@pytest.mark.parametrize(
    "broken",
    [
        "cli.shared.invocation.Invocation.__init__",
        "cli.window.window.ShellWindow.__init__",
        "cli.window.window.ShellWindow._send_start",
        "cli.window.window.ShellWindow._send_stop",
        "cli.window.marker_delivery.MarkerDelivery.finish",
        "cli.window.delivery_process.DeliveryProcess.hand_over",
    ],
)
def test_a_defect_of_ours(last9: FakeLast9, tmp_path: Path, broken: str) -> None:
    """Wherever we break, the command runs, its exit code is ours, and a warning without a traceback says that it is our fault."""
    module, kind, method = broken.rsplit(".", 2)
    code = f"import last9_markers.{module} as m\ndef broken(*_, **__):\n    raise ZeroDivisionError('boom')\nm.{kind}.{method} = broken\n"
    (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "python")])
    environ = surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token) | {"PYTHONPATH": path}
    with Running(program(*WINDOW, "--", "sh", "-c", "echo ran; exit 9"), environ, tmp_path) as running:
        assert running.wait() == 9, running.log
    assert running.out == b"ran\n"
    assert "ZeroDivisionError" in running.log
    assert "Please report this" in running.log
    assert "Traceback" not in running.log


@pytest.mark.parametrize("lacking", ["thread", "process"])
def test_nothing_to_be_had(last9: FakeLast9, tmp_path: Path, lacking: str) -> None:
    """If no thread or no process for a marker can be started, the command runs, and one line for each marker names it and says why."""
    code = {
        "thread": "import threading\ndef refuse(_):\n    raise RuntimeError\nthreading.Thread.start = refuse\n",
        "process": "import last9_markers.cli.window.delivery_process as m\ndef refuse():\n    raise OSError(24, 'Too many open files')\n"
        "m._pipe = refuse\n",
    }[lacking]
    (tmp_path / "sitecustomize.py").write_text(code, encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "python")])
    environ = surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token) | {"PYTHONPATH": path}
    with Running(program(*WINDOW, "--state", "state.json", "--", "sh", "-c", "echo ran; exit 9"), environ, tmp_path) as running:
        assert running.wait() == 9, running.log
    assert running.out == b"ran\n"
    words = "may not have arrived: the process" if lacking == "thread" else "could not be sent: its process could not be started (Too many"
    lines = running.log.splitlines()
    assert [line[: line.index(words)] for line in lines] == [
        "[Last9] WARNING: deployment (start) for payments-api ",
        "[Last9] WARNING: deployment (stop) for payments-api ",
    ]
    assert len(json.loads((tmp_path / "state.json").read_text("utf-8"))["pending"]) == 2


@pytest.mark.parametrize(
    ("words", "code", "ran"),
    [
        (["--service-name", "x", "sh", "-c", "echo ran; exit 9"], 9, True),
        (["--service-name=x", "--dry-run", "sh", "-c", "echo ran; exit 9"], 9, True),
        (["--servce-name", "x", "sh", "-c", "echo ran"], 2, False),
        (["--service-name", "x"], 2, False),
        (["--service-name", "x", "--"], 2, False),
        ([], 2, False),
    ],
)
def test_where_the_command_begins(last9: FakeLast9, tmp_path: Path, words: list[str], code: int, ran: bool) -> None:
    """Without ``--`` the first word that is not an option's begins the command; if that is unclear, nothing is guessed and run."""
    done = engine(["window", *words], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == code
    assert ("ran" in done.stdout.splitlines()) is ran
    if not ran:
        assert "usage: last9-markers window [options] -- COMMAND" in done.stderr
        assert last9.requests() == []


def test_every_marker_option_counts(last9: FakeLast9, tmp_path: Path) -> None:
    """Attributes and names are on both markers; ``jenkins.*`` comes from a Freestyle build's environment."""
    words = ["--attribute", "team=a", "--event-name", "rollback", "--attribute-names", "dotted", "--deployment-version", "1.2"]
    with window(last9, tmp_path, words, ["true"], JOB_NAME="deploy", BUILD_NUMBER="7", BUILD_USER_ID="alice") as running:
        assert running.wait() == 0
    assert [event["event_name"] for event in last9.received()] == ["rollback", "rollback"]
    for event in last9.received():
        attributes = event["attributes"]
        assert (attributes["team"], attributes["version"], attributes["jenkins.build_user"]) == ("a", "1.2", "alice")
        assert (attributes["jenkins.job_name"], attributes["jenkins.build_number"]) == ("deploy", "7")
        assert "jenkins.build_result" not in attributes
        assert "deployment_id" not in attributes


@pytest.mark.parametrize(
    ("words", "command", "code"), [([], "true", 0), (["--fail-on-error"], "true", 1), (["--fail-on-error"], "exit 3", 3)]
)
def test_fail_on_error(last9: FakeLast9, tmp_path: Path, words: list[str], command: str, code: int) -> None:
    """Our failure changes the exit code only if asked for, and never instead of the command's own."""
    last9.order({"status": 403})
    with window(last9, tmp_path, words, ["sh", "-c", command]) as running:
        assert running.wait() == code


def test_json(last9: FakeLast9, tmp_path: Path) -> None:
    """The object is the last line on stdout, after the command's output."""
    with window(last9, tmp_path, ["--json", "--quiet"], ["sh", "-c", "echo out; exit 4"]) as running:
        running.wait()
    first, said = running.out.decode().splitlines()
    assert first == "out"
    assert running.log == ""
    assert json.loads(said) == {
        "command": "window",
        "exitCode": 4,
        "deploymentId": last9.received()[0]["attributes"]["deployment.id"],
        "startDelivered": True,
        "stopDelivered": True,
        "kept": 0,
        "warnings": [],
    }


def test_json_of_a_window_that_failed(tmp_path: Path) -> None:
    """The warnings of both markers are there, each once."""
    with Running(program(*WINDOW, "--json", "--", "true"), surroundings(), tmp_path) as running:
        assert running.wait() == 0
    said = json.loads(running.out)
    assert (said["startDelivered"], said["stopDelivered"]) == (False, False)
    assert len(said["warnings"]) == 3
    assert "was also lost" in said["warnings"][0]


def test_a_dry_run(last9: FakeLast9, tmp_path: Path) -> None:
    """The command runs; both markers and their curl are shown on stderr, and Last9 hears nothing."""
    with window(last9, tmp_path, ["--dry-run"], ["sh", "-c", "echo out; exit 4"]) as running:
        assert running.wait() == 4
    assert running.out == b"out\n"
    assert running.log.count("curl --silent") == 4
    assert running.log.count("Dry run: nothing is sent") == 2
    assert last9.refresh_token not in running.log
    assert last9.requests() == []


# -- what is kept --------------------------------------------------------------------------------------------------------------


def test_an_outage_of_the_whole_window(last9: FakeLast9, tmp_path: Path) -> None:
    """With a state file both markers are sent with the next marker, after it, with their own times and one id; the log says it once."""
    last9.order(QUIET)
    with window(last9, tmp_path, ["--state", "state.json", "--json"], ["false"]) as running:
        assert running.wait() == 1
    assert json.loads(running.out)["kept"] == 2
    assert "was also lost" not in running.log
    assert running.log.count("Last9 does not answer; the markers that follow get one short attempt each for the next 2 minutes") == 1
    last9.faults.cancel()
    done = engine(
        ["send", "--service-name", "later", "--state", "state.json"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path
    )
    assert "Also sent: 2 queued deployment markers" in done.stderr
    later, start, stop = last9.received()
    assert start["attributes"]["deployment.id"] == stop["attributes"]["deployment.id"]
    assert (start["event_state"], stop["attributes"]["deployment.outcome"], later["attributes"]["service"]) == ("start", "failure", "later")
    assert start["timestamp"] < stop["timestamp"] < later["timestamp"]


def test_a_start_that_somebody_else_delivers(last9: FakeLast9, tmp_path: Path) -> None:
    """A `send` within the command takes the start along, after its own marker, through the state file; the stop does not send it again."""
    last9.order(QUIET)
    inner = program("send", "--service-name", "inner", "--state", "state.json")
    command = ["sh", "-c", f"echo begun; read line; {' '.join(inner)}"]
    words = program(*WINDOW, "--pass-token", "--state", "state.json", "--", *command)
    environ = surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token)
    with Running(words, environ, tmp_path, subprocess.PIPE) as running:
        running.until("begun")
        last9.faults.cancel()
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert running.wait() == 0
    assert [(event["event_state"], event["attributes"]["service"]) for event in last9.received()] == [
        ("stop", "inner"),
        ("start", "payments-api"),
        ("stop", "payments-api"),
    ]


def test_an_outage_without_a_state_file(last9: FakeLast9, tmp_path: Path) -> None:
    """The stop is the marker that follows: it gets one short attempt, and that it will is said once, with the start."""
    last9.order({"status": 503})
    with window(last9, tmp_path, [], ["true"]) as running:
        assert running.wait() == 0
    assert running.log.count("Last9 does not answer") == 1
    assert running.log.index("Last9 does not answer") < running.log.index("deployment (stop)")
    # Four tries for the start. For the stop one, which is the start's: without an access token there is nothing to send.
    assert len(last9.requests()) == 5
    assert "returned HTTP 503: fault: 503 (a single attempt)" in running.log


def test_a_send_that_nobody_follows(last9: FakeLast9, tmp_path: Path) -> None:
    """A `send` without a state file leaves nothing for a next one, so nothing is said of it."""
    last9.order(QUIET)
    done = engine(["send", *WINDOW[1:]], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert "was not delivered: Last9 returned HTTP 503" in done.stderr
    assert "does not answer" not in done.stderr


@pytest.mark.parametrize("harm", ["rm -f state.json*", "echo {} > state.json", "mkdir x && mv state.json x"])
def test_a_state_file_that_the_command_harms(last9: FakeLast9, tmp_path: Path, harm: str) -> None:
    """A deploy that cleans the workspace does not cost the start: we remember it ourselves."""
    last9.order(QUIET)
    command = ["sh", "-c", f"echo begun; read line; {harm}"]
    words = program(*WINDOW, "--state", "state.json", "--", *command)
    with Running(words, surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path, subprocess.PIPE) as running:
        running.until("begun")
        last9.faults.cancel()
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert running.wait() == 0
    assert told(last9) == ["start", "stop success"]


def test_a_window_never_closes_another(last9: FakeLast9, tmp_path: Path) -> None:
    """A start by `send` in the same state file stays open: the window is one of its own."""
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token}
    send = ["send", *WINDOW[1:], "--state", "state.json"]
    engine([*send, "--event-state", "start"], environ=environ, cwd=tmp_path)
    with window(last9, tmp_path, ["--state", "state.json"], ["true"]) as running:
        running.wait()
    engine(send, environ=environ, cwd=tmp_path)
    outer, start, stop, last = [event["attributes"]["deployment.id"] for event in last9.received()]
    assert (outer, start) == (last, stop)
    assert outer != start
