"""Sends events to Last9: within the time limit, each exactly as it was first composed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from last9_markers.client.api import AccessToken, Last9
from last9_markers.core.clock import Budget
from last9_markers.core.errors import AuthenticationRefused, DeliveryError, Transient, is_final
from last9_markers.core.log import BuildLog
from last9_markers.marker.pending import DELIVERED, REFUSED, OutboxEntry
from last9_markers.request.destination import Destination

T = TypeVar("T")


class Delivery:
    """Sends markers to one destination. One access token serves as many as it lasts for."""

    def __init__(self, api: Last9, refresh_token: str, destination: Destination, budget: Budget, log: BuildLog) -> None:
        self._api = api
        self._log = log
        self._refresh_token = refresh_token
        self._destination = destination
        self._budget = budget
        self._access_token: AccessToken | None = None

    @property
    def has_access(self) -> bool:
        """Whether there is an access token: if not, the last exchange has failed."""
        return self._access_token is not None

    def begin(self, entry: OutboxEntry) -> None:
        """Exchange the token for that marker's sake. Raises a :exc:`~last9_markers.core.errors.DeliveryError`, which is its failure."""
        with _trying(entry):
            self.access_token()

    def deliver(self, entry: OutboxEntry) -> None:
        """Send one marker. Raises a :exc:`~last9_markers.core.errors.DeliveryError`, which is its failure."""
        with _trying(entry):
            try:
                self._put(entry)
            except AuthenticationRefused as refusal:
                if refusal.exchanging:
                    raise
                # The token may have been revoked or have run out on the way: one fresh one, and no more.
                self._access_token = None
                self._put(entry)
            entry.end = DELIVERED

    def access_token(self) -> AccessToken:
        """The access token, exchanged now unless there is one that still lasts. Raises :exc:`DeliveryError`."""
        token = self._access_token
        if token is None or not self._api.is_usable(token):
            self._access_token = None
            token = self._access_token = self._with_retries(lambda: self._api.exchange(self._refresh_token))
        return token

    def current_token(self) -> AccessToken | None:
        """The access token that was used last, without asking for one."""
        return self._access_token

    def _put(self, entry: OutboxEntry) -> None:
        token = self.access_token()
        event = entry.event or b""
        self._with_retries(lambda: self._api.send(self._destination.organization, token, event))

    def _with_retries(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except Transient as failure:
            if self._budget.once:
                raise
            from last9_markers.client import retry

            return retry.retry_call(call, failure, self._budget, self._log)


@contextmanager
def _trying(entry: OutboxEntry) -> Iterator[None]:
    """Notes its result, so that the watchdog knows it if it ends the run meanwhile."""
    entry.tried = True
    try:
        yield
    except DeliveryError as failure:
        entry.failure = failure
        if is_final(failure):
            entry.end = REFUSED
        raise
