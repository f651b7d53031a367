"""What later markers do about a start in the background: learn its fate, wait for it, send it again; never a stop before its start."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from last9_markers.background.statefile import Fate, StateFile
from last9_markers.standin import StandIn
from support import STARTED_MS, STOPPED_MS, WINDOW, field, make_request, patience, wait_until

from .conftest import Agent

HANGS = {"delay": 600}
OTHER = {"id": "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c00ff", "startedAtMs": STARTED_MS}


def started(agent: Agent, seconds: float = 60, **changes: Any) -> list[str]:
    """Start in the background and return what the library keeps of it."""
    answer = agent.start(seconds, **changes).answer
    assert answer["background"] is True
    pending: list[str] = answer["pending"]
    return pending


def once_under_way(agent: Agent, requests: int = 1) -> None:
    """Wait until the process has made that many requests."""
    wait_until(lambda: len(agent.last9.requests()) >= requests)


# -- delivered -----------------------------------------------------------------------------------------------------------------


def test_delivered(agent: Agent) -> None:
    """A start that has arrived is one line in the stop's log, is not sent again, and leaves no file."""
    pending = started(agent)
    agent.quiet()
    done = agent.stop(pending)
    assert done.stderr.splitlines() == [
        "[Last9] Deployment marker sent successfully in the background: deployment (start) for payments-api",
        "[Last9] Sending deployment marker: deployment (stop) for payments-api",
        "[Last9] Deployment marker sent successfully",
    ]
    assert (done.answer["delivered"], done.answer["warnings"], done.answer["pending"]) == (True, [], [])
    assert agent.states() == ["start", "stop"]
    assert agent.left() == []


def test_still_under_way(agent: Agent) -> None:
    """A stop that follows at once waits for its start: each arrives once, in order."""
    agent.last9.order({"on": "event", "times": 1, "delay": 1.5})
    done = agent.stop(started(agent))
    assert done.answer["delivered"] is True
    assert "successfully in the background" in done.stderr
    assert agent.states() == ["start", "stop"]
    assert agent.processes() == []
    assert agent.left() == []


def test_what_the_process_warned_of(agent: Agent) -> None:
    """What the process in the background had to warn of (here a CA file that cannot be read) is told by the stop."""
    changes: dict[str, Any] = {"connection": {"apiBaseUrl": field("https://127.0.0.1:1"), "orgSlug": field("acme")}}
    pending = started(agent, environ={"LAST9_CA_BUNDLE": "no-such-file.pem"}, **changes)
    agent.quiet()
    done = agent.stop(pending, **changes)
    about_ca, about_start, about_stop = done.answer["warnings"]
    assert "LAST9_CA_BUNDLE is left out" in about_ca
    assert "in the background, deployment (start) for payments-api was not delivered: 127.0.0.1 refuses connections" in about_start
    assert "deployment (stop)" in about_stop


# -- not delivered -------------------------------------------------------------------------------------------------------------


def test_failed(agent: Agent) -> None:
    """A start that Last9 could not take is told with cause and remedy, and goes out with the stop: first, the same, with its own time."""
    agent.last9.order({"on": "exchange", "status": 403})
    pending = started(agent)
    agent.quiet()
    agent.last9.faults.cancel()
    done = agent.stop(pending, environ={"JOB_NAME": "another-by-now"})
    (warning,) = done.answer["warnings"]
    assert warning.startswith("in the background, deployment (start) for payments-api was not delivered: the token may not write")
    assert warning.endswith("It is sent again now.")
    assert "1 deployment marker that could not be delivered before" in done.stderr
    assert agent.states() == ["start", "stop"]
    event = json.loads(pending[0])["event"]
    assert {key: agent.last9.received()[0][key] for key in event} == event
    assert agent.left() == []


def test_failed_again(agent: Agent) -> None:
    """Where Last9 stays away both are kept in order as ordinary markers, and the next marker brings them."""
    agent.last9.order({"on": "exchange", "status": 403})
    pending = started(agent)
    agent.quiet()
    done = agent.stop(pending)
    assert done.answer["delivered"] is False
    kept = [json.loads(text) for text in done.answer["pending"]]
    assert [text["event"]["event_state"] for text in kept] == ["start", "stop"]
    assert not any("background" in text for text in kept)
    assert agent.left() == []
    agent.last9.faults.cancel()
    last = agent.run("stop", window=None, body=None, pending=done.answer["pending"])
    assert last.answer["pending"] == []
    assert agent.states() == ["start", "stop", "stop"]


@pytest.mark.parametrize("fail_on_error", ["true", "false"])
def test_refused(agent: Agent, fail_on_error: str) -> None:
    """A start that Last9 will never take is told and not sent again; ``failOnError`` judges it by the stop that learns of it."""
    agent.last9.order({"on": "event", "status": 422, "body": '{"error": "too old"}'})
    pending = started(agent)
    agent.quiet()
    agent.last9.faults.cancel()
    done = agent.stop(pending, options={"failOnError": fail_on_error})
    (warning,) = done.answer["warnings"]
    assert "too old" in warning
    assert "not tried again" in warning
    assert (done.answer["delivered"], done.answer["pending"]) == (True, [])
    assert (done.answer["failBuild"] is not None) == (fail_on_error == "true")
    assert warning in (done.answer["failBuild"] or warning)
    assert agent.states() == ["stop"]


def test_refused_when_sent_again(agent: Agent) -> None:
    """``failOnError`` also strikes where the start failed first and was refused when the stop sent it again."""
    agent.last9.order({"on": "exchange", "status": 403})
    pending = started(agent)
    agent.quiet()
    agent.last9.faults.cancel()
    agent.last9.order({"on": "event", "times": 1, "status": 422})
    done = agent.stop(pending, options={"failOnError": "true"})
    assert done.answer["delivered"] is True
    assert "refused" in done.answer["failBuild"]


