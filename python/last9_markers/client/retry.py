"""Retries with backoff. Loaded only after a first failure, because backoff imports asyncio (25 ms)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Generator
from itertools import chain, repeat
from typing import Any, TypeVar

import backoff

from last9_markers.core.clock import Budget
from last9_markers.core.errors import DeadlineExceeded, RateLimited, Transient
from last9_markers.core.log import BuildLog
from last9_markers.messages import progress

T = TypeVar("T")

#: Seconds before each retry of a network error or a 5xx: after them it is given up.
BACKOFF = (0.5, 1.0, 2.0)
#: Seconds at most before each retry of a 429, for as long as the budget lasts: the token endpoint answers so to a crowd (observed).
RATE_LIMIT_BACKOFF = (0.5, 1.0, 2.0)
RATE_LIMIT_BACKOFF_THEN = 4.0
#: Between which shares of such a pause the crowd spreads. Fifty engines that begin together, at five exchanges a second, are all through
#: after 14 s at most; with a quarter of jitter, two runs in five lost a marker after 30 s (simulated, 300 runs each).
RATE_LIMIT_JITTER = (0.25, 1.0)
#: Share of a plain pause that is added at random.
JITTER = 0.25


def retry_call(call: Callable[[], T], failure: Transient, budget: Budget, log: BuildLog | None = None) -> T:
    """Repeat ``call``, whose first try ended in ``failure``, until it succeeds, fails for good, or the budget ends.

    The budget is kept by the pauses and not by backoff's ``max_time``, which counts on the wall clock. Raises the last failure: that
    the time is over, as it may be after a pause on a busy machine, says less than what it was spent on.
    """
    first, last = [failure], failure

    def on_backoff(details: Any) -> None:
        if log is not None:
            log.debug(progress.pause(details["wait"], budget.remaining()))

    @backoff.on_exception(pauses, Transient, jitter=None, logger=None, budget=budget, on_backoff=on_backoff)
    def attempt() -> T:
        nonlocal last
        if first:
            raise first.pop()
        try:
            return call()
        except Transient as again:
            last = again
            raise
        except DeadlineExceeded:
            raise last from None

    return attempt()


def pauses(budget: Budget) -> Generator[float, Any, None]:
    """Seconds to wait after each failure that is sent in. Ends when a retry is useless."""
    plain = iter(BACKOFF)
    crowded = chain(RATE_LIMIT_BACKOFF, repeat(RATE_LIMIT_BACKOFF_THEN))
    failure = yield 0.0  # what backoff starts the generator with
    while True:
        asked = failure.retry_after or 0.0
        if isinstance(failure, RateLimited):
            pause = asked + next(crowded) * random.uniform(*RATE_LIMIT_JITTER)
        else:
            pause = max(asked, next(plain, math.inf)) * (1 + JITTER * random.random())
        if pause >= budget.remaining():
            return
        failure = yield pause
