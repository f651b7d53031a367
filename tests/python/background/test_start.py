"""``startInBackground`` at the start: what is told at once, what is left behind, and how little it holds the deployment."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from last9_markers.background import launching
from last9_markers.background.statefile import StateFile
from last9_markers.clock import SystemClock
from last9_markers.standin import StandIn
from support import STARTED_MS, WINDOW, field, make_request, patience, run_errand, wait_until

from .conftest import Agent

HANGS = {"delay": 60}


def test_the_start_arrives_from_the_background(agent: Agent) -> None:
    """The step ends with the marker under way; it arrives, its process ends, and the state file says so."""
    done = agent.start()
    assert done.code == 0
    assert done.stderr == "[Last9] Sending deployment marker in the background: deployment (start) for payments-api\n"
    agent.quiet()
    assert agent.states() == ["start"]
    assert json.loads(agent.state().read_text().splitlines()[-1])["delivered"] is True


def test_the_answer_says_where_to_ask(agent: Agent) -> None:
    """The marker is pending with the very event and the place of its state, is no failure, and older ones are handed back."""
    done = agent.start(20, options={"failOnError": "true"}, pending=["an older one"])
    answer = done.answer
    assert (answer["delivered"], answer["accepted"], answer["background"]) == (False, True, True)
    assert (answer["failBuild"], answer["warnings"], answer["deploymentId"]) == (None, [], WINDOW)
    older, own = answer["pending"]
    assert older == "an older one"
    kept = json.loads(own)
    assert kept["background"] == {"state": str(agent.state()), "node": "agent-1", "overMs": STARTED_MS + 70_000}
    agent.quiet()
    (event,) = agent.last9.received()
    assert {key: event[key] for key in kept["event"]} == kept["event"]


def test_it_does_not_wait_for_last9(agent: Agent) -> None:
    """However long Last9 takes, the step ends like one that sends nothing at all, with the marker still under way."""
    agent.last9.order(HANGS)
    baseline = min(agent.run("start", options={"dryRun": "true"}).seconds for _ in range(2))
    seconds = min(agent.start(60, window={"id": f"window-{number}", "startedAtMs": STARTED_MS}).seconds for number in range(2))
    wait_until(lambda: len(agent.processes()) == 2)
    assert agent.states() == []
    # An interpreter more is started meanwhile; a marker that waited would take a minute.
    assert seconds < min(2 * baseline + patience(), 59)


def test_it_loads_no_http_client(agent: Agent) -> None:
    """What a start in the background costs the deployment is less than a marker: the HTTP client is the other process's business."""
    done = agent.start(environ={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "last9_markers.background.launching" in loaded
    assert not loaded & {"httpx", "ssl", "last9_markers.transport"}


def test_nobody_can_read_the_token(agent: Agent, tmp_path: Path) -> None:
    """While it is on its way the token is in no file, no argument and no environment; the access token is not either."""
    agent.last9.order({**HANGS, "on": "event"})
    done = agent.start()
    wait_until(lambda: len(agent.last9.requests()) == 2)
    proc = Path("/proc") / str(agent.process())
    secret = agent.last9.refresh_token.encode()
    assert secret not in (proc / "cmdline").read_bytes()
    assert secret not in (proc / "environ").read_bytes()
    assert agent.last9.refresh_token not in done.stdout + done.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert agent.state() in files
    for path in files:
        content = path.read_bytes()
        assert secret not in content
        assert b"Bearer" not in content
    assert agent.state().stat().st_mode & 0o777 == 0o600


def test_the_process_is_detached(agent: Agent) -> None:
    """A session of its own, no folder of the build's, no stream of the step's, no descriptor but its state; Jenkins' cookie as it was."""
    agent.last9.order(HANGS)
    agent.start()
    wait_until(lambda: agent.last9.requests())
    pid = agent.process()
    proc = Path("/proc") / str(pid)
    assert os.getsid(pid) == pid
    assert os.readlink(proc / "cwd") == "/"
    targets = {name: os.readlink(proc / "fd" / name) for name in os.listdir(proc / "fd")}
    assert targets["1"] == targets["2"] == os.devnull
    held = {target for name, target in targets.items() if name not in "012" and not target.startswith(("socket:", "anon_inode:"))}
    assert held == {str(agent.state())}
    assert b"JENKINS_NODE_COOKIE=of-the-build" in (proc / "environ").read_bytes().split(b"\0")


@pytest.mark.parametrize(
    ("changes", "token", "told"),
    [
        ({"options": {"serviceName": ""}}, "its own", "serviceName is missing"),
        ({"options": {"eventState": "begin"}}, "its own", "eventState is 'begin'"),
        ({"connection": {"apiBaseUrl": field("http://example.com")}}, "its own", "plain http"),
        ({"connection": {"orgSlug": field("a/b")}}, "its own", "no organization slug"),
        ({}, None, "the refresh token is not there"),
        ({}, "two words", "other characters"),
    ],
)
def test_what_is_wrong_is_told_at_once(agent: Agent, changes: dict[str, Any], token: str | None, told: str) -> None:
    """A bad option, a missing token or an unusable destination is a warning of the start itself, and nothing is left behind."""
    options = {"startInBackground": "true", **changes.pop("options", {})}
    done = agent.run("start", token=token, options=options, **changes)
    assert told in done.answer["warnings"][0]
    assert "background" not in done.answer
    assert agent.processes() == []
    assert agent.left() == []
    assert agent.last9.requests() == []


def test_a_dry_run_leaves_nothing_behind(agent: Agent) -> None:
    """A dry run shows the marker and starts no process."""
    done = agent.start(options={"dryRun": "true"})
    assert "Dry run" in done.stderr
    assert done.answer["pending"] == []
    assert agent.processes() == []
    assert agent.left() == []


@pytest.mark.parametrize("value", ["maybe", "2"])
def test_a_value_that_is_no_switch(agent: Agent, value: str) -> None:
    """A typing error costs the background, not the marker, and is told."""
    done = agent.run("start", options={"startInBackground": value})
    assert done.answer["delivered"] is True
    assert f"startInBackground is '{value}', but must be true or false: false counts." in done.answer["warnings"]


def test_by_the_environment_and_only_for_starts(agent: Agent) -> None:
    """``LAST9_START_IN_BACKGROUND`` counts where the step says nothing; a stop always waits for its answer."""
    environ = {"LAST9_START_IN_BACKGROUND": "true"}
    assert agent.run("start", environ=environ).answer["background"] is True
    agent.quiet()
    assert agent.run("start", environ=environ, options={"startInBackground": "false"}).answer["delivered"] is True
    assert agent.run("stop", environ=environ).answer["delivered"] is True


def test_on_a_node_that_is_only_borrowed(agent: Agent) -> None:
    """Where the library took a node for this marker alone, a process left there would be ended at once: it is sent."""
    done = agent.start(elsewhere=True)
    assert done.answer["delivered"] is True
    assert done.answer["warnings"] == []
    assert agent.left() == []


@pytest.mark.parametrize("obstacle", ["no folder", "a file in its place", "a state file already", "no window"])
def test_where_no_process_can_be_left(agent: Agent, obstacle: str) -> None:
    """A start that cannot go into the background is sent at once, and the warning says why it was not left there."""
    changes: dict[str, Any] = {}
    if obstacle == "no folder":
        changes["environ"] = {"LAST9_CACHE_DIR": ""}
    elif obstacle == "a file in its place":
        agent.files.rmdir()
        agent.files.write_text("")
    elif obstacle == "a state file already":
        agent.state().write_text("somebody's\n")
    else:
        changes["window"] = None
    done = agent.start(**changes)
    assert done.answer["delivered"] is True
    (warning,) = done.answer["warnings"]
    assert "startInBackground is left out" in warning
    assert "Check" in warning
    assert agent.states() == ["start"]
    if obstacle == "a state file already":
        assert agent.state().read_text() == "somebody's\n"


def test_old_state_files_are_cleared_up(agent: Agent) -> None:
    """What nobody came back for goes away with a later start; what is young or not ours stays."""
    old, young, other = agent.state("0" * 36), agent.state("1" * 36), agent.files / "background.txt"
    for path in (old, young, other):
        path.write_text("{}\n")
    for path in (old, other):
        os.utime(path, (time.time() - 90_000,) * 2)
    agent.start()
    agent.quiet()
    assert agent.left() == sorted([young.name, other.name, agent.state().name])


# -- the protocol of systems where a lock is not inherited (Windows), run here -----------------------------------------------------


def _start_in_this_process(agent: Agent, last9: StandIn) -> Any:
    request = make_request("start", options={"startInBackground": "true", "timeoutSeconds": "60"})
    return run_errand(request, last9.refresh_token, environ=agent.environ, clock=SystemClock())


def test_a_process_that_takes_the_lock_itself(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the lock cannot be handed over, the start waits until the process has it: there is no gap in which it looks dead."""
    monkeypatch.setattr(launching, "LOCK_IS_INHERITED", False)
    agent.last9.order(HANGS)
    ran = _start_in_this_process(agent, agent.last9)
    assert ran.answer.more["background"] is True
    state = StateFile.open(str(agent.state()))
    assert state is not None
    assert not state.try_lock()
    os.kill(agent.process(), signal.SIGKILL)
    assert state.lock_within(60)
    state.close()


def test_a_process_that_does_not_come_up(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that never says that it has the lock is ended, and the start is sent at once: nobody delivers behind its back."""
    monkeypatch.setattr(launching, "LOCK_IS_INHERITED", False)
    monkeypatch.setattr(launching, "ACKNOWLEDGE_SHARE", 0.005)
    monkeypatch.setattr(launching, "_program", lambda: [sys.executable, "-c", "import time; time.sleep(60)"])
    ran = _start_in_this_process(agent, agent.last9)
    assert ran.answer.delivered
    assert "the process did not come up" in ran.answer.warnings[0]
    assert agent.processes() == []
    assert agent.left() == []


def test_an_interpreter_that_cannot_be_started(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be started at all the start is sent at once and nothing is left behind."""
    monkeypatch.setattr(launching, "_program", lambda: ["/nowhere/python3"])
    ran = _start_in_this_process(agent, agent.last9)
    assert ran.answer.delivered
    assert "startInBackground is left out" in ran.answer.warnings[0]
    assert agent.left() == []
