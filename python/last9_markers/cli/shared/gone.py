"""Windows whose ``window`` process was killed: which ones, and the stop that they can no longer send.

A process holds a lock beside the state file while its window is open. The system frees it at every end of the process, so a free lock means
that the process is gone; if it cannot be asked (another machine, a reboot, a file system without locks), a day has to pass.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import socket
import time
from collections.abc import Collection, Mapping
from typing import Any

from last9_markers.core import safe_files
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.request.contract import whole
from last9_markers.request.options import is_dry_run

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: After so long a window closes whose process cannot be asked for.
LONGEST_MS = 86_400_000
#: A process that looks for locks that no process holds has one for a moment, and may remove it.
_TRIES = 20
_PAUSE_SECONDS = 0.01
#: Bytes of a lock: the number of the command's process, and when that began.
_LONGEST_LOCK = 100
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
#: What the stop says of the build that it belongs to.
_FACTS = ("JOB_NAME", "BUILD_NUMBER", "BUILD_URL", "NODE_NAME")


class Presence:
    """The lock that says that this process is there, from when it is made until :meth:`end`."""

    def __init__(self, state: str, window_id: str) -> None:
        self._path = _lock_of(state, window_id)
        self._descriptor: int | None = None
        self._names_command = False
        #: What tells the lock from a copy of it; ``None`` if there is no lock: then a day has to pass.
        self.file: int | None = None
        with contextlib.suppress(OSError):
            for _ in range(_TRIES):
                self._take()
                if self.file is not None or fcntl is None:
                    return
                time.sleep(_PAUSE_SECONDS)

    def _take(self) -> None:
        # Not inherited: a command that leaves processes behind must not keep it.
        descriptor = self._descriptor = safe_files.descriptor(self._path, flags=os.O_RDWR | os.O_CREAT)
        if fcntl is None:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file = os.fstat(descriptor).st_ino
            if os.stat(self._path).st_ino == file:
                self.file = file
                return
        except FileNotFoundError:
            pass  # removed before we had it
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                self.end()
                raise
        os.close(descriptor)
        self._descriptor = None

    def runs(self, command: int) -> None:
        """Write down the number of the command's process: while it runs, the deployment goes on, even if this process is killed."""
        if self._descriptor is not None and not self._names_command:
            self._names_command = True
            with contextlib.suppress(OSError):
                os.write(self._descriptor, f"{command} {_began(command)}\n".encode())

    def end(self) -> None:
        """The window is closed."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            os.close(self._descriptor)
            self._descriptor = None


def note(request: str, window_id: str, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """What the state file keeps of an open window: its start's request and what its stop says of the build. ``None`` for a dry run."""
    from last9_markers.request import contract

    asked = contract.parse(request)
    if is_dry_run(asked, environ):
        return None
    facts = {name: environ[name] for name in _FACTS if environ.get(name)}
    return {
        "id": window_id,
        "startedAtMs": asked.timestamp_ms,
        "host": socket.gethostname(),
        "boot": _boot(),
        "request": asked.text,
        "build": facts,
    }


def is_gone(found: Mapping[str, Any], state: str, now_ms: int) -> bool:
    """Whether the process of that window is surely there no more, and its command neither."""
    if _command_runs(_lock_of(state, str(found.get("id")))):
        return False
    if now_ms - (whole(found.get("startedAtMs")) or 0) >= LONGEST_MS:
        return not _is_held(_lock_of(state, str(found.get("id"))))
    if fcntl is None or found.get("host") != socket.gethostname() or not _boot() or found.get("boot") != _boot():
        return False
    file = whole(found.get("lock"))
    return file is not None and _is_free(_lock_of(state, str(found.get("id"))), file)


def tidy(state: str, window_id: str) -> None:
    """Remove the lock of a process that is gone."""
    with contextlib.suppress(OSError):
        os.unlink(_lock_of(state, window_id))


def sweep(state: str, known: Collection[str]) -> None:
    """Remove the locks of processes that were killed before the file had their window. One that is just being made is held."""
    folder, beginning = os.path.split(_lock_of(state, ""))
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            window_id = name[len(beginning) :]
            if name.startswith(beginning) and window_id not in known and fcntl is not None and _is_free(_lock_of(state, window_id)):
                tidy(state, window_id)


def stop_of(found: Mapping[str, Any], now_ms: int, environ: Mapping[str, str]) -> str:
    """The stop of a window whose process is gone, as a pending marker. Neither its time nor its outcome is known: now, ``unknown``.

    Raises ``ValueError`` or one of the engine's errors if what was noted cannot be read.
    """
    from last9_markers.marker import left_open, pending
    from last9_markers.request import contract, routing
    from last9_markers.request.destination import credential_id
    from last9_markers.request.options import read_marker, read_settings

    noted = found.get("build")
    facts = {name: text for name, text in noted.items() if isinstance(text, str)} if isinstance(noted, dict) else {}
    request = contract.parse(str(found.get("request")))
    request = request._replace(options={**request.options, "eventState": "stop"})
    silent = BuildLog(io.StringIO(), Redactor())
    marker = read_marker(request, environ, silent)
    route = routing.resolve(request, environ)
    labels: dict[str, str | None] = {
        "jenkins.job_name": facts.get("JOB_NAME"),
        "jenkins.build_number": facts.get("BUILD_NUMBER"),
        "jenkins.build_url": facts.get("BUILD_URL"),
        "jenkins.node_name": facts.get("NODE_NAME"),
        "deployment.id": str(found.get("id")),
    }
    names = read_settings(request, environ, silent).attribute_names
    began_ms = whole(found.get("startedAtMs")) or 0
    composed = left_open.stop_event(marker, now_ms, began_ms, labels, route.data_source_name, names, silent)
    fields = {name: route.fields[name].value for name in ("orgSlug", "apiBaseUrl") if name in route.fields}
    recipient = pending.Recipient(credential_id(route.fields), fields.get("orgSlug"), fields.get("apiBaseUrl"))
    return pending.write(recipient, composed, killed=True)


def _lock_of(state: str, window_id: str) -> str:
    return f"{os.path.abspath(state)}.window-{window_id}"


def _is_free(path: str, file: int | None = None) -> bool:
    """Only if a lock was left there, and it can be had: a file that is missing says nothing, and neither does a place without locks.

    ``file``: nor does a copy of the lock, which no process ever held.
    """
    with contextlib.suppress(OSError):
        descriptor = safe_files.descriptor(path, flags=os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file is None or os.fstat(descriptor).st_ino == file
        finally:
            os.close(descriptor)
    return False


def _is_held(path: str) -> bool:
    if fcntl is None:
        return False
    try:
        descriptor = safe_files.descriptor(path, flags=os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    finally:
        os.close(descriptor)
    return False


def _command_runs(path: str) -> bool:
    try:
        process, began = safe_files.read(path, _LONGEST_LOCK).decode("ascii").split()
        return _began(int(process)) == began
    except (OSError, ValueError):
        return False


def _began(process: int) -> str:
    """When it began, as the system counts: tells it from a later one of the same number. Empty if it has ended, or nothing tells."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if len(fields) < 20 or fields[0] in "ZX" else fields[19]  # a process that only waits to be collected has ended


def _boot() -> str:
    try:
        with open(_BOOT_ID, encoding="ascii") as file:
            return file.read().strip()
    except (OSError, ValueError):
        return ""
