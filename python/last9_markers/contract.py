"""The request that the library writes and the answer that it reads: ``tests/contract/README.md``, version 1."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from last9_markers.errors import RequestUnreadable
from last9_markers.wire import LAST_MOMENT_MS

CONTRACT = 1

#: What stands in a request's ``step`` where no library wrote it but a command of the command line.
SHELL_COMMANDS = ("send", "window", "check")

#: The keys that say something about this run alone, and nothing about the marker: a kept request goes without them.
_OF_THIS_RUN = ("pending", "outages", "keepsPending", "limitSeconds", "afterAbort", "nowMs")

Json = Any


class ConnectionField(NamedTuple):
    """One resolved connection field. ``from_parameter``: whoever starts the build may have chosen the value."""

    value: str
    source: str
    from_parameter: bool = False
    trusted: tuple[str, ...] = ()


class Kept(NamedTuple):
    """A marker that is not with Last9 yet: an opaque text, and how often it has failed by itself."""

    text: str
    failures: int = 0


class Request(NamedTuple):
    """What the step was asked to send. Absent means unknown; ``text`` is the request itself as it is kept, without what is of one run.

    ``text`` is empty where the caller will not keep what is undelivered (``keepsPending`` is false), and must not be told that it is kept.
    """

    step: str
    timestamp_ms: int | None
    window_id: str | None
    window_started_ms: int | None
    options: dict[str, Json]
    connection: dict[str, ConnectionField]
    connection_problems: list[str]
    build: dict[str, Json]
    body: dict[str, Json] | None
    secret_parameters: list[str]
    parameters: dict[str, str]
    environment_allowlist: list[str]
    limit_seconds: float | None
    after_abort: bool
    pending: tuple[Kept, ...]
    #: Opaque to everybody but the delivery.
    outages: dict[str, Json]
    text: str
    #: The moment of this try; epoch milliseconds of the controller's clock.
    now_ms: int | None = None
    elsewhere: bool = False
    #: Names of the options that ``last9Config`` gave and not the step itself.
    configured: tuple[str, ...] = ()
    credential_problem: str | None = None
    #: What a report is made of.
    report: Mapping[str, Json] = MappingProxyType({})


class StillPending(NamedTuple):
    """What is undelivered after a run: its own marker's text, and which of the request's ``pending``, each as index and failures."""

    own: str | None = None
    kept: tuple[tuple[int, int], ...] = ()

    def of(self, given: Sequence[Kept]) -> list[Kept]:
        """The undelivered markers, oldest first, its own last; ``given`` is the request's ``pending``."""
        found = [Kept(given[index].text, failures) for index, failures in self.kept if 0 <= index < len(given)]
        return [*found, *([Kept(self.own)] if self.own else [])]


class Answer(NamedTuple):
    """The one answer line. ``pending`` is left out where the request was unreadable: the library then keeps the request.

    ``more`` are the fields that one kind of step has besides.
    """

    delivered: bool
    accepted: bool
    deployment_id: str | None
    warnings: list[str]
    fail_build: str | None
    pending: StillPending | None
    more: Mapping[str, Json] = MappingProxyType({})

    def line(self) -> str:
        """The answer as one line of ASCII, without its line break."""
        fields: dict[str, Json] = {
            "last9Answer": CONTRACT,
            "delivered": self.delivered,
            "accepted": self.accepted,
            "deploymentId": self.deployment_id,
            "warnings": self.warnings,
            "failBuild": self.fail_build,
        }
        if self.pending is not None:
            fields["pending"] = {"own": self.pending.own, "kept": self.pending.kept}
        fields.update(self.more)
        return json.dumps(fields, separators=(",", ":"))


def still_pending(found: Json) -> StillPending | None:
    """An answer's ``pending``, as it was read from JSON; ``None`` if it has none that can be read."""
    if not isinstance(found, dict) or not isinstance(found.get("kept"), list):
        return None
    pairs = [pair for pair in found["kept"] if isinstance(pair, list) and len(pair) == 2]
    kept = tuple((index, failures) for index, failures in pairs if whole(index) is not None and whole(failures) is not None)
    own = found.get("own")
    return StillPending(own if isinstance(own, str) else None, kept)


def parse(text: str) -> Request:
    """Read a request.

    What has the wrong type counts as absent: one odd field must not cost the marker.
    Raises :exc:`RequestUnreadable` where there is no request of a version that this engine knows.
    """
    found = _object(text)
    kept = {name: value for name, value in found.items() if name not in _OF_THIS_RUN}
    window = _mapping(found.get("window"))
    body = found.get("body")
    return Request(
        step=str(found.get("step") or ""),
        timestamp_ms=_moment(found.get("timestampMs")),
        window_id=_text(window.get("id")),
        window_started_ms=_moment(window.get("startedAtMs")),
        options=_mapping(found.get("options")),
        connection=_connection(_mapping(found.get("connection"))),
        connection_problems=_texts(found.get("connectionProblems")),
        build=_mapping(found.get("build")),
        body=body if isinstance(body, dict) else None,
        secret_parameters=_texts(found.get("secretParameters")),
        parameters={name: value for name, value in _mapping(found.get("parameters")).items() if isinstance(value, str)},
        environment_allowlist=_texts(found.get("environmentAllowlist")),
        limit_seconds=_number(found.get("limitSeconds")),
        after_abort=found.get("afterAbort") is True,
        elsewhere=found.get("elsewhere") is True,
        pending=_pending(found.get("pending")),
        outages=_mapping(found.get("outages")),
        now_ms=_moment(found.get("nowMs")),
        text=json.dumps(kept, separators=(",", ":")) if found.get("keepsPending") is not False else "",
        configured=tuple(_texts(found.get("configured"))),
        report=_mapping(found.get("report")),
        credential_problem=_text(found.get("credentialProblem")),
    )


def _object(text: str) -> dict[str, Json]:
    try:
        found = json.loads(text)
        json.dumps(found)
    except RecursionError:
        raise RequestUnreadable("nested too deep") from None
    except ValueError:
        raise RequestUnreadable("not JSON") from None
    if not isinstance(found, dict):
        raise RequestUnreadable("not a JSON object")
    if found.get("contract") != CONTRACT:
        raise RequestUnreadable(f"contract version {found.get('contract')!r}, and this engine knows version {CONTRACT}")
    return found


def _connection(found: dict[str, Json]) -> dict[str, ConnectionField]:
    fields = {}
    for name, field in found.items():
        field = _mapping(field)
        value = _text(field.get("value"))
        if value is not None:
            # Whatever is not plainly `false` counts as chosen by a parameter: the careful reading of an odd field.
            chosen = field.get("fromParameter", False) is not False
            fields[name] = ConnectionField(value, str(field.get("source") or ""), chosen, tuple(_texts(field.get("trusted"))))
    return fields


def _pending(found: Json) -> tuple[Kept, ...]:
    """Every entry keeps its place, for the answer names it by its index; one that is none has no text."""
    kept = []
    for entry in found if isinstance(found, list) else []:
        entry = _mapping(entry)
        text, failures = entry.get("text"), whole(entry.get("failures"))
        kept.append(Kept(text if isinstance(text, str) else "", max(0, failures or 0)))
    return tuple(kept)


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _texts(value: Json) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _text(value: Json) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _number(value: Json) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    except OverflowError:
        return None


def _moment(value: Json) -> int | None:
    moment = whole(value)
    return moment if moment is not None and 0 <= moment <= LAST_MOMENT_MS else None


def whole(value: Json) -> int | None:
    """The whole number, ``None`` for anything else; JSON's ``true`` is none, though Python takes it for 1."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
