"""Reading back: the calls by which Last9 answers about what it received (docs/last9-api.md, "Reading events back").

Change events become samples of the metric ``last9_change_events`` (1 for a start, 2 for a stop) in the data source that they name, or the
default one. Of PromQL it knows a selector and ``timestamp(selector)``; anything else is refused, so that no test passes on a query that
was not understood.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from last9_markers.fake_server.rules import Refusal

CALLS = ("datasources", "prom_query", "prom_query_instant", "prom_label_values", "suggest")
METRIC = "last9_change_events"

#: Seconds between the moments of a range query, and how far each looks back for a sample, as Prometheus has it.
STEP = 15
LOOK_BACK = 300

_QUERY = re.compile(r"(?P<function>timestamp)?\(?(?P<selector>[^()]*\{.*\}|[a-z0-9_]+)\)?", re.DOTALL)
_SELECTOR = re.compile(r"(?P<metric>[a-zA-Z_][a-zA-Z0-9_]*)?\s*(?:\{(?P<matchers>.*)\})?", re.DOTALL)
_MATCHER = re.compile(r'\s*(?P<name>[a-zA-Z_][a-zA-Z0-9_]*|"(?:[^"\\]|\\.)+")\s*(?P<how>=~|!=|=)\s*"(?P<value>(?:[^"\\]|\\.)*)"\s*(?:,|$)')


class StoredSample(NamedTuple):
    """One sample; ``arrived`` and ``moment`` in epoch seconds."""

    labels: dict[str, str]
    moment: float
    arrived: float
    value: str


class MetricsStore:
    """A data source of the fake Last9."""

    def __init__(self, name: str, url: str, *, is_default: bool) -> None:
        self.name = name
        self.is_default = is_default
        self._read_url = f"{url}/store/{name}"
        self.username = f"user-{secrets.token_hex(8)}"
        self.password = f'p/w+ä"&{secrets.token_urlsafe(16)}'
        #: Series of other metrics than change events, by their labels: what a service's own instrumentation sends.
        self.series: list[dict[str, str]] = []

    def described(self) -> dict[str, Any]:
        """As the list of data sources has it."""
        properties = {"username": self.username, "password": self.password, "levitate_cluster_id": f"cluster-{self.name}"}
        return {"name": self.name, "is_default": self.is_default, "url": self._read_url, "region": "us-east-1", "properties": properties}

    def is_meant(self, question: Mapping[str, Any]) -> bool:
        """Whether a question names this store with its user and its password."""
        given = tuple(question.get(name) for name in ("read_url", "username", "password"))
        return given == (self._read_url, self.username, self.password)


def samples(store: MetricsStore, received: list[dict[str, Any]], fault: Mapping[str, Any], now: float) -> list[StoredSample]:
    """What the store has of the events that were received, with the ordered faults."""
    found = []
    for event in received:
        arrived = _seconds(event["received_at"])
        source = event.get("data_source_name")
        labels = _series(event, fault)
        if (source == store.name or (not source and store.is_default)) and len(labels) <= fault.get("label_limit", len(labels)):
            moment = arrived if fault.get("arrival_time") or "timestamp" not in event else _seconds(event["timestamp"])
            if arrived <= now - fault.get("late", 0):
                found.append(StoredSample(labels, moment, arrived, {"start": "1"}.get(event.get("event_state", "start"), "2")))
    return found


def answer(call: str, question: Mapping[str, Any], store: MetricsStore, stored: list[StoredSample]) -> Any:
    """The answer to one question to one store. Raises :exc:`Refusal`."""
    if call == "suggest":
        return _suggest(question, store, stored)
    end = _number(question, "timestamp")
    if call == "prom_query_instant":
        return _evaluate(_query(question), stored, [end], instant=True)
    window = _number(question, "window")
    if call == "prom_query":
        return _evaluate(_query(question), stored, [end - window + step for step in range(0, int(window) + 1, STEP)], instant=False)
    return _label_values(question, store, [sample.labels for sample in stored if end - window <= sample.moment <= end])


def _series(event: Mapping[str, Any], fault: Mapping[str, Any]) -> dict[str, str]:
    labels = {
        **event.get("attributes", {}),
        "__name__": METRIC,
        "event_name": event["event_name"],
        "event_state": event.get("event_state", "start"),
    }
    return {name.replace(".", "_"): value for name, value in labels.items()} if fault.get("underscores") else labels


def _evaluate(query: re.Match[str], stored: list[StoredSample], moments: list[float], *, instant: bool) -> list[dict[str, Any]]:
    by_series: dict[tuple[tuple[str, str], ...], list[StoredSample]] = {}
    for sample in stored:
        if _matches(sample.labels, query["selector"]):
            by_series.setdefault(tuple(sorted(sample.labels.items())), []).append(sample)
    found = []
    for labels, of_series in by_series.items():
        values = list(_values(of_series, moments, query["function"]))
        metric = {name: value for name, value in labels if query["function"] is None or name != "__name__"}
        if values:
            found.append({"metric": metric, **({"value": values[-1]} if instant else {"values": values})})
    return found


def _values(of_series: list[StoredSample], moments: list[float], function: str | None) -> Iterator[list[Any]]:
    for moment in moments:
        visible = [sample for sample in of_series if moment - LOOK_BACK < sample.moment <= moment]
        if visible:
            newest = max(visible, key=lambda sample: sample.moment)
            yield [int(moment), newest.value if function is None else f"{newest.moment:.3f}"]


def _label_values(question: Mapping[str, Any], store: MetricsStore, of_events: list[dict[str, str]]) -> list[str]:
    label, matches = question.get("label"), question.get("matches")
    if not isinstance(label, str) or not isinstance(matches, list) or not all(isinstance(match, str) for match in matches):
        raise Refusal(400, "label and matches are required")
    chosen = [labels for labels in [*of_events, *store.series] if any(_matches(labels, match) for match in matches)]
    return sorted({labels[label] for labels in chosen if label in labels})


def _suggest(question: Mapping[str, Any], store: MetricsStore, stored: list[StoredSample]) -> dict[str, Any]:
    labels = {"service": ("service_name", "service"), "environment": ("deployment_environment", "env")}.get(str(question.get("type")))
    asked = question.get("q")
    if labels is None or not isinstance(asked, str):
        raise Refusal(400, "q and type are required")
    known = {each[label] for each in [*(sample.labels for sample in stored), *store.series] for label in labels if label in each}
    near = sorted(name for name in known if asked.lower()[:3] in name.lower())
    return {"suggestions": [{"name": name, "type": question["type"], "score": 1.0} for name in near], "query": asked}


def _matches(labels: Mapping[str, str], selector: str) -> bool:
    return all(_holds(matcher, labels) for matcher in _matchers(selector))


def _holds(matcher: tuple[str, str, str], labels: Mapping[str, str]) -> bool:
    name, how, value = matcher
    has = labels.get(name, "")
    return re.fullmatch(value, has) is not None if how == "=~" else (has == value) == (how == "=")


def _matchers(selector: str) -> list[tuple[str, str, str]]:
    """Name, operator and value of each matcher, the metric's name first. Raises :exc:`Refusal` if it is not a selector."""
    found = _SELECTOR.fullmatch(selector)
    if found is None:
        raise Refusal(400, f"this fake Last9 does not understand the selector {selector}")
    matchers = [("__name__", "=", found["metric"])] if found["metric"] else []
    text, position = found["matchers"] or "", 0
    while position < len(text):
        matcher = _MATCHER.match(text, position)
        if matcher is None:
            raise Refusal(400, f"this fake Last9 does not understand the selector {selector}")
        position = matcher.end()
        matchers.append((_unquoted(matcher["name"]), matcher["how"], _unescaped(matcher["value"])))
    return matchers


