"""Ends the process when its time is over.

The HTTP client's own limits are for single operations: a server that drips its headers and a name resolution that hangs in the C
library escape them. So a thread of our own counts the whole budget, has the last word, and ends the process.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

#: What an orderly end at the very last moment may take beyond a marker's own time limit.
GRACE_SECONDS = 0.3
#: The exit code if even the last word fails (sysexits' EX_SOFTWARE): never 0, which would say that all is well.
DIED = 70


class Watchdog:
    """Calls ``last_word`` after ``seconds`` and ends the process with the exit code that it returns, unless it is called off in time."""

    def __init__(
        self, seconds: float, last_word: Callable[[], int], end: Callable[[int], object] = os._exit, died: int = DIED
    ) -> None:
        """``died`` is the exit code if ``last_word`` raises."""
        self._died = died
        self._called_off = threading.Event()
        self._seconds = seconds
        self._last_word = last_word
        self._end = end
        threading.Thread(target=self._watch, name="last9-watchdog", daemon=True).start()

    def call_off(self) -> None:
        """The work is done: the process may end by itself."""
        self._called_off.set()

    def _watch(self) -> None:
        if not self._called_off.wait(self._seconds):
            code = self._died
            try:
                code = self._last_word()
            finally:
                self._end(code)
