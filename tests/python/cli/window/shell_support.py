"""What the tests of ``window`` share: a window as a process, the states of Last9, and Jenkins' way of ending a build."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from last9_markers.fake_server import FakeLast9
from support import MINIMAL_ENV, ROOT

#: Generous: the machine may be busy with much else. What must be quick is judged by the markers' own times.
PATIENCE_SECONDS = 60.0

WINDOW = ["window", "--service-name", "payments-api", "--environment", "production"]


def program(*words: str) -> list[str]:
    """The program with these arguments."""
    return [sys.executable, "-m", "last9_markers", *words]


def surroundings(**environ: str) -> dict[str, str]:
    """An agent's environment in which the program is found."""
    return {**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), **environ}


class Running:
    """A window that runs, in a session of its own. Its output is read as it comes, so that nothing ever waits for the test."""

    def __init__(self, words: list[str], environ: Mapping[str, str], cwd: Path, stdin: int | IO[bytes] = subprocess.DEVNULL) -> None:
        self.process = subprocess.Popen(
            words, env=dict(environ), cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        self.out = b""
        self.err = b""
        self._changed = threading.Condition()
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in ("out", "err")]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def _read(self, name: str) -> None:
        stream = self.process.stdout if name == "out" else self.process.stderr
        assert stream is not None
        while chunk := os.read(stream.fileno(), 65536):
            with self._changed:
                setattr(self, name, getattr(self, name) + chunk)
                self._changed.notify_all()

    def until(self, text: str) -> None:
        """Wait until that was said on stdout or stderr."""
        with self._changed:
            assert self._changed.wait_for(lambda: text.encode() in self.out + self.err, PATIENCE_SECONDS), (text, self.out, self.err)

    def wait(self) -> int:
        """Wait for its end, and for the end of its output; return its exit code."""
        code = self.process.wait(PATIENCE_SECONDS)
        for reader in self._readers:
            reader.join(PATIENCE_SECONDS)
        return code

    @property
    def log(self) -> str:
        """What was said on stderr."""
        return self.err.decode()

    def child(self) -> int:
        """The process id of the command: the one child, once it is there."""
        (pid,) = until(lambda: children_of(self.process.pid))
        return pid


def window(last9: FakeLast9, folder: Path, words: list[str], command: list[str], **environ: str) -> Running:
    """A window with the fake Last9's token."""
    return Running(program(*WINDOW, *words, "--", *command), surroundings(LAST9_REFRESH_TOKEN=last9.refresh_token, **environ), folder)


def until(look: Callable[[], Any]) -> Any:
    """Look again and again until there is something; only if there is no event to wait for."""
    ends = time.monotonic() + PATIENCE_SECONDS
    while not (found := look()):
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.01)
    return found


def children_of(pid: int) -> list[int]:
    """The child processes, as ``/proc`` has them."""
    with contextlib.suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    return []


def state_of(pid: int) -> str:
    """``R``, ``S``, ``T``, ``Z`` …; empty if there is no such process."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    return ""


def end_as_jenkins_does(root: int) -> None:
    """Core's ``ProcessTree``: a snapshot of the tree, children before parents, SIGTERM, looks after 10, 20, 40 … ms, all within 5 s.

    What is left then is killed. A zombie is still treated as alive.
    """
    tree: dict[int, list[int]] = {}

    def look(pid: int) -> None:
        tree[pid] = children_of(pid)
        for child in tree[pid]:
            look(child)

    def end(pid: int) -> None:
        for child in tree[pid]:
            end(child)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            pause = 0.01
            while state_of(pid) and time.monotonic() < deadline:
                time.sleep(pause)
                pause = min(2 * pause, 1.0)
            if state_of(pid):
                os.kill(pid, signal.SIGKILL)

    look(root)
    deadline = time.monotonic() + 5.0
    end(root)


@contextlib.contextmanager
def nobody() -> Iterator[str]:
    """A base URL without a server."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def told(last9: FakeLast9) -> list[str]:
    """The markers that Last9 has, as ``start`` and ``stop aborted``; one id on all of them."""
    events = last9.received()
    assert len({event["attributes"].get("deployment.id") for event in events}) <= 1, events
    return [" ".join(filter(None, (event["event_state"], event["attributes"].get("deployment.outcome")))) for event in events]