def _query(question: Mapping[str, Any]) -> re.Match[str]:
    found = _QUERY.fullmatch(str(question.get("query")))
    if found is None:
        raise Refusal(400, "this fake Last9 knows selectors and timestamp(selector) only")
    _matchers(found["selector"])  # refused even if there is nothing yet that it could match
    return found


def _number(question: Mapping[str, Any], name: str) -> float:
    number = question.get(name)
    if not isinstance(number, int) or isinstance(number, bool):
        raise Refusal(400, f"{name} must be a whole number")
    return float(number)


def _unquoted(name: str) -> str:
    return _unescaped(name[1:-1]) if name.startswith('"') else name


def _unescaped(text: str) -> str:
    return re.sub(r"\\(u[0-9a-f]{4}|.)", lambda found: chr(int(found[1][1:], 16)) if len(found[1]) == 5 else found[1], text)


def _seconds(moment: str) -> float:
    # Python 3.9 reads neither Z nor fractions of other lengths than three and six.
    whole, _, rest = moment.partition(".")
    fraction = re.match(r"\d*", rest)
    digits = fraction[0] if fraction else ""
    zone = rest[len(digits) :] if rest else ""
    if not rest:
        whole, zone = (whole[:-1], "Z") if whole.endswith("Z") else (whole[:-6], whole[-6:])
    return datetime.fromisoformat(whole + ("+00:00" if zone == "Z" else zone)).timestamp() + float(f"0.{digits or 0}")
