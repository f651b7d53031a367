"""Makes deployments from the build's records: one marker may have several records, two markers make a window."""

from __future__ import annotations

import calendar
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from last9_markers.core.errors import RequestUnreadable
from last9_markers.core.formats import LAST_MOMENT_MS
from last9_markers.marker import left_open, records
from last9_markers.marker.attributes import deployment as deployment_attributes
from last9_markers.report.deployment import OUTCOMES, Deployment, End
from last9_markers.request import contract
from last9_markers.request.values import as_text

#: A request that got no answer: Last9 may have the marker or not.
UNANSWERED = "unanswered"
#: From least to most known; of several records of one marker, the last of these is used.
_FATES = (UNANSWERED, records.KEPT, records.DRY_RUN, records.REFUSED, records.LATE, records.SENT)
_COMMIT = "scm.commit_sha"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3})Z")


class _RecordedMarker(NamedTuple):
    """One record, read."""

    fate: str
    state: str
    at_ms: int
    service: str
    environment: str | None
    name: str
    window_id: str | None
    begun_ms: int | None
    outcome: str | None
    facts: dict[str, str]
    labels: dict[str, str]
    last9: str | None

    def marker(self) -> tuple[object, ...]:
        """What distinguishes markers: a repetition has the same time."""
        return self.window_id or (self.service, self.environment, self.name), self.state, self.at_ms


class ReportData(NamedTuple):
    """What the records tell: the deployments in the order in which they began, and where Last9 is. ``unreadable`` records are counted."""

    deployments: list[Deployment]
    last9: str | None
    unreadable: int


def read(texts: Iterable[str]) -> ReportData:
    """Read the records, in any order, repeated or not; texts that are not records are counted and skipped."""
    unreadable = 0
    markers: dict[tuple[object, ...], _RecordedMarker] = {}
    for text in texts:
        happened = _read(text)
        if happened is None:
            unreadable += 1
            continue
        before = markers.get(happened.marker())
        markers[happened.marker()] = happened if before is None else _both(before, happened)
    deployments = sorted(_deployments(markers.values()), key=lambda deployment: (deployment.begun_ms, deployment.service))
    return ReportData(deployments, next((marker.last9 for marker in markers.values() if marker.last9), None), unreadable)


def _both(one: _RecordedMarker, other: _RecordedMarker) -> _RecordedMarker:
    """What two records tell of one marker. What only the other one knew (that its commit is a local merge) stays."""
    better, worse = (other, one) if _FATES.index(other.fate) >= _FATES.index(one.fate) else (one, other)
    return better._replace(facts={**worse.facts, **better.facts})


def _deployments(markers: Iterable[_RecordedMarker]) -> Iterable[Deployment]:
    windows: dict[object, dict[str, _RecordedMarker]] = {}
    for number, marker in enumerate(markers):
        ends = windows.setdefault(marker.window_id or number, {})
        before = ends.get(marker.state)
        # A later build that closed it did not know that its stop had arrived after all.
        if before is None or marker.outcome != left_open.OUTCOME or before.outcome in (None, left_open.OUTCOME):
            ends[marker.state] = marker
    for ends in windows.values():
        yield _deployment(ends.get("start"), ends.get("stop"))


def _deployment(start: _RecordedMarker | None, stop: _RecordedMarker | None) -> Deployment:
    told = stop or start
    assert told is not None
    facts = {**(_facts_of_start(start, stop) if start else {}), **told.facts}
    begun = start.at_ms if start else (_begun(stop) if stop else None)
    if stop:
        outcome = (stop.outcome if stop.outcome in OUTCOMES else None) or "unknown"
    else:
        # a window whose start we refused ourselves gets no stop either: nothing tells how long the deployment went on
        outcome = "unknown" if told.fate == records.REFUSED else "running"
    return Deployment(
        service=told.service,
        environment=told.environment,
        name=told.name,
        window_id=told.window_id,
        begun_ms=begun if begun is not None else told.at_ms,
        # Clocks of several agents never meet here, but a hand-made state file may say anything.
        ended_ms=max(stop.at_ms, begun if begun is not None else stop.at_ms) if stop else None,
        start=End(start.at_ms, start.fate) if start else None,
        stop=End(stop.at_ms, stop.fate) if stop else None,
        outcome=outcome,
        facts=facts,
        labels={**(start.labels if start else {}), **told.labels},
    )


def _facts_of_start(start: _RecordedMarker, stop: _RecordedMarker | None) -> dict[str, str]:
    """What the start tells of the deployment: nothing of a commit if the stop names another, for then it spoke too early."""
    here, there = start.facts.get(_COMMIT), stop.facts.get(_COMMIT) if stop else None
    if there is None or here == there:
        return start.facts
    return {name: value for name, value in start.facts.items() if not name.startswith("scm.") and name != "deployment.kind"}


def _begun(stop: _RecordedMarker) -> int | None:
    """When a window began whose start is not known: its stop has the duration."""
    duration = stop.facts.get("deployment.window_duration_ms", "")
    if stop.window_id and duration.isdecimal() and int(duration) <= stop.at_ms:
        return stop.at_ms - int(duration)
    return stop.begun_ms if stop.window_id else None


def _read(text: str) -> _RecordedMarker | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return _of_request(text) if "contract" in found else _of_record(found)


def _of_record(found: Mapping[str, Any]) -> _RecordedMarker | None:
    at_ms, fate, state = _moment(found.get("at")), found.get("fate"), found.get("state")
    service = found.get("service")
    known = found.get("last9Record") == records.VERSION and fate in _FATES and state in ("start", "stop")
    if not known or at_ms is None or not isinstance(service, str):
        return None
    facts = _texts(found.get("facts"))
    environment, name, last9 = (_text(found.get(key)) for key in ("environment", "name", "last9"))
    return _RecordedMarker(
        str(fate), str(state), at_ms, service, environment, name or "deployment",
        facts.get("deployment.id"), None, facts.get("deployment.outcome"), facts, _texts(found.get("labels")), last9,
    )  # fmt: skip


def _of_request(text: str) -> _RecordedMarker | None:
    try:
        request = contract.parse(text)
    except RequestUnreadable:
        return None
    service, environment, name = (as_text(request.option(key)) for key in ("serviceName", "environment", "eventName"))
    state = (as_text(request.option("eventState")) or "stop").lower()
    if service is None or request.timestamp_ms is None or state not in ("start", "stop"):
        return None
    outcome = deployment_attributes.outcome(request) if state == "stop" else None
    return _RecordedMarker(
        UNANSWERED, state, request.timestamp_ms, service, environment, name or "deployment",
        request.window_id, request.window_started_ms, outcome, {}, {}, None,
    )  # fmt: skip


def _moment(value: Any) -> int | None:
    found = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    try:
        moment = calendar.timegm(time.strptime(found[1], "%Y-%m-%dT%H:%M:%S")) * 1000 + int(found[2])
    except ValueError:
        return None
    return moment if 0 <= moment <= LAST_MOMENT_MS else None


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _texts(value: Any) -> dict[str, str]:
    return {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}
