"""The test event: a stop, so that it keeps no alert about a hanging deployment alive, under a name that no dashboard colours."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import NamedTuple

from last9_markers.check import queries
from last9_markers.check.findings import CapturedLog
from last9_markers.marker import attributes, event
from last9_markers.marker.attributes import importance, scm
from last9_markers.marker.attributes.git import GitCheckout
from last9_markers.request import options
from last9_markers.request.context import Context
from last9_markers.request.contract import Request
from last9_markers.request.values import as_text, misfit

#: Never ``deployment``: no alert and no query about deployments may find it, because nothing deletes it.
EVENT_NAME = "connection-test"
SERVICE_NAME = "last9-connection-test"
#: The options by which dashboards find a marker.
NAMING = ("serviceName", "environment")
#: Begins the names of the labels that make the test event as wide as a marker can be: a store with a lower limit drops that one, too.
FILLER = "check.label_"


class SentEvent(NamedTuple):
    """The test event as it was sent: ``moment`` in epoch seconds, ``sent_at`` on the monotonic clock."""

    test_id: str
    labels: Mapping[str, str]
    moment: float
    sent_at: float

    @classmethod
    def of(cls, composed: event.Event, moment: float, sent_at: float) -> SentEvent:
        """The event as composed, sent now."""
        attributes_sent = composed["attributes"]
        labels = {**{name: composed[name] for name in ("event_name", "event_state")}, **attributes_sent}
        return cls(attributes_sent[queries.TEST_ID], labels, moment, sent_at)

    @property
    def width(self) -> int:
        """How many labels its series has: the metric's name, by which it is found, is one of them."""
        return len(self.labels) + 1


def names(request: Request) -> tuple[str | None, str | None]:
    """Service and environment that the request names; a value that cannot name a marker is taken as not given."""
    service, environment = (request.option(name) for name in NAMING)
    return None if misfit(service) else as_text(service), None if misfit(environment) else as_text(environment)


def unusable_names(request: Request) -> list[str]:
    """The options that name service or environment and cannot be used, such as the text ``null``: a marker is not sent with them either."""
    return [name for name in NAMING if misfit(request.option(name))]


def marker(request: Request, attribute_names: str) -> options.Marker:
    """The test event as a marker, with labels of its own: one by which it is found again, and one with a dot."""
    service, environment = names(request)
    own = {queries.TEST_ID: uuid.uuid4().hex, attributes.spelling(queries.TEST_DOT, attribute_names): "kept"}
    return options.Marker(service or SERVICE_NAME, environment, "stop", EVENT_NAME, own, dry_run=False, message="connection test")


def compose(
    given: options.Marker, timestamp_ms: int, request: Request, context: Context, attribute_names: str, data_source: str | None
) -> event.Event:
    """The event with the attributes that a marker from here would have, but for the build's outcome and for what git knows.

    It has as many labels as a marker may have: fillers take the place of those that are missing.
    """
    unread = CapturedLog(context.log.redactor)
    checkout = GitCheckout(context.environ, context.clock, None)
    nothing = scm.Deployed(scm.said(context.environ), checkout, unread)
    labels = attributes.collect(given, request._replace(build={}, body=None), context.environ, nothing, attribute_names, unread).labels
    for number in range(len(labels) + len(importance.OF_THE_EVENT) + 1, importance.MOST_LABELS + 1):
        labels[attributes.spelling(f"{FILLER}{number}", attribute_names)] = "filler"
    return event.compose(given, timestamp_ms, data_source, labels)
