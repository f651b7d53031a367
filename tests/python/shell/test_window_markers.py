"""The window's markers in what is out of the ordinary: options, state files, aborts at a bad moment, whoever kills us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from last9_markers.standin import StandIn
from shell_support import (
    PATIENCE_SECONDS,
    WINDOW,
    Running,
    children_of,
    end_as_jenkins_does,
    program,
    state_of,
    surroundings,
    told,
    until,
)
from support import ROOT, engine

WAIT = ["sh", "-c", "echo begun; exec sleep 600"]


def window(last9: StandIn, folder: Path, words: list[str], command: list[str], **environ: str) -> Running:
    """A window with the stand-in's token."""
    return Running(program(*WINDOW, *words, "--", *command), surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token, **environ), folder)


# -- options -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said", "markers"),
    [
        (["--servce-name", "x"], "an option is ignored: there is no option '--servce-name': did you mean '--service-name'?", 2),
        (["stray"], "'stray' belongs to no option", 2),
        (["--attribute", "x"], "--attribute 'x' is no KEY=VALUE", 2),
        (["--environment"], "--environment needs a value", 2),
        (["--event-state", "start"], "there is no option '--event-state'", 2),
        (["--service-name="], "--service-name is missing", 0),
        (["--routing-profile", "nowhere"], "routing profile 'nowhere' is not defined", 0),
        (["--timeout-seconds", "soon"], "--timeout-seconds is 'soon'", 2),
        (["--state", "/sys/state.json"], "state file /sys/state.json cannot be written", 2),
        (["--token-file", "nowhere"], "the token file nowhere cannot be read", 0),
        (["--api-base-url", "http://example.com"], "plain http", 0),
    ],
)
def test_wrong_options(last9: StandIn, tmp_path: Path, words: list[str], said: str, markers: int) -> None:
    """The command runs whatever the options are; each mistake is one warning that names the remedy."""
    with window(last9, tmp_path, words, ["sh", "-c", "echo ran; exit 9"]) as running:
        assert running.wait() == 9
    assert running.out == b"ran\n"
    assert said in running.log
    assert len(told(last9)) == markers
    assert "Traceback" not in running.log


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
def test_where_the_command_begins(last9: StandIn, tmp_path: Path, words: list[str], code: int, ran: bool) -> None:
    """Without ``--`` the first word that is no option's begins the command; where there is no telling, nothing is guessed and run."""
    done = engine(["window", *words], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == code
    assert ("ran" in done.stdout.splitlines()) is ran
    if not ran:
        assert "usage: last9-markers window [options] -- COMMAND" in done.stderr
        assert last9.requests() == []


def test_every_marker_option_counts(last9: StandIn, tmp_path: Path) -> None:
    """Attributes and names are on both markers; ``jenkins.*`` comes from a Freestyle build's environment."""
    words = ["--attribute", "team=a", "--event-name", "rollback", "--attribute-names", "dotted", "--deployment-version", "1.2"]
    with window(last9, tmp_path, words, ["true"], JOB_NAME="deploy", BUILD_NUMBER="7", BUILD_USER_ID="alice") as running:
        assert running.wait() == 0
    assert [event["event_name"] for event in last9.received()] == ["rollback", "rollback"]
    for event in last9.received():
        attributes = event["attributes"]
        assert (attributes["team"], attributes["deployment.version"], attributes["jenkins.build_user"]) == ("a", "1.2", "alice")
        assert (attributes["jenkins.job_name"], attributes["jenkins.build_number"]) == ("deploy", "7")
        assert "jenkins.build_result" not in attributes
        assert "deployment_id" not in attributes


@pytest.mark.parametrize(
    ("words", "command", "code"), [([], "true", 0), (["--fail-on-error"], "true", 1), (["--fail-on-error"], "exit 3", 3)]
)
def test_fail_on_error(last9: StandIn, tmp_path: Path, words: list[str], command: str, code: int) -> None:
    """Only whoever asks for it gets a failure of ours, and never in the place of the command's own."""
    last9.order({"status": 403})
    with window(last9, tmp_path, words, ["sh", "-c", command]) as running:
        assert running.wait() == code


def test_json(last9: StandIn, tmp_path: Path) -> None:
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
    assert "nothing keeps it" in said["warnings"][0]


def test_a_dry_run(last9: StandIn, tmp_path: Path) -> None:
    """The command runs; both markers and their curl are shown on stderr, and Last9 hears nothing."""
    with window(last9, tmp_path, ["--dry-run"], ["sh", "-c", "echo out; exit 4"]) as running:
        assert running.wait() == 4
    assert running.out == b"out\n"
    assert running.log.count("curl --silent") == 4
    assert running.log.count("Dry run: nothing is sent") == 2
    assert last9.refresh_token not in running.log
    assert last9.requests() == []


# -- what is kept --------------------------------------------------------------------------------------------------------------


def test_an_outage_of_the_whole_window(last9: StandIn, tmp_path: Path) -> None:
    """With a state file both markers go out with whatever comes next, in order, with their own times and one id."""
    last9.order({"status": 403})
    with window(last9, tmp_path, ["--state", "state.json", "--json"], ["false"]) as running:
        assert running.wait() == 1
    assert json.loads(running.out)["kept"] == 2
    assert "nothing keeps it" not in running.log
    last9.faults.cancel()
    done = engine(
        ["send", "--service-name", "later", "--state", "state.json"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path
    )
    assert "Sent first: 2 deployment markers" in done.stderr
    start, stop, later = last9.received()
    assert start["attributes"]["deployment.id"] == stop["attributes"]["deployment.id"]
    assert (start["event_state"], stop["attributes"]["deployment.outcome"], later["attributes"]["service"]) == ("start", "failure", "later")
    assert start["timestamp"] < stop["timestamp"] < later["timestamp"]


def test_a_start_that_somebody_else_delivers(last9: StandIn, tmp_path: Path) -> None:
    """A `send` within the command takes the start along through the state file; the stop does not send it again."""
    last9.order({"status": 403})
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
        ("start", "payments-api"),
        ("stop", "inner"),
        ("stop", "payments-api"),
    ]


@pytest.mark.parametrize("harm", ["rm -f state.json*", "echo {} > state.json", "mkdir x && mv state.json x"])
def test_a_state_file_that_the_command_harms(last9: StandIn, tmp_path: Path, harm: str) -> None:
    """A deploy that cleans the workspace does not cost the start: we remember it ourselves."""
    last9.order({"status": 403})
    command = ["sh", "-c", f"echo begun; read line; {harm}"]
    words = program(*WINDOW, "--state", "state.json", "--", *command)
    with Running(words, surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path, subprocess.PIPE) as running:
        running.until("begun")
        last9.faults.cancel()
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert running.wait() == 0
    assert told(last9) == ["start", "stop success"]


def test_a_window_never_closes_another(last9: StandIn, tmp_path: Path) -> None:
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


# -- aborts --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_jenkins", [False, True])
def test_an_abort_while_the_start_is_on_its_way(last9: StandIn, tmp_path: Path, by_jenkins: bool) -> None:
    """The command of an aborted build does not begin, and the window is closed all the same: start and stop go out together."""
    last9.order({"on": "exchange", "delay": 60})
    with window(last9, tmp_path, ["--timeout-seconds", "50"], ["sh", "-c", "echo ran"]) as running:
        running.until("Sending deployment marker: deployment (start)")
        last9.faults.cancel()
        if by_jenkins:
            threading.Thread(target=running.process.wait, daemon=True).start()
            end_as_jenkins_does(running.process.pid)
        else:
            running.process.send_signal(signal.SIGTERM)
        assert running.wait() == 143
    assert running.out == b""
    assert told(last9) == ["start", "stop aborted"]


def test_a_delivery_that_somebody_ends(last9: StandIn, tmp_path: Path) -> None:
    """Where only the start's delivery is ended and nobody tells us to end, the command runs, and the start goes out with the stop."""
    last9.order({"on": "exchange", "delay": 60})
    with window(last9, tmp_path, [], ["sh", "-c", "echo ran"]) as running:
        running.until("Sending deployment marker: deployment (start)")
        last9.faults.cancel()
        (messenger,) = children_of(running.process.pid)
        os.kill(messenger, signal.SIGTERM)
        assert running.wait() == 0
    assert running.out == b"ran\n"
    assert told(last9) == ["start", "stop success"]


def test_an_abort_while_the_stop_is_on_its_way(last9: StandIn, tmp_path: Path) -> None:
    """Jenkins ends the delivery first, then us: the stop is sent once more, with the outcome that the command had."""
    with window(last9, tmp_path, ["--timeout-seconds", "50"], ["sh", "-c", "echo begun; exit 0"]) as running:
        running.until("begun")
        last9.order({"on": "exchange", "delay": 60})
        running.until("Sending deployment marker: deployment (stop)")
        last9.faults.cancel()
        threading.Thread(target=running.process.wait, daemon=True).start()
        end_as_jenkins_does(running.process.pid)
        assert running.wait() == 0
    assert told(last9) == ["start", "stop success"]


def test_a_second_signal_ends_at_once(last9: StandIn, tmp_path: Path) -> None:
    """Whoever insists is obeyed: the last word is given up."""
    with window(last9, tmp_path, [], WAIT) as running:
        running.until("begun")
        last9.order({"delay": 60})
        running.process.send_signal(signal.SIGINT)
        running.until("Sending deployment marker: deployment (stop)")
        time.sleep(0.35)  # closer together they are one
        began = time.monotonic()
        running.process.send_signal(signal.SIGINT)
        assert running.wait() == 130
        assert time.monotonic() - began < 3.0
    assert told(last9) == ["start"]


def test_whoever_kills_us_does_not_stop_the_stop(last9: StandIn, tmp_path: Path) -> None:
    """Once it is on its way, the stop arrives even if SIGKILL takes us: a command that ignored SIGTERM leaves Jenkins no patience."""
    with window(last9, tmp_path, [], WAIT) as running:
        running.until("begun")
        last9.order({"on": "exchange", "times": 1, "delay": 1})
        child = running.child()
        os.kill(child, signal.SIGKILL)
        running.process.send_signal(signal.SIGTERM)
        running.until("Sending deployment marker: deployment (stop)")
        (messenger,) = children_of(running.process.pid)
        running.process.kill()
        running.process.wait(PATIENCE_SECONDS)
        until(lambda: not state_of(messenger) or state_of(messenger) == "Z")
        assert told(last9) == ["start", "stop aborted"]


def test_timeout_sends_twice(last9: StandIn, tmp_path: Path) -> None:
    """`timeout` signals us and then its whole group: that is one abort, and the stop is sent."""
    words = ["timeout", "--kill-after=30", "4", *program(*WINDOW, "--", *WAIT)]
    with Running(words, surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path) as running:
        assert running.wait() == 124
    assert told(last9) == ["start", "stop aborted"]


@pytest.mark.parametrize("code", [0, 5])
def test_an_abort_that_the_command_notices_first(last9: StandIn, tmp_path: Path, code: int) -> None:
    """A script whose child was ended may end before we are told, well or not: the signal that follows makes it an abort."""
    script = f"(while kill -0 $$ 2>/dev/null; do :; done; kill -TERM $PPID) & exit {code}"
    with window(last9, tmp_path, [], ["sh", "-c", script]) as running:
        assert running.wait() == code
    assert told(last9) == ["start", "stop aborted"]


def test_signals_for_the_command(last9: StandIn, tmp_path: Path) -> None:
    """What is no abort is passed on and changes nothing else."""
    script = "trap 'echo reload' USR1; trap 'exit 0' USR2; echo begun; while :; do sleep 0.05; done"
    with window(last9, tmp_path, [], ["sh", "-c", script]) as running:
        running.until("begun")
        running.process.send_signal(signal.SIGUSR1)
        running.until("reload")
        running.process.send_signal(signal.SIGUSR2)
        assert running.wait() == 0
    assert told(last9) == ["start", "stop success"]


def test_what_is_ignored_stays_ignored(last9: StandIn, tmp_path: Path) -> None:
    """Under ``nohup`` a hang-up neither ends the command nor us."""
    words = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *program(*WINDOW, "--", "sh", "-c", "echo begun; read line; echo read")]
    with Running(words, surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path, subprocess.PIPE) as running:
        running.until("begun")
        os.killpg(running.process.pid, signal.SIGHUP)
        assert running.process.stdin is not None
        running.process.stdin.write(b"x\n")
        running.process.stdin.close()
        assert running.wait() == 0
    assert running.out == b"begun\nread\n"
    assert told(last9) == ["start", "stop success"]


@pytest.mark.parametrize("lacking", ["sigtimedwait, signal.sigwaitinfo", "pthread_sigmask"])
def test_where_signals_are_others(last9: StandIn, tmp_path: Path, lacking: str) -> None:
    """macOS has no ``sigtimedwait``, Windows no signal masks: what stands in for them waits for the command and notes an abort as well."""
    folder = tmp_path / "without"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import signal\ndel signal.{lacking}\n", encoding="utf-8")
    path = os.pathsep.join([str(folder), str(ROOT / "python")])
    environ = surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token) | {"PYTHONPATH": path}
    for command, aborts, code in ((["sh", "-c", "exit 3"], False, 3), (WAIT, True, 143)):
        with Running(program(*WINDOW, "--", *command), environ, tmp_path) as running:
            if aborts:
                running.until("begun")
                # To all, as a console's Ctrl-C is.
                os.killpg(running.process.pid, signal.SIGTERM)
            assert running.wait() == code, running.log
    outcomes = [event["attributes"].get("deployment.outcome") for event in last9.received()]
    assert outcomes == [None, "failure", None, "aborted"]
