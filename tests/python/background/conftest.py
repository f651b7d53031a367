"""An agent on which starts are left to the background, with real processes and a real server."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from last9_markers.background.statefile import StateFile
from last9_markers.standin import StandIn
from support import WINDOW, Stepped, make_request, run_step, wait_until

#: A Last9 that does so is not waited out by anybody.
HANGS = {"delay": 600}


class Agent:
    """A node's folder for the engine, and what runs on its account."""

    def __init__(self, folder: Path, last9: StandIn, name: str = "agent-1") -> None:
        self.last9 = last9
        self.files = folder / "last9"
        self.environ = {"LAST9_CACHE_DIR": str(self.files), "NODE_NAME": name, "JENKINS_NODE_COOKIE": "of-the-build"}
        self._folder = folder
        self.files.mkdir(parents=True)

    def run(self, state: str, *, token: str | None = "its own", environ: Mapping[str, str] | None = None, **changes: Any) -> Stepped:
        """Run ``step`` as the launcher does; ``changes`` as in :func:`support.make_request`."""
        token = self.last9.refresh_token if token == "its own" else token
        return run_step(make_request(state, **changes), token, self._folder, environ={**self.environ, **(environ or {})})

    def start(self, seconds: float = 60, options: Mapping[str, Any] | None = None, **changes: Any) -> Stepped:
        """Run a start in the background."""
        return self.run("start", options={"startInBackground": "true", "timeoutSeconds": str(seconds), **(options or {})}, **changes)

    def stop(self, pending: list[str], seconds: float = 60, options: Mapping[str, Any] | None = None, **changes: Any) -> Stepped:
        """Run the window's stop, handed what the start left."""
        return self.run("stop", pending=pending, options={"timeoutSeconds": str(seconds), **(options or {})}, **changes)

    def state(self, window: str = WINDOW) -> Path:
        """The state file of a window's start."""
        return self.files / f"background-{window}.jsonl"

    def left(self) -> list[str]:
        """The names of all files in the engine's folder."""
        return sorted(path.name for path in self.files.iterdir())

    def processes(self) -> list[int]:
        """Whatever runs on this agent's account."""
        mark = f"LAST9_CACHE_DIR={self.files}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0") and _alive(entry):
                    found.append(int(entry.name))
        return found

    def process(self) -> int:
        """The one process in the background."""
        (pid,) = self.processes()
        return pid

    def quiet(self, seconds: float = 60) -> None:
        """Wait until nothing runs any more; a process that is just coming up shows no environment yet, but holds its lock."""
        wait_until(lambda: all(_is_free(path) for path in self.files.glob("background-*")) and not self.processes(), seconds)

    def kill(self) -> None:
        """Kill whatever runs, and wait until it is gone."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.quiet()

    def states(self) -> list[str]:
        """``start`` and ``stop`` in the order in which Last9 has them."""
        return [event["event_state"] for event in self.last9.received()]

    def bodies(self, state: str) -> set[str]:
        """The different events of that state that Last9 has."""
        return {
            json.dumps({key: value for key, value in event.items() if key != "received_at"})
            for event in self.last9.received()
            if event["event_state"] == state
        }


def _is_free(path: Path) -> bool:
    state = StateFile.open(str(path))
    try:
        return state is None or state.try_lock()
    finally:
        if state is not None:
            state.close()


def _alive(entry: Path) -> bool:
    # A zombie that its new parent has not looked after yet runs no more.
    return (entry / "stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")


def started(agent: Agent, seconds: float = 60, **changes: Any) -> list[str]:
    """Start in the background and return what the library keeps of it."""
    answer = agent.start(seconds, **changes).answer
    assert answer["background"] is True
    pending: list[str] = answer["pending"]
    return pending


def once_under_way(agent: Agent, requests: int = 1) -> None:
    """Wait until the process has made that many requests."""
    wait_until(lambda: len(agent.last9.requests()) >= requests)


@pytest.fixture
def agent(tmp_path: Path, last9: StandIn) -> Iterator[Agent]:
    """An agent without a marker yet; whatever still runs there afterwards is ended."""
    one = Agent(tmp_path / "agent", last9)
    yield one
    last9.faults.cancel()
    one.kill()
