"""The two clocks, and the time limit of one marker."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Clock(Protocol):
    """What the engine asks of time; tests put a clock of their own in its place."""

    def monotonic(self) -> float:
        """Seconds that only ever grow: what budgets and lifetimes are counted on."""

    def wall(self) -> float:
        """Seconds since 1970, as right as the agent's clock is: only for what others say in wall time."""


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        """Seconds of the system's monotonic clock."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since 1970."""
        return time.time()


class Budget:
    """The time that one run may take, over everything: connecting, the exchange, the events, every retry and pause."""

    def __init__(self, clock: Clock, seconds: float, *, once: bool = False) -> None:
        """It begins now. ``once``: nothing is retried."""
        self.clock = clock
        self.seconds = seconds
        self.once = once
        self.ends_at = clock.monotonic() + seconds
        self._last_end = self.ends_at

    @classmethod
    def of(cls, seconds: float, clock: Clock) -> Budget:
        """A budget of that many seconds that begins now."""
        return cls(clock, seconds)

    def charge(self, seconds: float) -> None:
        """So much of it was spent before it began."""
        self.ends_at -= seconds
        self._last_end -= seconds

    def grant(self, seconds: float) -> None:
        """Another part of the run begins, with this many seconds of its own instead of the rest. Not inside of :meth:`within`."""
        self.seconds = seconds
        self.ends_at = self._last_end = self.clock.monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left; never less than 0."""
        return max(0.0, self.ends_at - self.clock.monotonic())

    def left_in_all(self) -> float:
        """Seconds until the run must end, without regard to :meth:`within`; never less than 0."""
        return max(0.0, self._last_end - self.clock.monotonic())

    def attempt_timeout(self) -> float:
        """Seconds that one network operation may wait.

        Half the budget at most: a connection that went dead must leave room for a second try, if there is to be one.
        """
        return self.remaining() if self.once else min(self.remaining(), self.seconds / 2)

    @contextmanager
    def within(self, seconds: float, *, once: bool = False, firmly: bool = False) -> Iterator[None]:
        """The code inside has this many seconds at most, and with ``once`` a single attempt.

        ``firmly``: if it does not keep to that, the run ends with it. Otherwise it may cost more, up to the end of the run.
        """
        before = self.seconds, self.ends_at, self._last_end, self.once
        self.seconds = min(self.seconds, seconds)
        self.ends_at = min(self.ends_at, self.clock.monotonic() + seconds)
        self.once = self.once or once
        if firmly:
            self._last_end = self.ends_at
        try:
            yield
        finally:
            self.seconds, self.ends_at, self._last_end, self.once = before
