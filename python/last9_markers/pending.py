"""Markers that are not with Last9 yet: what of this run is still to do, and how it is kept for the next one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from last9_markers import contract, routing
from last9_markers.credentials import Claims
from last9_markers.destination import (
    BaseUrl,
    Destination,
    read_base_url,
    resolve,
    resolve_base_url,
    resolve_organization,
)
from last9_markers.errors import CannotSend, RequestRejected, RequestUnreadable
from last9_markers.event import Event, encode
from last9_markers.journal import Journal
from last9_markers.wording import inputs

#: Marks the texts that the engine itself has written; a request that got no answer has ``contract`` instead.
VERSION = 1


class Outgoing:
    """One marker on its way. ``text`` is handed back for later unless it is ``delivered``, or ``dropped`` for good."""

    __slots__ = ("delivered", "dropped", "event", "failures", "index", "text")

    def __init__(self, text: str, index: int = -1, failures: int = 0) -> None:
        self.text = text
        #: Its place among the request's ``pending``, -1 for this run's own marker.
        self.index = index
        self.failures = failures
        self.event: bytes | None = None
        self.delivered = False
        self.dropped = False

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.delivered or self.dropped


class Outbox:
    """The markers of one run. The watchdog reads it from its own thread: so every change is a single assignment."""

    def __init__(self, kept: Sequence[contract.Kept], own: str) -> None:
        """``kept`` is from before, ``own`` is the request itself until there is an event."""
        self.kept = []
        seen: set[str] = set()
        for index, (text, failures) in enumerate(kept):
            if text not in seen:  # what is there twice goes out once, and is settled with it
                self.kept.append(Outgoing(text, index, failures))
            seen.add(text)
        self.own = Outgoing(own)

    @property
    def unsettled(self) -> int:
        """How many markers are not settled, this run's own included."""
        return sum(not outgoing.settled for outgoing in (*self.kept, self.own))

    def pending(self) -> contract.StillPending:
        """What is not settled."""
        kept = tuple((outgoing.index, outgoing.failures) for outgoing in self.kept if not outgoing.settled)
        return contract.StillPending(None if self.own.settled else self.own.text or None, kept)


class Meant(NamedTuple):
    """Whom a marker is for, as far as it is known: what is ``None`` only the token can say."""

    credential_id: str
    organization: str | None
    base_url: str | None


def write(meant: Meant, event: Event) -> str:
    """A marker as it is kept: the very event, and whom it is for."""
    kept: dict[str, Any] = {
        "last9Pending": VERSION,
        "credentialId": meant.credential_id,
        "organization": meant.organization,
        "apiBaseUrl": meant.base_url,
        "event": event,
    }
    return json.dumps(kept, separators=(",", ":"))


def read(text: str) -> dict[str, Any]:
    """A kept text as an object. Raises :exc:`RequestUnreadable` where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise RequestUnreadable from None
    if not isinstance(found, dict):
        raise RequestUnreadable
    return found


Compose = Callable[[contract.Request, routing.Routing], Event]


def claim(
    outbox: Outbox, destination: Destination, claims: Claims, environ: Mapping[str, str], compose: Compose, journal: Journal
) -> list[Outgoing]:
    """The kept markers that may go to that destination, ready to be sent; all others stay untouched.

    ``compose`` makes the event of a request that got no answer. What is no marker at all is dropped with a warning, or without one
    where nothing was ever to be sent (:exc:`RequestRejected` without reasons): it must not stand in the way of those that follow.
    """
    ours = []
    for outgoing in outbox.kept:
        if outgoing.settled:
            continue
        try:
            event = _event_for(outgoing.text, destination, claims, environ, compose)
            outgoing.event = encode(event) if event is not None else None
        except RequestRejected as rejection:
            outgoing.dropped = True
            if rejection.reasons:
                journal.warn(inputs.pending_unreadable())
        except (RequestUnreadable, ValueError, RecursionError):
            outgoing.dropped = True
            journal.warn(inputs.pending_unreadable())
        else:
            ours += [outgoing] if outgoing.event is not None else []
    return ours


def _event_for(text: str, destination: Destination, claims: Claims, environ: Mapping[str, str], compose: Compose) -> Event | None:
    """The event in a kept text, ``None`` if it is for somebody else."""
    found = read(text)
    if "contract" in found:
        request = contract.parse(text)
        try:
            route = routing.resolve(request, environ)
            meant = resolve(route.fields, claims)
        except CannotSend:
            return None
        return compose(request, route) if meant.key() == destination.key() else None
    event = found.get("event")
    if found.get("last9Pending") != VERSION or not isinstance(event, dict):
        raise RequestUnreadable
    try:
        organization = found.get("organization") or resolve_organization(None, claims)
        base_url = _kept_base_url(found.get("apiBaseUrl"), claims)
    except CannotSend:
        return None
    return event if (found.get("credentialId"), organization, base_url.text) == destination.key() else None


def _kept_base_url(kept: Any, claims: Claims) -> BaseUrl:
    return read_base_url(kept) if isinstance(kept, str) else resolve_base_url(None, claims)
