"""The queries of a connection test: those that it runs, and those that a person can run by hand."""

from __future__ import annotations

import json
import re

METRIC = "last9_change_events"
#: By which labels a service and an environment are known to metrics, the likelier one first (docs/last9-api.md).
SERVICE_LABELS = ("service_name", "service")
ENVIRONMENT_LABELS = ("deployment_environment", "env")
#: A label of the test event alone, without a dot, so that nothing renames it.
TEST_ID = "connection_test_id"
#: Another one with a dot, as most attributes of a build have it: whether Last9 keeps it.
TEST_DOT = "connection_test.dot"

_PLAIN = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def selector(metric: str = "", /, *matchers: tuple[str, str, str]) -> str:
    """``metric{name="value",…}``; a matcher is name, operator, value. A name that is not a plain one is quoted."""
    parts = [f"{name if _PLAIN.fullmatch(name) else _quoted(name)}{how}{_quoted(value)}" for name, how, value in matchers]
    return f"{metric}{{{','.join(parts)}}}"


def metrics_with(label: str, value: str | None = None, service: tuple[str, str] | None = None) -> str:
    """The series that have a label, with that value or with any; markers left out: they would prove themselves.

    ``service``: label and value, to narrow it down.
    """
    of_service = [(service[0], "=", service[1])] if service else []
    wanted = (label, "!=", "") if value is None else (label, "=", value)
    return selector("", *of_service, wanted, ("__name__", "!=", METRIC))


def of_test(test_id: str) -> str:
    """The test event."""
    return selector(METRIC, (TEST_ID, "=", test_id))


def events_of(service: str) -> str:
    """The change events of a service."""
    return selector(METRIC, ("service", "=", service))


def last_day(selected: str) -> str:
    """What a person runs: the newest sample of the last day. A plain selector finds nothing that is five minutes old."""
    return f"last_over_time({selected}[1d])"


def count_by(label: str, selected: str) -> str:
    """What a person runs: the values of a label in the last day, with the number of series."""
    return f"count by ({label}) ({last_day(selected)})"


def _quoted(text: str) -> str:
    # JSON's escapes are also PromQL's.
    return json.dumps(text, ensure_ascii=False)
