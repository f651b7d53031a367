"""Starts in the background whose kept text is lost, and markers of other windows that meet one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from last9_markers.background.statefile import StateFile
from last9_markers.standin import StandIn
from support import STARTED_MS, STOPPED_MS, WINDOW, make_request, patience

from .conftest import HANGS, Agent, once_under_way, started

OTHER = {"id": "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c00ff", "startedAtMs": STARTED_MS}


# -- without the kept text -----------------------------------------------------------------------------------------------------------


def test_an_abort_took_the_answer(agent: Agent) -> None:
    """A start that was left behind, but whose answer an abort swallowed: the stop finds it, waits for it, and sends nothing twice."""
    agent.last9.order({"on": "event", "times": 1, "delay": 1})
    request = make_request("start", options={"startInBackground": "true"})
    started(agent)
    done = agent.stop([json.dumps(request)])
    assert done.answer["delivered"] is True
    assert agent.states() == ["start", "stop"]
    assert agent.left() == []


def test_an_abort_took_answer_and_process(agent: Agent) -> None:
    """If the abort ended the process as well, the start is sent again with the body that it had, not one of a later moment."""
    agent.last9.order({**HANGS, "on": "event"})
    request = make_request("start", options={"startInBackground": "true"})
    started(agent, environ={"JOB_NAME": "as-it-was"})
    once_under_way(agent, 2)
    agent.kill()
    agent.last9.faults.cancel()
    done = agent.stop([json.dumps(request)], environ={"JOB_NAME": "another-by-now"})
    assert done.answer["delivered"] is True
    assert agent.states() == ["start", "stop"]
    assert agent.last9.received()[0]["attributes"]["jenkins.job_name"] == "as-it-was"


@pytest.mark.parametrize("arrives", [True, False])
def test_a_restart_of_the_controller_lost_the_text(agent: Agent, arrives: bool) -> None:
    """A stop that was handed nothing still finds its own window's start on the agent, and keeps the order."""
    agent.last9.order({"on": "event", "times": 1, "delay": 1} if arrives else {"on": "exchange", "times": 1, "status": 403})
    started(agent)
    done = agent.stop([])
    assert done.answer["delivered"] is True
    assert agent.states() == ["start", "stop"]
    # Another marker may hold the text: it must find the fate and not a missing file.
    assert StateFile.open(str(agent.state())).fate().delivered  # type: ignore[union-attr]


# -- other windows' markers ----------------------------------------------------------------------------------------------------------


def test_anothers_marker_does_not_wait(agent: Agent) -> None:
    """A marker of another window hands a start that is still under way back as it is, and goes out at once."""
    agent.last9.order({**HANGS, "times": 1})
    pending = started(agent, 600)
    once_under_way(agent)
    done = agent.run("start", window=OTHER, pending=pending)
    assert done.answer["delivered"] is True
    assert done.answer["pending"] == pending
    assert len(agent.processes()) == 1


def test_anothers_marker_settles_what_has_ended(agent: Agent) -> None:
    """A marker of another window drops a start that has arrived, and brings one that has not."""
    pending = started(agent)
    agent.quiet()
    agent.last9.order({"on": "exchange", "times": 1, "status": 403})
    pending += started(agent, window=OTHER)
    agent.quiet()
    done = agent.run("start", window={**OTHER, "id": "a-third-window"}, pending=pending)
    assert done.answer["pending"] == []
    assert len(done.answer["warnings"]) == 1
    assert len(agent.states()) == 3
    assert agent.left() == []


def test_a_stop_that_is_kept_does_not_overtake(agent: Agent) -> None:
    """Where a window's stop is among the kept markers, another's marker never sends it before its start."""
    agent.last9.order({**HANGS, "times": 1})
    pending = started(agent, 600)
    once_under_way(agent)
    stop = json.dumps(make_request("stop"))
    done = agent.run("start", window=OTHER, pending=[*pending, stop], options={"timeoutSeconds": "8"})
    assert done.answer["pending"] == []
    assert agent.states() == ["start", "stop", "start"]
    agent.quiet()


def test_the_stop_on_another_agent(agent: Agent, last9: StandIn, tmp_path: Path) -> None:
    """Where the agent of the start is gone, its stop sends the start again, the very same, and first."""
    pending = started(agent)
    agent.quiet()
    other = Agent(tmp_path / "other", last9, "agent-2")
    agent.files.rename(tmp_path / "gone")
    done = other.stop(pending)
    assert done.answer["delivered"] is True
    assert agent.states() == ["start", "start", "stop"]
    assert len(agent.bodies("start")) == 1


@pytest.mark.parametrize(("after_ms", "again"), [(60_000, False), (69_999, False), (70_000, True)])
def test_anothers_marker_on_another_agent(agent: Agent, last9: StandIn, tmp_path: Path, after_ms: int, again: bool) -> None:
    """A marker of another window that cannot see the agent leaves the start alone while its process may be at work; then it sends it."""
    pending = started(agent, 20)
    agent.quiet()
    other = Agent(tmp_path / "other", last9, "agent-2")
    agent.files.rename(tmp_path / "gone")
    done = other.run("start", window=OTHER, pending=pending, timestampMs=STARTED_MS + after_ms)
    assert done.answer["pending"] == ([] if again else pending)
    assert len(agent.bodies("start")) == 2
    assert len(agent.states()) == (3 if again else 2)


def test_the_same_text_twice(agent: Agent) -> None:
    """A text that is handed over twice is one marker."""
    agent.last9.order({"on": "exchange", "times": 1, "status": 403})
    pending = started(agent)
    agent.quiet()
    done = agent.stop(pending * 2)
    assert done.answer["pending"] == []
    assert agent.states() == ["start", "stop"]


def test_a_short_stop_after_an_abort(agent: Agent) -> None:
    """After an abort the stop has a few seconds for everything: it waits for half of them and sends both."""
    agent.last9.order({**HANGS, "times": 1})
    pending = started(agent, 600)
    once_under_way(agent)
    done = agent.stop(pending, body={"ended": "interrupted", "message": "Aborted by alice"}, budgetSeconds=8, timestampMs=STOPPED_MS)
    assert done.answer["delivered"] is True
    assert done.seconds < 8 + patience()
    assert agent.states() == ["start", "stop"]
    assert agent.last9.received()[1]["attributes"]["deployment.outcome"] == "aborted"
    agent.quiet()
    assert WINDOW in done.stdout
