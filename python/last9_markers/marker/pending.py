"""Markers that are not with Last9 yet: what of this run is still to do, and how it is kept for the next one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from last9_markers.core.errors import ConfigurationError, RequestRejected, RequestUnreadable
from last9_markers.core.log import BuildLog
from last9_markers.marker.event import Event, encode
from last9_markers.messages import options as option_messages
from last9_markers.request import contract
from last9_markers.request.destination import BaseUrl, Destination, read_base_url, resolve, resolve_base_url, resolve_organization
from last9_markers.request.token import Claims

#: Marks the texts that the engine itself has written; a request that got no answer has ``contract`` instead.
VERSION = 1


class OutboxEntry:
    """One marker on its way. ``text`` is handed back for later unless it is ``delivered``, or ``dropped`` for good."""

    __slots__ = ("delivered", "dropped", "event", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.event: bytes | None = None
        self.delivered = False
        self.dropped = False

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.delivered or self.dropped


class Outbox:
    """The markers of one run. The watchdog reads it from its own thread: so every change is a single assignment."""

    def __init__(self, kept: list[str], own: str) -> None:
        """``kept`` are the texts from before, ``own`` is the request itself until there is an event."""
        self.kept = [OutboxEntry(text) for text in dict.fromkeys(kept)]
        self.own = OutboxEntry(own)

    def pending(self) -> list[str]:
        """The texts of what is not settled, oldest first, this run's own marker last."""
        return [entry.text for entry in (*self.kept, self.own) if not entry.settled]


class Recipient(NamedTuple):
    """Whom a marker is for, as far as it is known: what is ``None`` only the token can say."""

    credential_id: str
    organization: str | None
    base_url: str | None


def write(recipient: Recipient, event: Event) -> str:
    """A marker as it is kept: the very event, and whom it is for."""
    kept: dict[str, Any] = {
        "last9Pending": VERSION,
        "credentialId": recipient.credential_id,
        "organization": recipient.organization,
        "apiBaseUrl": recipient.base_url,
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


def claim(
    outbox: Outbox, destination: Destination, claims: Claims, compose: Callable[[contract.Request], Event], log: BuildLog
) -> list[OutboxEntry]:
    """The kept markers that may go to that destination, ready to be sent; all others stay untouched.

    ``compose`` makes the event of a request that got no answer. What is no marker at all is dropped with a warning, or without one
    where nothing was ever to be sent (:exc:`RequestRejected` without reasons): it must not stand in the way of those that follow.
    """
    ours = []
    for entry in outbox.kept:
        if entry.settled:
            continue
        try:
            event = _event_for(entry.text, destination, claims, compose)
            entry.event = encode(event) if event is not None else None
        except RequestRejected as rejection:
            entry.dropped = True
            if rejection.reasons:
                log.warning(option_messages.pending_unreadable())
        except (RequestUnreadable, ValueError, RecursionError):
            entry.dropped = True
            log.warning(option_messages.pending_unreadable())
        else:
            ours += [entry] if entry.event is not None else []
    return ours


def _event_for(text: str, destination: Destination, claims: Claims, compose: Callable[[contract.Request], Event]) -> Event | None:
    """The event in a kept text, ``None`` if it is for somebody else."""
    found = read(text)
    if "contract" in found:
        request = contract.parse(text)
        try:
            recipient = resolve(request.connection, claims)
        except ConfigurationError:
            return None
        return compose(request) if recipient.key() == destination.key() else None
    event = found.get("event")
    if found.get("last9Pending") != VERSION or not isinstance(event, dict):
        raise RequestUnreadable
    try:
        organization = found.get("organization") or resolve_organization(None, claims)
        base_url = _kept_base_url(found.get("apiBaseUrl"), claims)
    except ConfigurationError:
        return None
    return event if (found.get("credentialId"), organization, base_url.text) == destination.key() else None


def _kept_base_url(kept: Any, claims: Claims) -> BaseUrl:
    return read_base_url(kept) if isinstance(kept, str) else resolve_base_url(None, claims)
