"""Ends the process when its time is over.

The HTTP client's own limits are for single operations: a server that drips its headers and a name resolution that hangs in the C
library escape them. So our own thread measures the whole time limit, answers at its end, and ends the process.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable

from last9_markers.request.time_limits import GRACE_SECONDS

#: Seconds between its looks: a budget may become shorter and longer on the way.
_LOOK_SECONDS = 0.1
#: The exit code if even that answer fails (sysexits' EX_SOFTWARE): never 0, which would mean success.
DIED = 70


class Watchdog:
    """Calls ``on_timeout`` and ends the process with the exit code that it returns, unless it is called off in time.

    ``remaining`` says how many seconds are left: :meth:`last9_markers.core.clock.Budget.left_in_all`.
    """

    def __init__(
        self, remaining: Callable[[], float], on_timeout: Callable[[], int], end: Callable[[int], object] = os._exit, died: int = DIED
    ) -> None:
        """``died`` is the exit code if ``on_timeout`` raises."""
        self._died = died
        self._cancelled = threading.Event()
        self._remaining = remaining
        self._on_timeout = on_timeout
        self._end = end
        # If no thread can be started, the work is done without: the HTTP client and the launcher have time limits of their own.
        with contextlib.suppress(RuntimeError):
            threading.Thread(target=self._watch, name="last9-watchdog", daemon=True).start()

    def cancel(self) -> None:
        """The work is done: the process may end by itself."""
        self._cancelled.set()

    def _watch(self) -> None:
        while True:
            left = self._remaining()
            if self._cancelled.wait(min(left, _LOOK_SECONDS) if left else GRACE_SECONDS):
                return
            if not left and not self._remaining():
                break
        code = self._died
        try:
            code = self._on_timeout()
        finally:
            self._end(code)
