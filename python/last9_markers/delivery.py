"""Brings events to Last9: within the budget, each exactly as it was first composed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from last9_markers.api import AccessToken, Last9
from last9_markers.clock import Budget
from last9_markers.destination import Destination
from last9_markers.errors import AuthenticationRefused, NotDelivered, Transient, is_final
from last9_markers.journal import Journal
from last9_markers.pending import DELIVERED, REFUSED, Outgoing

T = TypeVar("T")


class Delivery:
    """Sends markers to one destination. One access token serves as many as it lasts for."""

    def __init__(self, api: Last9, refresh_token: str, destination: Destination, budget: Budget, journal: Journal) -> None:
        self._api = api
        self._journal = journal
        self._refresh_token = refresh_token
        self._destination = destination
        self._budget = budget
        self._access_token: AccessToken | None = None

    @property
    def has_access(self) -> bool:
        """Whether there is an access token: if not, the last exchange has failed."""
        return self._access_token is not None

    def begin(self, outgoing: Outgoing) -> None:
        """Exchange the token for that marker's sake. Raises a :exc:`~last9_markers.errors.NotDelivered`, which is its failure."""
        with _trying(outgoing):
            self.access_token()

    def deliver(self, outgoing: Outgoing) -> None:
        """Send one marker. Raises a :exc:`~last9_markers.errors.NotDelivered`, which is its failure."""
        with _trying(outgoing):
            try:
                self._put(outgoing)
            except AuthenticationRefused as refusal:
                if refusal.exchanging:
                    raise
                # The token may have been revoked or have run out on the way: one fresh one, and no more.
                self._access_token = None
                self._put(outgoing)
            outgoing.end = DELIVERED

    def access_token(self) -> AccessToken:
        """The access token, exchanged now unless there is one that still lasts. Raises a :exc:`~last9_markers.errors.NotDelivered`."""
        token = self._access_token
        if token is None or not self._api.is_usable(token):
            self._access_token = None
            token = self._access_token = self._persistently(lambda: self._api.exchange(self._refresh_token))
        return token

    def _put(self, outgoing: Outgoing) -> None:
        token = self.access_token()
        event = outgoing.event or b""
        self._persistently(lambda: self._api.send(self._destination.organization, token, event))

    def _persistently(self, call: Callable[[], T]) -> T:
        try:
            return call()
        except Transient as failure:
            if self._budget.once:
                raise
            from last9_markers import retry

            return retry.again(call, failure, self._budget, self._journal)


@contextmanager
def _trying(outgoing: Outgoing) -> Iterator[None]:
    """Notes what becomes of it, so that whoever ends the run meanwhile knows."""
    outgoing.tried = True
    try:
        yield
    except NotDelivered as failure:
        outgoing.failure = failure
        if is_final(failure):
            outgoing.end = REFUSED
        raise
