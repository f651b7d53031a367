"""Ends the process when its time is over.

The HTTP client's own limits are for single operations: a server that drips its headers and a name resolution that hangs in the C
library escape them. So a thread of our own counts the whole budget, has the last word, and ends the process.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

#: What an orderly end at the very last moment may still take before the process is ended the hard way.
GRACE_SECONDS = 0.3


class Watchdog:
    """Calls ``on_timeout`` and ends the process with exit code 0, unless it is called off in time."""

    def __init__(
        self,
        seconds: float,
        on_timeout: Callable[[], object],
        end: Callable[[int], object] = os._exit,
        *,
        remaining: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """``remaining`` is asked when the time is over: the seconds of a part of the work that has a time limit of its own."""
        self._cancelled = threading.Event()
        self._seconds = seconds
        self._remaining = remaining
        self._on_timeout = on_timeout
        self._end = end
        threading.Thread(target=self._watch, name="last9-watchdog", daemon=True).start()

    def cancel(self) -> None:
        """The work is done: the process may end by itself."""
        self._cancelled.set()

    def _watch(self) -> None:
        left = self._seconds
        while not self._cancelled.wait(left + GRACE_SECONDS):
            left = self._remaining()
            if left > 0:
                continue
            try:
                self._on_timeout()
            finally:
                self._end(0)
            return
