"""``kill -9`` at any moment: the stop never comes before its start, nothing is lost, and what comes twice is the same."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from support import BARE, ROOT, STARTED_MS, make_request, wait_until

from .conftest import Agent

#: A start in the background takes about this long from the moment its step has ended, on an idle machine.
TYPICAL_SECONDS = 0.4


def _one_window(agent: Agent, number: int, seconds: float) -> None:
    """A start in the background, ``kill -9`` so many seconds later, then the stop."""
    window = {"id": f"window-{number:04}", "startedAtMs": STARTED_MS}
    pending = agent.start(window=window).answer["pending"]
    time.sleep(seconds)
    for pid in agent.processes():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    done = agent.stop(pending, window=window)
    assert done.answer["delivered"] is True, done
    assert done.answer["pending"] == []


def _check(agent: Agent, windows: int) -> None:
    agent.quiet()
    assert agent.left() == []
    for number in range(windows):
        events = [event for event in agent.last9.received() if event["attributes"]["deployment.id"] == f"window-{number:04}"]
        states = [event["event_state"] for event in events]
        assert states[0] == "start", (number, states)
        assert states.count("stop") == 1, (number, states)
        starts = [{**event, "received_at": ""} for event in events if event["event_state"] == "start"]
        assert all(start == starts[0] for start in starts), number


def test_killed_at_random_moments(agent: Agent) -> None:
    """Six windows, each process killed at a moment of its own, from before it has come up to after it has ended."""
    chance = random.Random(9)
    for number in range(6):
        _one_window(agent, number, chance.uniform(0, TYPICAL_SECONDS))
    _check(agent, 6)


@pytest.mark.endurance
def test_killed_at_a_hundred_random_moments(agent: Agent) -> None:
    """The same with a hundred windows and a Last9 of which every fifth answer is a fault."""
    chance = random.Random(109)
    for number in range(100):
        agent.last9.order({"times": 1, **chance.choice([{"status": 503}, {"delay": 0.3}, {"drop": "before"}, {"drop": "body"}, {}])})
        _one_window(agent, number, chance.uniform(0, TYPICAL_SECONDS))
    _check(agent, 100)


def test_the_start_itself_is_killed(agent: Agent) -> None:
    """The engine of the start is killed at any moment, too: with the request alone, the stop still brings the start first, and once."""
    chance = random.Random(99)
    for number in range(5):
        window = {"id": f"window-{number:04}", "startedAtMs": STARTED_MS}
        request = make_request("start", window=window, options={"startInBackground": "true"})
        path = agent.files.parent / "request.json"
        path.write_text(json.dumps(request))
        environ = {**BARE, "PYTHONPATH": str(ROOT / "python"), **agent.environ, "LAST9_REFRESH_TOKEN": agent.last9.refresh_token}
        command = [sys.executable, "-m", "last9_markers", "step", "--request", str(path)]
        with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as engine:
            with contextlib.suppress(subprocess.TimeoutExpired):
                engine.wait(chance.uniform(0.02, 0.25))
            engine.kill()
        done = agent.stop([json.dumps(request)], window=window)
        assert done.answer["delivered"] is True, done
    wait_until(lambda: not agent.processes())
    _check(agent, 5)
