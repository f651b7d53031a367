"""Whether the deployment is being aborted, and how much time is left then.

Jenkins ends a build's process tree children first, then their parents, and kills the rest after 5 s (core's ``ProcessTree``). So in
an abort the command may die before our own signal comes, and from then on there is little time.
"""

from __future__ import annotations

import contextlib
import subprocess
import time

from last9_markers.cli.shared import exit_codes
from last9_markers.cli.window.signals import ABORTING, ReceivedSignal, Signals

#: From the first sign of an abort to the end of the stop.
LAST_SECONDS = 4.0
#: How long an aborted command may take to end before the stop is sent without waiting for it.
GRACE_SECONDS = 1.5
#: Signals that come closer together are one: ``timeout`` sends its own twice, to us and to our group.
_SAME_SIGNAL_SECONDS = 0.3
#: A shell whose child was ended by such a signal exits with one of these.
CODES = tuple(exit_codes.of_signal(number) for number in ABORTING)


class Abort:
    """Takes the signals as they come: passes them on to the command, and counts those that abort."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals
        self._at = 0.0
        #: The command, while it runs.
        self.child: subprocess.Popen[bytes] | None = None
        #: The first signal that aborts.
        self.number: int | None = None
        #: When everything must have ended, on the monotonic clock.
        self.ends_at: float | None = None
        #: A second signal has come: no more words.
        self.given_up = False

    def wait(self, process: subprocess.Popen[bytes] | None, seconds: float | None) -> None:
        """Until a signal has come and is dealt with, the process has ended, or the time is over."""
        received = self._signals.wait(process, seconds)
        if received is not None:
            self._take(received)

    def expect(self, seconds: float) -> None:
        """One of our processes was ended, and we may be next: wait that long for the signal."""
        until = time.monotonic() + seconds
        while self.number is None and time.monotonic() < until:
            self.wait(None, until - time.monotonic())

    def start_deadline(self) -> None:
        """From now on there are four seconds."""
        if self.ends_at is None:
            self.ends_at = time.monotonic() + LAST_SECONDS

    @property
    def remaining(self) -> float | None:
        """Seconds until an aborted command has had its time to end; ``None`` without an abort."""
        return None if self.number is None else max(0.0, self._at + GRACE_SECONDS - time.monotonic())

    def _take(self, received: ReceivedSignal) -> None:
        repeated = received.number == self.number and time.monotonic() - self._at < _SAME_SIGNAL_SECONDS
        if self.child is not None and self.child.poll() is None and not received.by_terminal and not repeated:
            with contextlib.suppress(OSError):
                self.child.send_signal(received.number)
        if received.number not in ABORTING or repeated:
            return
        self.given_up = self.number is not None
        if self.number is None:
            self.number, self._at = received.number, time.monotonic()
            self.start_deadline()
