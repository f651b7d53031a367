"""``message``: the text of a marker in a list of events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from last9_markers.core import limits
from last9_markers.core.formats import duration

if TYPE_CHECKING:
    from last9_markers.request.options import Marker


def of(marker: Marker, facts: Mapping[str, str]) -> str:
    """As the option has it, or ``payments-api 2.14.0 to production: success, 3 min 5 s``."""
    return marker.message or limits.shortened(_sentence(marker, facts))


def _sentence(marker: Marker, facts: Mapping[str, str]) -> str:
    # A version that is given as an attribute is used like any other.
    what = " ".join(filter(None, (marker.service_name, facts.get("version") or marker.version)))
    where = f" to {marker.environment}" if marker.environment else ""
    if marker.event_state == "start":
        return f"{what}{where}: started"
    length = facts.get("deployment.window_duration_ms")
    how = ", ".join(filter(None, (facts.get("deployment.outcome"), duration(int(length)) if length else "")))
    return f"{what}{where}: {how}" if how else f"{what}{where}"
