"""The change event: the body of the request that sends a marker."""

from __future__ import annotations

import json
from typing import Any

from last9_markers.core.formats import iso8601, well_formed
from last9_markers.request.options import Marker

Event = dict[str, Any]


def compose(marker: Marker, timestamp_ms: int, data_source_name: str | None, attributes: dict[str, str]) -> Event:
    """The event as Last9's change events API takes it. ``event_state`` is always sent: the API's own default differs from ours."""
    event: Event = {
        "event_name": well_formed(marker.event_name),
        "event_state": marker.event_state,
        "timestamp": iso8601(timestamp_ms),
    }
    if data_source_name:
        event["data_source_name"] = well_formed(data_source_name)
    event["attributes"] = attributes
    return event


def encode(event: Event) -> bytes:
    """The event as it goes over the wire: the same bytes on every repetition."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def readable(event: Event) -> str:
    """The event for the log of a dry run: escaped to ASCII, so that it is the same JSON in a log of any encoding."""
    return json.dumps(event)
