"""The start's side: leaves the marker to a process of its own, which lives on when this one has ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

from last9_markers.background import state_path
from last9_markers.background.statefile import StateFile, sweep
from last9_markers.contract import Request
from last9_markers.event import Event
from last9_markers.pending import InBackground, Meant, write

#: What may pass besides the two budgets, the start's and the process's, until the process has surely ended: the library's own limit for
#: a step that hangs is as long.
SLACK_SECONDS = 30.0

#: Share of the time limit that the process may take to say that it has the lock, where it cannot inherit it.
ACKNOWLEDGE_SHARE = 0.5

#: A lock of POSIX's flock goes along with the descriptor. On Windows it belongs to one process, so the new one must take it itself.
LOCK_IS_INHERITED = sys.platform != "win32"

#: Windows: no console, no Ctrl+C of somebody else's, and out of a job that would end with this step, where the job lets us.
_DETACHED_PROCESS, _NEW_PROCESS_GROUP, _BREAKAWAY_FROM_JOB = 0x00000008, 0x00000200, 0x01000000

#: For an engine that does not run from its bundle (a checkout, an installed package): the same interpreter with the same package.
_FROM_PACKAGE = "import sys; sys.path.insert(0, sys.argv.pop(1)); from last9_markers.cli import run; run()"


class CannotLaunch(Exception):
    """No process could be left behind; its text says why."""


class Order(NamedTuple):
    """What the process must know besides the state file. It crosses over a pipe: neither file nor argument ever holds the token.

    ``secret_parameters`` are the names of password parameters, whose values no text may show; ``directory`` is what relative paths among
    the environment's settings mean, since the process itself stays in no folder of the build's.
    """

    token: str
    label: str
    timeout_seconds: float
    secret_parameters: list[str]
    directory: str = ""


def leave(order: Order, request: Request, meant: Meant, event: Event, environ: Mapping[str, str]) -> str:
    """Leave the start to a process of its own and return the marker as it is to be kept. Raises :exc:`CannotLaunch`.

    When this returns, that process holds the lock of the marker's state file: whoever looks sees it at work until it has ended.
    """
    path = state_path(environ, request.window_id)
    if path is None:
        raise CannotLaunch("there is no folder for its state")
    over_ms = (request.timestamp_ms or 0) + int(1000 * (2 * order.timeout_seconds + SLACK_SECONDS))
    text = write(meant, event, InBackground(path, environ.get("NODE_NAME"), over_ms))
    sweep(os.path.dirname(path))
    try:
        _launch(path, text, order._replace(directory=os.getcwd()), environ)
    except OSError as error:
        raise CannotLaunch(f"{type(error).__name__}: {error.strerror or error}") from None
    return text


def _launch(path: str, text: str, order: Order, environ: Mapping[str, str]) -> None:
    state = StateFile.create(path, text)
    try:
        if LOCK_IS_INHERITED:
            _start(["--descriptor", str(state.descriptor)], order, environ, state.descriptor)
        else:
            state.close()
            _start([path], order, environ, None)
    except (OSError, CannotLaunch):
        state.remove()
        raise
    state.close()


def _start(arguments: list[str], order: Order, environ: Mapping[str, str], descriptor: int | None) -> None:
    process = _detached([*_program(), "background", *arguments], environ, descriptor)
    try:
        assert process.stdin is not None
        # Small enough for any pipe's buffer: nobody waits until the interpreter has come up.
        process.stdin.write(json.dumps(order._asdict()).encode())
        process.stdin.close()
        if descriptor is None:
            _await_acknowledgement(process, order.timeout_seconds * ACKNOWLEDGE_SHARE)
    except (OSError, CannotLaunch):
        # It must not deliver behind the back of whoever sends the marker now.
        process.kill()
        process.wait()
        raise


def _detached(command: list[str], environ: Mapping[str, str], descriptor: int | None) -> subprocess.Popen[bytes]:
    settings: dict[str, Any] = {
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE if descriptor is None else subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": os.path.abspath(os.sep),
        "env": dict(environ),
    }
    if sys.platform != "win32":
        # A session of its own: no terminal's or process group's signal reaches it. JENKINS_NODE_COOKIE stays as it is, so Jenkins ends
        # it with the node block, as it must: nothing of a build's may outlive the build.
        return subprocess.Popen(command, start_new_session=True, pass_fds=() if descriptor is None else (descriptor,), **settings)
    flags = _DETACHED_PROCESS | _NEW_PROCESS_GROUP
    try:
        return subprocess.Popen(command, creationflags=flags | _BREAKAWAY_FROM_JOB, **settings)
    except PermissionError:
        return subprocess.Popen(command, creationflags=flags, **settings)


def _await_acknowledgement(process: subprocess.Popen[bytes], seconds: float) -> None:
    assert process.stdout is not None
    stdout, said = process.stdout, []
    # On a thread: reading from a pipe knows no time limit that works on Windows, too.
    reader = threading.Thread(target=lambda: said.append(stdout.read(1)), daemon=True)
    reader.start()
    reader.join(seconds)
    if said != [b"."]:
        raise CannotLaunch("the process did not come up")


def _program() -> list[str]:
    """The command line of this very engine, without its arguments."""
    bundle = getattr(sys.modules.get("__main__"), "BUNDLE", None)
    if not sys.executable:
        raise CannotLaunch("the interpreter does not know where it is")
    if isinstance(bundle, str):
        return [sys.executable, "-I", "-S", bundle]
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return [sys.executable, "-c", _FROM_PACKAGE, package]
