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
from support import field, patience

from .conftest import HANGS, Agent, once_under_way, started

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
