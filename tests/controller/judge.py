"""The judge: in which points a build differs from its row's head. The runner's judge is Shape.java; the words mean the same to both."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from controller.rows import Row

Event = dict[str, Any]


class Evidence(NamedTuple):
    """What came of a build."""

    result: str
    console: list[str]
    #: ``None`` where the controller does not tell the steps.
    steps: str | None
    received: list[Event]
    #: What must be nowhere in the log.
    secrets: tuple[str, ...] = ()


def differences(row: Row, came: Evidence) -> list[str]:
    """In full: each point with what was expected and what was."""
    found: list[str] = []
    found += _compared("result", row.said("result"), [came.result])
    found += _compared("marker", row.said("marker"), markers(came.received, "by service" in row.said("markers")))
    if came.steps is not None:
        found += _compared("steps", row.said("steps"), [came.steps])
    warnings = [line for line in came.console if "[Last9] WARNING:" in line]
    expected = row.said("warning")
    if len(warnings) != len(expected) or not all(any(part in line for line in warnings) for part in expected):
        found += _differ("warning", expected, warnings)
    found += [f"the log has no line '{line}'" for line in row.said("log") if line not in came.console]
    found += [f"the log has the line '{line}'" for line in row.said("never") if line in came.console]
    found += ["the log shows a secret" for secret in came.secrets if any(secret in line for line in came.console)]
    return found + wrong_times(came.received)


def _compared(what: str, expected: list[str], were: list[str]) -> list[str]:
    return [] if expected == were else _differ(what, expected, were)


def _differ(what: str, expected: list[str], were: list[str]) -> list[str]:
    return ["\n  ".join([f"{what}: expected", *(expected or ["nothing"])]) + "\n" + "\n  ".join(["were", *(were or ["nothing"])])]


def markers(received: list[Event], by_service: bool) -> list[str]:
    """``stop payments-api/production 1 failure FAILURE``: state, service, the how-many-th window's id or ``-``, outcome, build result."""
    events = sorted(received, key=_service) if by_service else received
    ids: list[str] = []
    told = []
    for event in events:
        attributes = event["attributes"]
        window = attributes.get("deployment.id")
        if window is not None and window not in ids:
            ids.append(window)
        words = [event["event_state"], _service(event), "-" if window is None else str(ids.index(window) + 1)]
        words += [attributes[name] for name in ("deployment.outcome", "jenkins.build_result") if name in attributes]
        told.append(" ".join(words))
    return told


def _service(event: Event) -> str:
    attributes = event["attributes"]
    return str(attributes.get("service_name")) + (f"/{attributes['env']}" if "env" in attributes else "")


def wrong_times(received: list[Event]) -> list[str]:
    """Of every window: the stop's duration is exactly the time between its start and itself, by the markers' own timestamps."""
    starts: dict[str, int] = {}
    found = []
    for event in received:
        attributes = event["attributes"]
        at = _milliseconds(event["timestamp"])
        window, duration = attributes.get("deployment.id"), attributes.get("deployment.window_duration_ms")
        if event["event_state"] == "start":
            starts[str(window)] = at
        elif window in starts and at <= starts[window]:
            found.append(f"window {window} stopped when it started, though its start marker took its time")
        elif window in starts and str(at - starts[window]) != duration:
            found.append(f"window {window} lasted {at - starts[window]} ms, its stop says {duration}")
        elif window is None and duration is not None:
            found.append(f"a point has a duration: {duration}")
    return found


def _milliseconds(timestamp: str) -> int:
    moment = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000