def test_a_late_delivery_is_no_failure(agent: Agent) -> None:
    """``failOnError`` does not strike for a start that failed in the background and arrived with the stop."""
    agent.last9.order({"on": "exchange", "times": 1, "status": 403})
    pending = started(agent)
    agent.quiet()
    done = agent.stop(pending, options={"failOnError": "true"})
    assert done.answer["failBuild"] is None
    assert agent.states() == ["start", "stop"]


def test_killed(agent: Agent) -> None:
    """A process that was killed before it could tell: the start is sent again, the very same, whether or not it had arrived."""
    agent.last9.order({**HANGS, "on": "event"})
    pending = started(agent)
    once_under_way(agent, 2)
    agent.kill()
    agent.last9.faults.cancel()
    done = agent.stop(pending, environ={"JOB_NAME": "another-by-now"})
    assert done.answer["warnings"] == []
    assert "Nothing is known of deployment (start) for payments-api in the background" in done.stderr
    assert agent.states() == ["start", "stop"]
    assert agent.left() == []


def test_hanging(agent: Agent) -> None:
    """A start that hangs holds its stop for half of the stop's budget and no longer; then it is recalled, and nothing runs any more."""
    seconds = 8
    agent.last9.order({**HANGS, "times": 1})
    pending = started(agent, 600)
    once_under_way(agent)
    done = agent.stop(pending, seconds)
    assert done.answer["delivered"] is True
    assert "was still under way in the background and is sent again now" in done.stderr
    assert seconds / 2 < done.seconds < seconds + patience()
    assert agent.states() == ["start", "stop"]
    agent.quiet()
    assert agent.left() == []


def test_hanging_for_ever(agent: Agent) -> None:
    """Last9 that hangs throughout costs the stop its budget, and no more; both are kept, and nothing runs any more."""
    agent.last9.order(HANGS)
    pending = started(agent, 600)
    once_under_way(agent)
    done = agent.stop(pending, 6)
    assert done.seconds < 6 + patience()
    assert [json.loads(text)["event"]["event_state"] for text in done.answer["pending"]] == ["start", "stop"]
    agent.quiet()


def test_a_frozen_process(agent: Agent) -> None:
    """A process that cannot even notice its recall (stopped, swapped out) holds the stop within its budget, and the order stays."""
    agent.last9.order({**HANGS, "times": 1})
    pending = started(agent, 600)
    once_under_way(agent)
    os.kill(agent.process(), signal.SIGSTOP)
    done = agent.stop(pending, 8)
    assert done.answer["delivered"] is True
    assert done.seconds < 8 + patience()
    assert agent.states() == ["start", "stop"]
    for pid in agent.processes():
        os.kill(pid, signal.SIGCONT)
    agent.quiet()
    assert agent.states() == ["start", "stop"]


def test_it_ends_with_its_budget(agent: Agent) -> None:
    """A process that nobody comes back for ends by itself, and says why it did not deliver."""
    agent.last9.order({"drip": 0.2})
    started(agent, 1)
    agent.quiet()
    fate = json.loads(agent.state().read_text().splitlines()[-1])
    assert fate["delivered"] is False
    assert re.search(r"time limit of 1 s is over|did not answer in time.*1 s", fate["reason"])


def test_it_ends_with_the_workspace(agent: Agent) -> None:
    """A process whose folder is removed with the workspace ends by itself, long before its budget; the stop sends the start again."""
    agent.last9.order({**HANGS, "times": 1})
    pending = started(agent, 600)
    once_under_way(agent)
    shutil.rmtree(agent.files)
    agent.quiet()
    done = agent.stop(pending)
    assert done.answer["delivered"] is True
    assert agent.states() == ["start", "stop"]
    assert not agent.files.exists()


# -- state files that are not what they should be ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"{}\n",
        b"another text\n" + b'{"delivered": true}\n',
        b"TEXT",
        b'TEXT\n{"delivered": tr',
        b'TEXT\n{"delivered": 1}\n',
        b"TEXT\n[]\n" + b"[" * 100_000 + b"\n",
        b'TEXT\n{"recalled": true}\n',
        b'TEXT\n{"delivered": false, "reason": 7, "warnings": [3]}\n',
    ],
)
def test_a_broken_state_file(agent: Agent, content: bytes) -> None:
    """A state that cannot be read says nothing: the start is sent again and never lost, and the stop is not disturbed."""
    pending = started(agent)
    agent.quiet()
    agent.last9.forget()
    agent.state().write_bytes(content.replace(b"TEXT", pending[0].encode()))
    done = agent.stop(pending)
    assert done.answer["delivered"] is True
    assert agent.states() == ["start", "stop"]


@pytest.mark.parametrize("what", ["gone", "a folder", "a dangling link"])
def test_no_state_file(agent: Agent, what: str) -> None:
    """Where the file is gone (workspace wiped) or something else lies there, the start is sent again."""
    pending = started(agent)
    agent.quiet()
    agent.last9.forget()
    agent.state().unlink()
    if what == "a folder":
        agent.state().mkdir()
    elif what == "a dangling link":
        agent.state().symlink_to("/nowhere/at/all")
    done = agent.stop(pending)
    assert done.answer["delivered"] is True
    assert agent.states() == ["start", "stop"]


def test_half_a_line_hides_no_fate(tmp_path: Path) -> None:
    """A line cut short by a full disk does not take the next one with it."""
    state = StateFile.create(str(tmp_path / "state"), "text")
    os.write(state.descriptor, b'{"delivered": fal')
    state.tell(Fate(delivered=True))
    assert state.fate() == Fate(delivered=True)
    assert state.text() == "text"
    assert not state.is_wanted()


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
