"""Closes windows that earlier builds of the job left open, after the run's own markers, so that these are not delayed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping

from last9_markers.client import api, transport
from last9_markers.client.delivery import Delivery
from last9_markers.core.clock import Budget
from last9_markers.core.errors import DeliveryError, is_outage
from last9_markers.core.log import BuildLog
from last9_markers.marker.left_open import Judge, Leftovers
from last9_markers.messages import failures
from last9_markers.request.context import Context
from last9_markers.request.destination import Destination
from last9_markers.request.time_limits import SHORT_SECONDS


class Closings:
    """One attempt for each window, all of them in a short time. One that gets no answer ends it: the next marker goes on."""

    def __init__(self, judge: Judge, budget: Budget, log: BuildLog, deliveries: Callable[[Destination], Delivery]) -> None:
        """``deliveries`` gives what delivers to a destination, the run's own included."""
        self._judge = judge
        self._budget = budget
        self._log = log
        self._deliveries = deliveries

    def run(self, leftovers: Leftovers, now_ms: int, about: Callable[[], failures.FailureContext]) -> None:
        """Close what can be closed. Raises nothing that a delivery may raise; ``about`` is what a warning may name."""
        with self._budget.within(SHORT_SECONDS, once=True, firmly=True):  # for all of them: a deployment waits for its start
            for left in leftovers.open():
                if not self._budget.remaining():
                    return
                self._judge.prepare(left, now_ms)
                if left.destination is None or left.window is None:
                    continue
                delivery = self._deliveries(left.destination)
                try:
                    delivery.deliver(left.entry)
                except DeliveryError as failure:
                    if is_outage(failure):
                        return
                    if not delivery.has_access:
                        left.entry.end = None  # not the stop was refused but the credential, which may be renewed
                    if left.entry.settled or not delivery.has_access:
                        failure.detail = self._log.redactor.clean(failure.detail)
                        where = left.destination
                        there = about()._replace(organization=where.organization, host=where.base_url.host)
                        self._judge.refuse(left, failures.explain(failure, there))
                    if not delivery.has_access:
                        return


class Carriers(contextlib.ExitStack):
    """What delivers to each destination; those that are not ``known`` get a connection for the purpose, closed at the end."""

    def __init__(self, known: Mapping[tuple[str, str, str], Delivery], token: str, context: Context, budget: Budget) -> None:
        super().__init__()
        self._known = dict(known)
        self._token = token
        self._context = context
        self._budget = budget

    def to(self, destination: Destination) -> Delivery:
        """The delivery to that destination."""
        known = self._known.get(destination.key())
        if known is None:
            context = self._context
            connection = transport.HttpConnection(destination.base_url, context.environ, self._budget, context.log, context.transport)
            self.callback(connection.close)
            last9 = api.Last9(connection, context.clock, context.log.redactor)
            known = self._known[destination.key()] = Delivery(last9, self._token, destination, self._budget, context.log)
        return known
