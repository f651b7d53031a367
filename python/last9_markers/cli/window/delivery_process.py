"""A process of our own that delivers one marker: ``last9-markers deliver``.

It holds the HTTP client, so that we stay small while the command runs. A stop that is being sent survives if we are ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from typing import Any

from last9_markers.cli.window.signals import ABORTING, Signals
from last9_markers.core import bundle, safe_files
from last9_markers.request.token import VARIABLE

#: Starts the installed package; the working directory, where Python would look first, may hold anything.
_INSTALLED = "import sys\nif sys.path[0] == '':\n    del sys.path[0]\nfrom last9_markers.cli.main import run\nrun()"


#: The longest that a messenger may live: one that ignores the signals of an abort outlives us, and no one else would end it.
_LIFETIME_SECONDS = 600.0


class SelfProgram:
    """This very program, to be started again, even if the command has removed or replaced the bundle (``git clean``, an update)."""

    def __init__(self) -> None:
        self._bundle = bundle.running()
        self._copy: str | None = None

    def command(self) -> list[str]:
        """How to start it. Raises ``OSError`` if that has become impossible."""
        if self._bundle is None:
            return [sys.executable, "-c", _INSTALLED]
        first = self._bundle.read("first.py").decode("ascii")
        return [sys.executable, "-I", "-S", "-c", first, self._whole(), self._bundle.digest, "", str(_LIFETIME_SECONDS), "2"]

    def tidy(self) -> None:
        """Remove the copy, if one was needed."""
        if self._copy:
            shutil.rmtree(os.path.dirname(self._copy), ignore_errors=True)
            self._copy = None

    def _whole(self) -> str:
        path: str = os.path.abspath(self._bundle.path)
        with contextlib.suppress(OSError):
            if safe_files.read(path, len(self._bundle.data)) == self._bundle.data:
                return path
        if self._copy is None:
            self._copy = os.path.join(tempfile.mkdtemp(prefix="last9-"), "last9-markers.pyz")
            safe_files.create(self._copy, self._bundle.data)
        return self._copy


class DeliveryProcess:
    """One delivery. It begins to load at once; its marker may be handed over a little later."""

    def __init__(
        self, program: SelfProgram, environ: Mapping[str, str], token: str | None, signals: Signals, *, quiet: bool, ignore_signals: bool
    ) -> None:
        """``ignore_signals``: it ignores the signals that abort, because the time limit is short and its marker is the last one.

        Raises ``OSError`` if it cannot be started.
        """

        def prepare() -> None:
            signals.restore()
            for number in ABORTING if ignore_signals else ():
                signal.signal(number, signal.SIG_IGN)

        secret = {} if token is None else {VARIABLE: token}
        # A descriptor of its own: what an interpreter prints by itself goes to stdout.
        self._answers, answering = _pipe() if os.name != "nt" else (-1, -1)
        target = [] if answering < 0 else ["--answer-to", str(answering)]
        try:
            words = [*program.command(), "deliver", *target, *(["--quiet"] if quiet else [])]
            self.process = subprocess.Popen(
                words,
                env={**environ, **secret},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE if answering < 0 else subprocess.DEVNULL,
                pass_fds=() if answering < 0 else (answering,),
                # The terminal's keys are for the command and for us: we decide what becomes of a delivery.
                start_new_session=True,
                preexec_fn=prepare if os.name != "nt" else None,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            if answering >= 0:
                os.close(self._answers)
            raise error if isinstance(error, OSError) else OSError(str(error)) from None
        finally:
            if answering >= 0:
                os.close(answering)
        self._answer = b""
        self._talk: threading.Thread | None = None

    def hand_over(self, request: str) -> None:
        """Hand over the request; the answer is read when it comes. If no thread can be started, the delivery ends without an answer."""
        talk = threading.Thread(target=self._converse, args=(request.encode(),), daemon=True)
        try:
            talk.start()
        except RuntimeError:
            self.end()
        else:
            self._talk = talk

    def answer(self) -> dict[str, Any] | None:
        """Its result; ``None`` if it ended without an answer."""
        if self._talk is not None:
            self._talk.join(1.0)
        try:
            # On Windows it comes on stdout: it is the last line there.
            found = json.loads(self._answer.rstrip().rpartition(b"\n")[2])
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def died_of(self) -> int | None:
        """The signal that has ended it, if one has."""
        code = self.process.poll()
        return -code if code is not None and code < 0 else None

    def end(self) -> None:
        """There is no more time for it."""
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()

    def _converse(self, request: bytes) -> None:
        asked = self.process.stdin
        answered = self.process.stdout if self._answers < 0 else os.fdopen(self._answers, "rb")
        with contextlib.suppress(OSError, ValueError):
            if asked is not None:
                with asked:
                    asked.write(request)
        with contextlib.suppress(OSError, ValueError):
            if answered is not None:
                with answered:
                    self._answer = answered.read()


def _pipe() -> tuple[int, int]:
    """A pipe whose ends are none of the three streams: if our parent has closed those, the child's would take its place."""
    import fcntl

    ends = os.pipe()
    try:
        return fcntl.fcntl(ends[0], fcntl.F_DUPFD_CLOEXEC, 3), fcntl.fcntl(ends[1], fcntl.F_DUPFD_CLOEXEC, 3)
    finally:
        for end in ends:
            os.close(end)
