"""Ends the process when its time is over.

The HTTP client's own limits are for single operations: a server that drips its headers and a name resolution that hangs in the C
library escape them. So a thread of our own counts the whole budget, has the last word, and ends the process.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

#: How long before the limit of a run it has the last word, which must be written and read before the process is ended the hard way.
LEAD_SECONDS = 0.3
#: What an orderly end at the very last moment may take before that.
GRACE_SECONDS = 0.1
#: Seconds between its looks: a budget may become shorter and longer on the way.
_LOOK_SECONDS = 0.1


class Watchdog:
    """Calls ``last_word`` and ends the process with exit code 0, unless it is called off in time.

    ``remaining`` says how many seconds are left: :meth:`last9_markers.clock.Budget.left_in_all`.
    """

    def __init__(self, remaining: Callable[[], float], last_word: Callable[[], object], end: Callable[[int], object] = os._exit) -> None:
        self._called_off = threading.Event()
        self._remaining = remaining
        self._last_word = last_word
        self._end = end
        threading.Thread(target=self._watch, name="last9-watchdog", daemon=True).start()

    def call_off(self) -> None:
        """The work is done: the process may end by itself."""
        self._called_off.set()

    def _watch(self) -> None:
        while True:
            left = self._remaining()
            if self._called_off.wait(min(left, _LOOK_SECONDS) if left else GRACE_SECONDS):
                return
            if not left and not self._remaining():
                break
        try:
            self._last_word()
        finally:
            self._end(0)
