"""Starts in the background out of the committed bundle: on every Python, while the bundle is taken away, through the launchers."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from agents import Agent, Done, processes, promised, pythons

BACKGROUND = {"LAST9_START_IN_BACKGROUND": "true"}
NEWEST = pythons()[promised()[-1]]


def left_running(agent: Agent) -> list[str]:
    """Command lines of what runs of this agent's bundle."""
    return processes(agent.bundle.name, str(agent.folder))


def wait_for(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so; fail where it does not come to be."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def run(agent: Agent, python: str, request: Path, **environ: str) -> Done:
    """Run the engine on a request file as the launcher does."""
    if not agent.bundle.exists():
        agent.place_bundle()
    command = [python, "-I", "-S", str(agent.bundle), "step", "--request", str(request)]
    environ = agent.environ({"LAST9_CACHE_DIR": str(agent.folder), **environ})
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False, timeout=240)
    return Done(done.returncode, done.stdout, done.stderr)


def start(agent: Agent, python: str = NEWEST) -> Done:
    """A start that is left to the background."""
    return run(agent, python, agent.request("start"), **BACKGROUND)


def stop(agent: Agent, pending: list[str], python: str = NEWEST) -> Done:
    """The window's stop, handed what the start left."""
    path = agent.request("stop")
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "pending": pending}), "utf-8")
    return run(agent, python, path)


def states(agent: Agent) -> list[str]:
    """What Last9 has, in order."""
    return [event["event_state"] for event in agent.last9.received()]


@pytest.mark.parametrize("version", promised())
def test_on_every_python(version: str, agent: Agent) -> None:
    """On each interpreter the start ends with the marker under way, the stop finds it, and neither file nor process is left."""
    python = pythons()[version]
    agent.last9.order(on="event", times=1, delay=0.5)
    started = start(agent, python)
    assert started.answer["background"] is True
    stopped = stop(agent, started.answer["pending"], python)
    assert "successfully in the background" in stopped.stderr
    assert states(agent) == ["start", "stop"]
    assert left_running(agent) == []
    assert not list(agent.folder.glob("background-*"))


def test_the_launcher_does_not_wait(agent: Agent) -> None:
    """Through run.sh the step ends while Last9 hangs, with its streams closed behind it: nobody who reads them waits for the process."""
    agent.last9.order(delay=600, times=1)
    started = agent.launch(["sh"], LAST9_TIMEOUT_SECONDS="600", **BACKGROUND)
    assert started.answer["background"] is True
    wait_for(lambda: agent.last9.requests())
    (line,) = left_running(agent)
    assert agent.last9.token not in line
    assert states(agent) == []
    agent.folder.joinpath(next(path.name for path in agent.folder.glob("background-*"))).unlink()
    wait_for(lambda: not left_running(agent))


def test_the_engine_is_taken_away(agent: Agent) -> None:
    """A process under way goes on, retries and all, when bundle and cache are removed under it."""
    agent.last9.order(on="exchange", times=1, status=503)
    agent.last9.order(on="exchange", times=1, delay=0.5, status=503)
    started = start(agent)
    wait_for(lambda: agent.last9.requests())
    shutil.rmtree(agent.caches()[0])
    agent.bundle.unlink()
    wait_for(lambda: states(agent) == ["start"])
    agent.place_bundle()
    assert "successfully in the background" in stop(agent, started.answer["pending"]).stderr
    assert states(agent) == ["start", "stop"]


def test_the_engine_is_taken_away_at_once(agent: Agent) -> None:
    """Taken away before the process has come up, it may not deliver: start before stop all the same, and no process is left."""
    assert run(agent, NEWEST, agent.request("start"), LAST9_DRY_RUN="true").code == 0  # unpacks
    started = start(agent)
    shutil.rmtree(agent.caches()[0], ignore_errors=True)  # an engine that finds it broken clears it away as well
    agent.bundle.unlink()
    wait_for(lambda: not left_running(agent))
    assert stop(agent, started.answer["pending"]).answer["delivered"] is True
    assert states(agent) == ["start", "stop"]


@pytest.mark.parametrize("moment", [0.0, 0.05, 0.15])
def test_an_abort_while_it_is_left_behind(agent: Agent, moment: float) -> None:
    """SIGTERM to the launcher at any moment of the start: the stop, handed the request alone, brings the start first, and the same."""
    agent.last9.order(on="event", times=1, delay=0.5)
    assert agent.launch(["sh"], LAST9_DRY_RUN="true").code == 0
    process, identity = agent.start_launcher(["sh"], bring=False, **BACKGROUND)
    request = agent.request("start").read_text("utf-8")
    time.sleep(moment)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert identity not in " ".join(left_running(agent))
    stopped = stop(agent, [request])
    assert stopped.answer["delivered"] is True
    events = agent.last9.received()
    starts = [{**event, "received_at": ""} for event in events if event["event_state"] == "start"]
    assert events[0]["event_state"] == "start"
    assert [event["event_state"] for event in events].count("stop") == 1
    assert all(start == starts[0] for start in starts)
    wait_for(lambda: not left_running(agent))
