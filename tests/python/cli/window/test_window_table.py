"""The table: what the command does, how Last9 is, who sends which signal, and what must come of it.

Each row runs the real program, a real shell and real signals against a real server.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from last9_markers.fake_server import FakeLast9
from shell_support import WINDOW, Running, end_as_jenkins_does, nobody, program, surroundings, told, until

#: What the command does. It says "begun" when it has begun.
COMMANDS = {
    "succeeds": "echo begun",
    "fails": "echo begun; exit 3",
    "fails when its input ends": "echo begun; read line; exit 3",
    "closes its outputs": "echo begun; exec >&- 2>&-; exit 4",
    "crashes": "echo begun; kill -SEGV $$",
    "is killed": "echo begun; kill -KILL $$",
    "waits": "echo begun; exec sleep 600",
    "is a script that fails when its child does": "set -e; echo begun; sleep 600; echo never",
    "cleans up": "trap 'echo cleaned; exit 7' TERM INT HUP QUIT; echo begun; while :; do sleep 0.05; done",
    "ends well when told": "trap 'exit 0' TERM INT HUP QUIT; echo begun; while :; do sleep 0.05; done",
    "does not listen": "trap '' TERM INT HUP QUIT; echo begun; while :; do sleep 0.5; done",
}


def _to_us(number: signal.Signals) -> Callable[[Running], None]:
    return lambda running: os.kill(running.process.pid, number)


def _to_the_command(running: Running) -> None:
    os.kill(running.child(), signal.SIGTERM)


def _to_all(running: Running) -> None:
    os.killpg(running.process.pid, signal.SIGTERM)


def _by_jenkins(running: Running) -> None:
    # A parent must collect the end of its process, as Java does: else it would be a zombie and look alive.
    threading.Thread(target=running.process.wait, daemon=True).start()
    end_as_jenkins_does(running.process.pid)


def _no_more_input(running: Running) -> None:
    assert running.process.stdin is not None
    running.process.stdin.close()


def _nobody(running: Running) -> None:
    pass


#: Who sends what once the command has begun.
SIGNALS = {
    "": _nobody,
    "no more input": _no_more_input,
    "TERM": _to_us(signal.SIGTERM),
    "INT": _to_us(signal.SIGINT),
    "HUP": _to_us(signal.SIGHUP),
    "QUIT": _to_us(signal.SIGQUIT),
    "TERM to the command": _to_the_command,
    "TERM to all": _to_all,
    "Jenkins": _by_jenkins,
}

#: An outage that costs no time: the delay is longer than any wait.
QUIET = {"status": 503, "headers": {"Retry-After": "60"}}


class Row(NamedTuple):
    """One case. ``markers`` is what Last9 has in the end; ``seconds`` from the signal (else the command's end) to our end, at most."""

    command: str
    last9: str
    signal: str
    code: int
    markers: list[str]
    seconds: float = 10.0


WINDOWS = [
    # the command                                   Last9           signal                 code  markers                         seconds
    Row("succeeds", "is well", "", 0, ["start", "stop success"]),
    Row("fails", "is well", "", 3, ["start", "stop failure"]),
    Row("closes its outputs", "is well", "", 4, ["start", "stop failure"]),
    Row("crashes", "is well", "", 139, ["start", "stop failure"]),
    Row("is killed", "is well", "", 137, ["start", "stop failure"]),
    Row("waits", "is well", "TERM", 143, ["start", "stop aborted"], 4.0),
    Row("waits", "is well", "INT", 130, ["start", "stop aborted"], 4.0),
    Row("waits", "is well", "HUP", 129, ["start", "stop aborted"], 4.0),
    Row("waits", "is well", "QUIT", 131, ["start", "stop aborted"], 4.0),
    Row("waits", "is well", "TERM to the command", 143, ["start", "stop aborted"], 4.0),
    Row("waits", "is well", "TERM to all", 143, ["start", "stop aborted"], 4.0),
    Row("waits", "is well", "Jenkins", 143, ["start", "stop aborted"], 5.0),
    Row("is a script that fails when its child does", "is well", "Jenkins", 143, ["start", "stop aborted"], 5.0),
    Row("cleans up", "is well", "TERM", 7, ["start", "stop aborted"], 4.0),
    Row("cleans up", "is well", "Jenkins", 7, ["start", "stop aborted"], 5.0),
    Row("ends well when told", "is well", "TERM", 0, ["start", "stop aborted"], 4.0),
    Row("does not listen", "is well", "TERM", 137, ["start", "stop aborted"], 4.0),
    Row("succeeds", "is away", "", 0, []),
    Row("fails", "is away", "", 3, []),
    Row("waits", "is away", "TERM", 143, [], 5.0),
    Row("succeeds", "refuses", "", 0, []),
    Row("waits", "refuses", "Jenkins", 143, [], 5.0),
    Row("succeeds", "says nothing", "", 0, []),
    Row("waits", "says nothing from now on", "TERM", 143, ["start"], 5.0),
    Row("waits", "says nothing from now on", "Jenkins", 143, ["start"], 5.0),
    Row("fails when its input ends", "comes back", "no more input", 3, ["start", "stop failure"]),
    Row("waits", "comes back", "Jenkins", 143, ["start", "stop aborted"], 5.0),
    Row("fails", "has no token from us", "", 3, []),
    Row("waits", "has no token from us", "TERM", 143, [], 4.0),
]


@pytest.mark.parametrize("row", WINDOWS, ids=lambda row: " · ".join(filter(None, row[:3])))
def test_window(row: Row, last9: FakeLast9, tmp_path: Path) -> None:
    """For every behaviour of the command, of Last9 and of signals: the command's exit code, the markers, in time."""
    token = "" if row.last9 == "has no token from us" else last9.refresh_token
    environ = {"LAST9_REFRESH_TOKEN": token, "LAST9_TIMEOUT_SECONDS": "3" if row.last9 == "says nothing" else "30"}
    if row.last9 == "refuses":
        last9.order({"status": 403})
    if row.last9 == "comes back":
        last9.order(QUIET)
    if row.last9 == "says nothing":
        last9.order({"delay": 60})
    words = [*WINDOW, "--", "sh", "-c", COMMANDS[row.command]]
    with nobody() as away:
        if row.last9 == "is away":
            # Refused at once, three pauses between: the time limit is not what ends it.
            environ |= {"LAST9_API_BASE_URL": away, "LAST9_ORG_SLUG": "acme"}
        with Running(program(*words), surroundings(**environ), tmp_path, subprocess.PIPE) as running:
            running.until("begun")
            if row.last9 == "comes back":
                last9.faults.cancel()
            if row.last9 == "says nothing from now on":
                last9.order({"delay": 60})
            deaf = running.child() if row.command == "does not listen" else None
            began = time.monotonic()
            SIGNALS[row.signal](running)
            if deaf is not None:
                until(lambda: len(last9.received()) == 2)
                took = time.monotonic() - began
                os.kill(deaf, signal.SIGKILL)
                assert running.wait() == row.code
            else:
                assert running.wait() == row.code, running.log
                took = time.monotonic() - began
            assert told(last9) == row.markers, running.log
            assert took < row.seconds + _SLACK_SECONDS, running.log
            assert "Traceback" not in running.log
            assert running.out == (b"begun\ncleaned\n" if row.command == "cleans up" else b"begun\n")
            failed = sum(marker not in " ".join(row.markers) for marker in ("start", "stop"))
            assert running.log.count("was not delivered") == (1 if row.last9 == "comes back" else failed), running.log
            _the_ids_and_times_fit(last9, row)


#: Starting two interpreters on a machine that is busy with the other tests.
_SLACK_SECONDS = 8.0


def _the_ids_and_times_fit(last9: FakeLast9, row: Row) -> None:
    events = last9.received()
    assert all(event["attributes"]["deployment.id"] for event in events)
    if len(events) == 2:
        start, stop = events
        assert start["timestamp"] <= stop["timestamp"]
        assert int(stop["attributes"]["deployment.window_duration_ms"]) >= 0
        assert "deployment.outcome" not in start["attributes"]
