"""What one run delivers to one destination, and in which order. A marker's failure never affects another marker."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from last9_markers.client.delivery import Delivery
from last9_markers.core.clock import Budget
from last9_markers.core.errors import DeliveryError, got_no_answer
from last9_markers.marker.pending import OutboxEntry
from last9_markers.request.time_limits import SHORT_SECONDS

#: Of the time that is left, what the start of the same window may take before its stop.
_SHARE_OF_START = 0.5


class Round:
    """Delivers one's own marker at its own time; before it the start of its window, if that is still kept; after it the other kept ones.

    ``report`` gets each pending marker that has failed, if that is worth a line: its failure is in the marker.
    """

    def __init__(self, delivery: Delivery, budget: Budget, report: Callable[[OutboxEntry], None]) -> None:
        self._delivery = delivery
        self._budget = budget
        self._report = report

    def run(self, own: OutboxEntry, kept: list[OutboxEntry], window: str | None) -> None:
        """Deliver them. ``window`` is the id of the one that the own marker ends, if it does.

        Raises the own marker's :exc:`~last9_markers.core.errors.DeliveryError`; what becomes of the others is at them.
        """
        # What the exchange costs it costs the own marker, which needs it as well: if there is none, nothing is left to be tried.
        self._delivery.begin(own)
        start = next((entry for entry in kept if window is not None and entry.start_of == window), None)
        if start is not None:
            self._deliver_start(start)
        failure: DeliveryError | None = None
        try:
            self._delivery.deliver(own)
        except DeliveryError as error:
            failure = error
        self._deliver_others([entry for entry in kept if entry is not start])
        if failure is not None:
            raise failure

    def _deliver_start(self, start: OutboxEntry) -> None:
        try:
            with self._budget.within(self._budget.remaining() * _SHARE_OF_START):
                self._delivery.deliver(start)
        except DeliveryError:
            self._report(start)

    def _deliver_others(self, others: list[OutboxEntry]) -> None:
        """One short attempt each. One that gets no answer ends it: the next would most likely wait as long."""
        for entry in sorted(others, key=attrgetter("failures")):
            if not self._delivery.has_access or not self._budget.remaining():
                return
            try:
                with self._budget.within(SHORT_SECONDS, once=True, firmly=True):
                    self._delivery.deliver(entry)
            except DeliveryError as failure:
                if entry.settled:
                    self._report(entry)
                elif got_no_answer(failure):
                    return
