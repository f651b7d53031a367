"""The state file of one start in the background: who is at work on the marker, and what became of it.

Whoever works on the marker holds the file's lock. The kernel lets go of it when a process ends, however it ends, so "locked" says "at
work", and no process number is needed that could mean another process by now, or one of another container.

Its first line is the marker as it is kept (:func:`last9_markers.pending.write`), each further line a JSON object: a fate, or the recall.
Lines are only ever appended, each with one write; half a line, as a full disk leaves it, is none. There is no secret in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from last9_markers import leftovers

#: How often a lock is tried while it is waited for; flock itself knows no time limit.
POLL_SECONDS = 0.02

_NAME = re.compile(r"background-[0-9A-Za-z-]{8,64}\.jsonl")
_RECALL = {"recalled": True}


class Fate(NamedTuple):
    """What became of a start. ``refused``: Last9 will never take it. ``reason``: the finished sentence where it was not delivered."""

    delivered: bool
    refused: bool = False
    reason: str | None = None
    warnings: tuple[str, ...] = ()


class StateFile:
    """One open state file. Every method but :meth:`create` and :meth:`open` works on the open file, whatever becomes of its name."""

    def __init__(self, path: str, descriptor: int) -> None:
        """Take over an open descriptor; it is closed by :meth:`close`, or by the end of the process."""
        self.path = path
        self.descriptor = descriptor
        self._first: bytes | None = None

    @classmethod
    def create(cls, path: str, text: str) -> StateFile:
        """Make the file, locked, with the kept marker in it. Raises ``OSError``: also where there is one, or files cannot be locked."""
        state = cls(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600))
        try:
            if not state.try_lock():
                raise BlockingIOError("locked by somebody else")
            state._append_line(text)
        except OSError:
            state.remove()
            raise
        return state

    @classmethod
    def open(cls, path: str) -> StateFile | None:
        """The file of that name, not locked yet; ``None`` where there is none that can be read."""
        try:
            return cls(path, os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0)))
        except (OSError, ValueError):
            return None

    # -- the lock --------------------------------------------------------------------------------------------------------------

    def try_lock(self) -> bool:
        """Take the lock if nobody has it. Raises ``OSError`` where the file system has no locks."""
        try:
            _lock(self.descriptor)
        except BlockingIOError:
            return False
        return True

    def lock_within(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> bool:
        """Take the lock, waiting that long for whoever has it. A file that can no longer be locked counts as locked."""
        until = monotonic() + seconds
        try:
            while not self.try_lock():
                if monotonic() >= until:
                    return False
                time.sleep(POLL_SECONDS)
        except OSError:
            return False
        return True

    # -- the lines -------------------------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The marker as it is kept; empty where the file is broken."""
        lines = self._lines()
        return lines[0] if lines else ""

    def fate(self) -> Fate | None:
        """The last fate that was written, ``None`` if there is none. Only whoever holds the lock can be sure that it is the last."""
        fates = [found for found in map(_object, self._lines()[1:]) if isinstance(found.get("delivered"), bool)]
        if not fates:
            return None
        found = fates[-1]
        reason, warnings = found.get("reason"), found.get("warnings")
        return Fate(
            delivered=found["delivered"],
            refused=found.get("refused") is True,
            reason=reason if isinstance(reason, str) else None,
            warnings=tuple(text for text in warnings if isinstance(text, str)) if isinstance(warnings, list) else (),
        )

    def tell(self, fate: Fate) -> None:
        """Write what became of the marker. Where that fails it is unknown, and the marker is sent again."""
        self._say(fate._asdict())

    def recall(self) -> None:
        """Ask whoever works on the marker to let go of it: :meth:`is_wanted` becomes false."""
        self._say(_RECALL)

    def is_wanted(self) -> bool:
        """Whether the file still has its name and nobody has written to it since it was made: what the process in the background
        looks at to know whether anybody still waits for it. A removed workspace and a recall look the same to it."""
        status = os.fstat(self.descriptor)
        if self._first is None:
            self._first = self._bytes().partition(b"\n")[0] + b"\n"
        return status.st_nlink > 0 and status.st_size == len(self._first)

    # -- the end ---------------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the file and of the lock, unless another process has inherited them."""
        descriptor, self.descriptor = self.descriptor, -1
        try:
            os.close(descriptor)
        except OSError:
            return

    def remove(self) -> None:
        """Close the file (Windows removes no open ones) and remove it."""
        self.close()
        try:
            os.unlink(self.path)
        except OSError:
            return

    # -- the bytes -------------------------------------------------------------------------------------------------------------

    def _lines(self) -> list[str]:
        whole, _, _half = self._bytes().rpartition(b"\n")
        return whole.decode("utf-8", "replace").split("\n") if whole else []

    def _bytes(self) -> bytes:
        read = b""
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        while True:
            chunk = os.read(self.descriptor, 65536)
            if not chunk:
                return read
            read += chunk

    def _say(self, content: Any) -> None:
        try:
            # The line break before it ends the half line of somebody who was killed or found the disk full.
            self._append_line("\n" + json.dumps(content))
        except OSError:
            return

    def _append_line(self, text: str) -> None:
        line = text.encode("ascii", "backslashreplace") + b"\n"
        if os.write(self.descriptor, line) != len(line):
            raise OSError("the disk is full")


def sweep(folder: str) -> None:
    """Remove the state files of windows that nobody came back for. Never fails."""
    for path in leftovers.find(folder, _NAME):
        with contextlib.suppress(OSError):
            os.unlink(path)


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


if sys.platform == "win32":
    import msvcrt

    #: Locks are mandatory there: far behind the end of the file it keeps nobody from reading or appending.
    _LOCK_AT = 1 << 30

    def _lock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCK_AT, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            # Its error number says no more (Wine's is left over from an earlier call): whatever it is, the lock is not ours.
            raise BlockingIOError(str(error)) from None

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        # Of the open file, not of the process: a child that inherits the descriptor goes on holding it when its parent has ended.
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
