"""Markers that Last9 does not have yet: those that this run still has to send, and their form for the next run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from last9_markers.core.errors import ConfigurationError, DeliveryError, RequestRejected, RequestUnreadable, is_transient
from last9_markers.core.formats import epoch_ms
from last9_markers.core.log import BuildLog
from last9_markers.marker.event import Event, encode
from last9_markers.messages import options as option_messages
from last9_markers.request import contract, routing
from last9_markers.request.contract import Kept, StillPending
from last9_markers.request.destination import BaseUrl, Destination, read_base_url, resolve, resolve_base_url, resolve_organization
from last9_markers.request.token import Claims

#: Marks the texts that the engine itself has written; a request that got no answer has ``contract`` instead.
VERSION = 1

#: A kept marker that has failed by itself so often, or is so old, is given up.
MOST_FAILURES = 3
LONGEST_MS = 86_400_000

#: How a marker is settled: Last9 has it; has refused it for good; nothing was to be sent, or cannot be; it was tried for long enough.
DELIVERED, REFUSED, DROPPED, GIVEN_UP = "delivered", "refused", "dropped", "given up"


class OutboxEntry:
    """One marker on its way. It is handed back for later unless it has an ``end``: one of the four above."""

    __slots__ = ("at_ms", "end", "event", "failure", "failures", "killed", "label", "start_of", "text", "tried")

    def __init__(self, text: str, failures: int = 0) -> None:
        self.text = text
        #: In how many runs it has failed by itself.
        self.failures = failures
        self.event: bytes | None = None
        self.end: str | None = None
        #: It is being tried in this run, or was; and why that failed.
        self.tried = False
        self.failure: DeliveryError | None = None
        #: What it is called in the log, when it happened, and the id of the window that it begins.
        self.label = "the deployment marker"
        self.at_ms: int | None = None
        self.start_of: str | None = None
        #: The service whose ``window`` was killed, if this is the stop that it could not send.
        self.killed: str | None = None

    @property
    def delivered(self) -> bool:
        """Whether Last9 has it."""
        return self.end == DELIVERED

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self.end is not None

    @property
    def has_failed(self) -> bool:
        """Whether it was tried without success, so that a retry may help. Also true if the end of the time cut it off."""
        return self.tried and not self.settled and (self.failure is None or is_transient(self.failure))


class Outbox:
    """The markers of one run. The watchdog reads it from its own thread: so every change is a single assignment."""

    def __init__(self, kept: Iterable[Kept], own: str) -> None:
        """``kept`` are those from before, oldest first; ``own`` is the request itself until there is an event."""
        #: By their index; of two with the same text the second is settled with the first.
        self.kept: dict[int, OutboxEntry] = {}
        texts = set()
        for index, (text, failures) in enumerate(kept):
            if text not in texts:
                texts.add(text)
                self.kept[index] = OutboxEntry(text, failures)
        self.own = OutboxEntry(own)

    def others(self) -> Iterable[OutboxEntry]:
        """The kept ones, oldest first."""
        return self.kept.values()

    def got_through(self) -> bool:
        """Whether Last9 has taken anything in this run."""
        return self.own.delivered or any(entry.delivered for entry in self.others())

    def failures(self, entry: OutboxEntry) -> int:
        """In how many runs, including this one, a queued marker has failed by itself. Runs in an outage are left out."""
        return entry.failures + (entry.has_failed and self.got_through())

    def pending(self) -> StillPending:
        """What is not settled."""
        kept = tuple((index, self.failures(entry)) for index, entry in self.kept.items() if not entry.settled)
        return StillPending(None if self.own.settled else self.own.text or None, kept)

    def count(self) -> int:
        """How many are not settled."""
        return sum(not entry.settled for entry in (*self.others(), self.own))

    def given_up(self, now_ms: int) -> list[OutboxEntry]:
        """The kept ones that have failed too often or are too old. From here on they are settled."""
        found = [
            entry
            for entry in self.others()
            if not entry.settled
            and (self.failures(entry) >= MOST_FAILURES or (entry.at_ms is not None and now_ms - entry.at_ms >= LONGEST_MS))
        ]
        for entry in found:
            entry.end = GIVEN_UP
        return found


def untouched(kept: Sequence[Kept]) -> StillPending:
    """The answer of a run that has tried none of them, and has no marker of its own."""
    return StillPending(None, tuple((index, entry.failures) for index, entry in enumerate(kept)))


class Recipient(NamedTuple):
    """A marker's destination, as far as it is known: for ``None`` only the token has it."""

    credential_id: str
    organization: str | None
    base_url: str | None


