"""Aborts at a bad moment, kills, signals that are not aborts."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from last9_markers.fake_server import FakeLast9
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
    window,
)
from support import ROOT

WAIT = ["sh", "-c", "echo begun; exec sleep 600"]


@pytest.mark.parametrize("by_jenkins", [False, True])
def test_an_abort_while_the_start_is_on_its_way(last9: FakeLast9, tmp_path: Path, by_jenkins: bool) -> None:
    """The command of an aborted build does not begin, and the window is closed all the same: start and stop go out together."""
    last9.order({"on": "exchange", "times": 1, "delay": 60})
    with window(last9, tmp_path, ["--timeout-seconds", "50"], ["sh", "-c", "echo ran"]) as running:
        running.until("Sending deployment marker: deployment (start)")
        until(lambda: last9.requests() and last9.requests()[-1]["status"] is None)  # the exchange hangs
        if by_jenkins:
            threading.Thread(target=running.process.wait, daemon=True).start()
            end_as_jenkins_does(running.process.pid)
        else:
            running.process.send_signal(signal.SIGTERM)
        assert running.wait() == 143
    assert running.out == b""
    assert told(last9) == ["start", "stop aborted"]


def test_a_delivery_that_somebody_ends(last9: FakeLast9, tmp_path: Path) -> None:
    """If only the start's delivery is ended and we get no signal, the command runs, and the start goes out with the stop."""
    last9.order({"on": "exchange", "times": 1, "delay": 60})
    with window(last9, tmp_path, [], ["sh", "-c", "echo ran"]) as running:
        running.until("Sending deployment marker: deployment (start)")
        until(lambda: last9.requests() and last9.requests()[-1]["status"] is None)  # the exchange hangs
        (delivery_process,) = children_of(running.process.pid)
        os.kill(delivery_process, signal.SIGTERM)
        assert running.wait() == 0
    assert running.out == b"ran\n"
    assert told(last9) == ["start", "stop success"]


def test_an_abort_while_the_stop_is_on_its_way(last9: FakeLast9, tmp_path: Path) -> None:
    """Jenkins ends the delivery first, then us: the stop is sent once more, with the outcome that the command had."""
    last9.order({"on": "event", "about": '"stop"', "times": 1, "delay": 60})
    with window(last9, tmp_path, ["--timeout-seconds", "50"], ["sh", "-c", "echo begun; exit 0"]) as running:
        until(lambda: [request["status"] for request in last9.requests()] == [200, 200, 200, None])  # the stop's event hangs
        threading.Thread(target=running.process.wait, daemon=True).start()
        end_as_jenkins_does(running.process.pid)
        assert running.wait() == 0
    assert told(last9) == ["start", "stop success"]


def test_a_second_signal_ends_at_once(last9: FakeLast9, tmp_path: Path) -> None:
    """A second signal is obeyed: the stop is given up."""
    with window(last9, tmp_path, [], WAIT) as running:
        running.until("begun")
        last9.order({"delay": 60})
        running.process.send_signal(signal.SIGINT)
        running.until("Sending deployment marker: deployment (stop)")
        time.sleep(0.35)  # closer together they are one
        running.process.send_signal(signal.SIGINT)
        assert running.wait() == 130
    # Its time limit would have had the stop say so.
    assert "was not delivered" not in running.log
    assert "may not have arrived" in running.log
    assert told(last9) == ["start"]


def test_whoever_kills_us_does_not_stop_the_stop(last9: FakeLast9, tmp_path: Path) -> None:
    """Once it is on its way, the stop arrives even if SIGKILL takes us: a command that ignored SIGTERM leaves Jenkins no patience."""
    with window(last9, tmp_path, [], WAIT) as running:
        running.until("begun")
        last9.order({"on": "exchange", "times": 1, "delay": 1.0})
        running.process.send_signal(signal.SIGTERM)
        until(lambda: len(last9.requests()) == 3)  # the exchange is under way
        (delivery_process,) = children_of(running.process.pid)
        running.process.kill()
        running.process.wait(PATIENCE_SECONDS)
        until(lambda: not state_of(delivery_process) or state_of(delivery_process) == "Z")
        assert told(last9) == ["start", "stop aborted"]


def test_timeout_sends_twice(last9: FakeLast9, tmp_path: Path) -> None:
    """`timeout` signals us and then its whole group: that is one abort, and the stop is sent."""
    words = ["timeout", "--kill-after=30", "600", *program(*WINDOW, "--", *WAIT)]
    with Running(words, surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token), tmp_path) as running:
        running.until("begun")
        running.process.send_signal(signal.SIGALRM)  # what it sends itself when the time is over
        assert running.wait() == 124
    assert told(last9) == ["start", "stop aborted"]


@pytest.mark.parametrize("code", [0, 5])
def test_an_abort_that_the_command_notices_first(last9: FakeLast9, tmp_path: Path, code: int) -> None:
    """A script whose child was ended may end before we get the signal, with any code: the signal that follows makes it an abort."""
    script = f"(while kill -0 $$ 2>/dev/null; do sleep 0.01; done; kill -TERM $PPID) & exit {code}"
    # However long this machine takes to come to the signal.
    (tmp_path / "sitecustomize.py").write_text(
        "from last9_markers.cli.window import window\nwindow._AFTERMATH_SECONDS = 30\n", encoding="utf-8"
    )
    environ = surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token)
    environ["PYTHONPATH"] += os.pathsep + str(tmp_path)
    with Running(program(*WINDOW, "--", "sh", "-c", script), environ, tmp_path) as running:
        assert running.wait() == code
    assert told(last9) == ["start", "stop aborted"]


def test_a_command_that_takes_its_time_to_clean_up(last9: FakeLast9, tmp_path: Path) -> None:
    """Jenkins tells us up to a second after the command has ended, well after a failure of its own would be known: it is an abort."""
    command = ["sh", "-c", "trap 'sleep 0.8; exit 1' TERM; echo begun; while :; do sleep 0.05; done"]
    with window(last9, tmp_path, [], command) as running:
        running.until("begun")
        threading.Thread(target=running.process.wait, daemon=True).start()
        end_as_jenkins_does(running.process.pid)
        assert running.wait() == 1
    assert told(last9) == ["start", "stop aborted"]


def test_signals_for_the_command(last9: FakeLast9, tmp_path: Path) -> None:
    """Other signals are passed on and change nothing else."""
    script = "trap 'echo reload' USR1; trap 'exit 0' USR2; echo begun; while :; do sleep 0.05; done"
    with window(last9, tmp_path, [], ["sh", "-c", script]) as running:
        running.until("begun")
        running.process.send_signal(signal.SIGUSR1)
        running.until("reload")
        running.process.send_signal(signal.SIGUSR2)
        assert running.wait() == 0
    assert told(last9) == ["start", "stop success"]


def test_what_is_ignored_stays_ignored(last9: FakeLast9, tmp_path: Path) -> None:
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
def test_where_signals_are_others(last9: FakeLast9, tmp_path: Path, lacking: str) -> None:
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
