"""A deployment as the report shows it: a window with its two markers, or a point in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from last9_markers.core.formats import iso8601
from last9_markers.marker import records
from last9_markers.marker.attributes import forges
from last9_markers.report.formatting import http_link

#: Outcomes in the order of the page; the last two are the report's own: no stop yet, a stop that does not say.
OUTCOMES = ("success", "unstable", "failure", "timeout", "aborted", "running", "unknown")


class End(NamedTuple):
    """One marker of a deployment: when it was, and what became of it (:mod:`last9_markers.marker.records`, or ``unanswered``)."""

    at_ms: int
    fate: str


class Deployment(NamedTuple):
    """``ended_ms`` is ``None`` if there is no stop (yet); a point has no start. ``begun_ms`` may be known without a start marker."""

    service: str
    environment: str | None
    name: str
    window_id: str | None
    begun_ms: int
    ended_ms: int | None
    start: End | None
    stop: End | None
    outcome: str
    facts: Mapping[str, str]
    labels: Mapping[str, str]

    @property
    def is_point(self) -> bool:
        """Whether this is a moment and no window: a stop without a start."""
        return self.start is None and self.begun_ms == self.ended_ms

    @property
    def duration_ms(self) -> int | None:
        """From start to stop; ``None`` for a point and without a stop."""
        return None if self.ended_ms is None or self.is_point else self.ended_ms - self.begun_ms

    def until(self, now_ms: int) -> int:
        """Where its bar ends: at its stop, or now while it is running."""
        if self.ended_ms is not None:
            return self.ended_ms
        return max(now_ms, self.begun_ms) if self.outcome == "running" else self.begun_ms

    @property
    def commit_url(self) -> str | None:
        """The commit's page, if its forge is known and has it."""
        if records.LOCAL_MERGE in self.facts:
            return None
        forge, commit = forges.of(self.facts.get("scm.url")), self.facts.get("scm.commit_sha")
        return http_link(forge.commit(commit)) if forge and commit else None

    @property
    def compare_url(self) -> str | None:
        """The page that shows what changed."""
        return http_link(self.facts.get("scm.compare_url"))

    def as_json(self) -> dict[str, Any]:
        """The deployment as ``last9-deployments.json`` has it; what is unknown is left out."""
        found = {
            "service": self.service,
            "environment": self.environment,
            "eventName": self.name,
            "id": self.window_id,
            "outcome": self.outcome,
            "start": iso8601(self.begun_ms) if not self.is_point else None,
            "stop": iso8601(self.ended_ms) if self.ended_ms is not None else None,
            "durationMs": self.duration_ms,
            "startMarker": self.start.fate if self.start else None,
            "stopMarker": self.stop.fate if self.stop else None,
            "facts": {name: value for name, value in self.facts.items() if not name.startswith("deployment.") or name in _CHANGE} or None,
            "labels": dict(self.labels) or None,
        }
        return {name: value for name, value in found.items() if value is not None}


_CHANGE = ("deployment.kind", "version")
