"""The two clocks and the time budget of one marker."""

from __future__ import annotations

import time
from typing import NamedTuple, Protocol


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


class Budget(NamedTuple):
    """The time that one marker may take, over everything: connecting, the exchange, the event, every retry and pause."""

    clock: Clock
    seconds: float
    ends_at: float

    @classmethod
    def of(cls, seconds: float, clock: Clock) -> Budget:
        """A budget of that many seconds that begins now."""
        return cls(clock, seconds, clock.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left; never less than 0."""
        return max(0.0, self.ends_at - self.clock.monotonic())

    def attempt_timeout(self) -> float:
        """Seconds that one network operation may wait.

        Half the budget at most: a connection that went dead must leave room for a second try.
        """
        return min(self.remaining(), self.seconds / 2)
