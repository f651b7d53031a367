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
    """Calls ``last_word`` and ends the process with exit code 0, unless it is called off in time."""

    def __init__(self, seconds: float, last_word: Callable[[], object], end: Callable[[int], object] = os._exit) -> None:
        self._called_off = threading.Event()
        self._seconds = seconds + GRACE_SECONDS
        self._last_word = last_word
        self._end = end
        threading.Thread(target=self._watch, name="last9-watchdog", daemon=True).start()

    def call_off(self) -> None:
        """The work is done: the process may end by itself."""
        self._called_off.set()

    def _watch(self) -> None:
        if not self._called_off.wait(self._seconds):
            try:
                self._last_word()
            finally:
                self._end(0)
