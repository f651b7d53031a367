"""Whether Last9 answers, for the next runs of the same build and agent, or of the same state file.

Only the first marker of an outage takes its full time limit. While the outage lasts, each marker gets one short attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from last9_markers.request.contract import whole
from last9_markers.request.destination import Destination

#: How long an outage holds if no marker gets through before.
HOLDS_MS = 120_000


class Outages:
    """The outages that hold at ``now_ms``. What cannot be read, is over, or lies further ahead than any outage does is none."""

    def __init__(self, found: Mapping[str, Any], now_ms: int) -> None:
        self._now_ms = now_ms
        moments = {name: whole(until) for name, until in found.items()}
        self._until = {name: until for name, until in moments.items() if until and now_ms < until <= now_ms + HOLDS_MS}

    def holds(self, destination: Destination) -> bool:
        """Whether that Last9 was given up a short time ago."""
        return _name(destination) in self._until

    def begin(self, destination: Destination) -> bool:
        """A marker was given up because there was no answer. Returns whether the outage is new: one that lasts already is not prolonged."""
        if self.holds(destination):
            return False
        self._until[_name(destination)] = self._now_ms + HOLDS_MS
        return True

    def end(self, destination: Destination) -> None:
        """A marker got through."""
        self._until.pop(_name(destination), None)

    def fields(self) -> dict[str, int]:
        """What is handed on; empty if there is none."""
        return dict(self._until)


def _name(destination: Destination) -> str:
    return " ".join(destination.key())