def write(recipient: Recipient, event: Event, *, killed: bool = False) -> str:
    """A marker as it is kept: the very event, and whom it is for. ``killed``: it closes the window of a process that was killed."""
    kept: dict[str, Any] = {
        "last9Pending": VERSION,
        "credentialId": recipient.credential_id,
        "organization": recipient.organization,
        "apiBaseUrl": recipient.base_url,
        "event": event,
        **({"killed": True} if killed else {}),
    }
    return json.dumps(kept, separators=(",", ":"))


def read(text: str) -> dict[str, Any]:
    """A kept text as an object. Raises :exc:`RequestUnreadable` if it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise RequestUnreadable from None
    if not isinstance(found, dict):
        raise RequestUnreadable
    return found


Compose = Callable[[contract.Request, routing.Routing], Event]


def claim(
    outbox: Outbox, destination: Destination, claims: Claims, environ: Mapping[str, str], compose: Compose, log: BuildLog
) -> list[OutboxEntry]:
    """The kept markers that may go to that destination, ready to be sent, oldest first; all others stay untouched.

    ``compose`` makes the event of a request that got no answer. A text that is not a marker is dropped with a warning, or without one
    if nothing was ever to be sent (:exc:`RequestRejected` without reasons): it must not stand in the way of those that follow.
    """
    ours = []
    for entry in outbox.others():
        if entry.settled:
            continue
        try:
            found = read(entry.text)
            _describe(entry, found)
            event = _event_for(found, entry.text, destination, claims, environ, compose)
            entry.event = encode(event) if event is not None else None
        except RequestRejected as rejection:
            entry.end = DROPPED
            if rejection.reasons:
                log.warning(option_messages.pending_unreadable(entry.label))
        except (RequestUnreadable, ValueError, RecursionError):
            entry.end = DROPPED
            log.warning(option_messages.pending_unreadable(entry.label))
        else:
            ours += [entry] if entry.event is not None else []
    return ours


def _describe(entry: OutboxEntry, found: dict[str, Any]) -> None:
    """What it is called, when it happened, and which window it begins, as far as the text says."""
    if "contract" in found:
        options = {**_mapping(found.get("config")), **_mapping(found.get("options"))}
        name, state, service = (options.get(key) for key in ("eventName", "eventState", "serviceName"))
        entry.at_ms = contract.whole(found.get("timestampMs"))
        window = _mapping(found.get("window")).get("id")
    else:
        event = _mapping(found.get("event"))
        attributes = _mapping(event.get("attributes"))
        name, state = event.get("event_name"), event.get("event_state")
        service = attributes.get("service_name") or attributes.get("service")
        entry.at_ms = epoch_ms(event.get("timestamp"))
        window = attributes.get("deployment.id") or attributes.get("deployment_id")
    if isinstance(service, str) and service:
        entry.label = f"{name or 'deployment'} ({state or 'stop'}) for {service}"
        entry.killed = service if found.get("killed") is True and isinstance(service, str) else None
    entry.start_of = window if state == "start" and isinstance(window, str) else None


def _event_for(
    found: dict[str, Any], text: str, destination: Destination, claims: Claims, environ: Mapping[str, str], compose: Compose
) -> Event | None:
    """The event in a queued text, ``None`` if it has another destination."""
    if "contract" in found:
        request = contract.parse(text)
        try:
            route = routing.resolve(request, environ)
            recipient = resolve(route.fields, claims)
        except ConfigurationError:
            return None
        return compose(request, route) if recipient.key() == destination.key() else None
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


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
