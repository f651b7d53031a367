"""The request that the library writes and the answer that it reads: ``tests/contract/README.md``, version 2.

Nothing is validated here: values are as the step got them. :mod:`~last9_markers.request.options` and
:mod:`~last9_markers.request.routing` trim and validate them and fill in the defaults.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from last9_markers.core.errors import RequestUnreadable
from last9_markers.core.formats import LAST_MOMENT_MS

CONTRACT = 2

#: The ``step`` of a request that a command wrote, not the library.
SHELL_COMMANDS = ("send", "window", "check")

#: The ``step`` of a request that only closes windows of earlier builds, with a credential that is not that of the build's marker.
CLOSES = "closeLeftOpen"

#: The keys that say something about this run alone, and nothing about the marker: a kept request goes without them.
_OF_THIS_RUN = ("pending", "leftOpen", "outages", "keepsPending", "limitSeconds", "afterAbort", "nowMs")

#: The ids that the library makes are UUIDs.
_WINDOW = re.compile(r"[A-Za-z0-9-]{1,64}")

Json = Any


class Choice(NamedTuple):
    """A name as the library resolved it before it came to the agent, and the level that named it."""

    value: str
    source: str


class Kept(NamedTuple):
    """A marker that is not with Last9 yet: an opaque text, and how often it has failed by itself."""

    text: str
    failures: int = 0


class LeftOpen(NamedTuple):
    """A window that an earlier build of the job left open. All of it is data from the author of that build's Jenkinsfile."""

    build: int
    job: str | None
    url: str | None
    node: str | None
    result: str | None
    window_id: str
    started_ms: int
    #: The time of its stop, if that was tried, else the end of the build.
    stopped_ms: int
    #: Its stop was tried: it was not left open on purpose.
    tried: bool
    manual: bool
    #: The log has said already why it stays open.
    named: bool
    #: ``serviceName``, ``environment``, ``eventName``, and where it goes, each resolved when the window began.
    options: dict[str, Json]


class Request(NamedTuple):
    """What the step was asked to send. Absent means unknown; ``text`` is the request itself as it is kept, without what is of one run.

    ``text`` is empty if the caller does not queue markers (``keepsPending`` is false); then no log line may promise it.
    """

    step: str
    #: The marker's time, and the moment of this try; epoch milliseconds of the controller's clock.
    timestamp_ms: int | None
    now_ms: int | None
    window_id: str | None
    window_started_ms: int | None
    #: What the step was given, and what ``last9Config`` said: raw values. :meth:`option` takes both together.
    options: dict[str, Json]
    config: dict[str, Json]
    #: As the library resolved them, which has bound that credential; ``None`` from the command line.
    profile: Choice | None
    credential: Choice | None
    #: Every build parameter that is not a password, and the names of those that are: a person who only starts builds can set them.
    parameters: dict[str, str]
    secret_parameters: list[str]
    #: Allowlisted variables that a shell drops.
    environment: dict[str, str]
    folder: str | None
    #: This node was taken for the marker alone: its workspace says nothing about the build.
    borrowed_node: bool
    #: ``causes`` and ``upstreamCauses`` (root last) are lists of objects here.
    build: dict[str, Json]
    body: dict[str, Json] | None
    #: Seconds after which everything has ended, interpreter and grace included.
    limit_seconds: float | None
    after_abort: bool
    pending: tuple[Kept, ...]
    #: Opaque to everybody but the delivery.
    outages: dict[str, Json]
    text: str
    credential_problem: str | None = None
    #: What a report is made of.
    report: Mapping[str, Json] = MappingProxyType({})
    #: By their index in the request; ``None`` if it is not a window of an earlier build.
    left_open: tuple[LeftOpen | None, ...] = ()
    #: The commit that an earlier build of the job deployed last to this service and environment.
    #: The commit that the job has deployed last to this place; empty if it has deployed only to others.
    last_commit: str | None = None

    def option(self, name: str) -> Json:
        """An option's raw value: the step's own, or else the one of ``last9Config``; ``None`` or a blank text is not given."""
        value = self.options.get(name)
        return self.config.get(name) if _is_blank(value) else value

    def is_configured(self, name: str) -> bool:
        """Whether ``last9Config`` gave the option, and not the step itself."""
        return name in self.config and _is_blank(self.options.get(name))


class StillPending(NamedTuple):
    """What is pending after a run: its own marker's text, and which of the request's ``pending``, each as index and failures."""

    own: str | None = None
    kept: tuple[tuple[int, int], ...] = ()

    def of(self, given: Sequence[Kept]) -> list[Kept]:
        """The pending markers, oldest first, its own last; ``given`` is the request's ``pending``."""
        found = [Kept(given[index].text, failures) for index, failures in self.kept if 0 <= index < len(given)]
        return [*found, *([Kept(self.own)] if self.own else [])]


class Answer(NamedTuple):
    """The answer. ``pending`` is left out if the request was unreadable: the library then keeps the request.

    ``more`` are the fields that one kind of step has besides (``records``, ``dryRun``, ``outages``, ``code`` and the like).
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

    A value of the wrong type is taken as absent: one odd field must not cost the marker.
    Raises :exc:`RequestUnreadable` if this is not a request of a version that this engine knows.
    """
    found = _object(text)
    try:
        return _request(found)
    except RecursionError:
        raise RequestUnreadable("nested too deep") from None


def _request(found: dict[str, Json]) -> Request:
    window = _mapping(found.get("window"))
    body = found.get("body")
    given: dict[str, dict[str, Json]] = {name: _options(found[name]) for name in ("options", "config") if name in found}
    kept = {name: value for name, value in (found | given).items() if name not in _OF_THIS_RUN}
    return Request(
        step=str(found.get("step") or ""),
        timestamp_ms=_moment(found.get("timestampMs")),
        now_ms=_moment(found.get("nowMs")),
        window_id=_text(window.get("id")),
        window_started_ms=_moment(window.get("startedAtMs")),
        options=given.get("options", {}),
        config=given.get("config", {}),
        profile=_choice(found.get("profile")),
        credential=_choice(found.get("credential")),
        parameters={name: _as_text(value) for name, value in _mapping(found.get("parameters")).items()},
        secret_parameters=_texts(found.get("secretParameters")),
        environment={name: value for name, value in _mapping(found.get("environment")).items() if isinstance(value, str)},
        folder=_text(found.get("folder")),
        borrowed_node=found.get("borrowedNode") is True,
        build=_build(_mapping(found.get("build"))),
        body=body if isinstance(body, dict) else None,
        limit_seconds=_number(found.get("limitSeconds")),
        after_abort=found.get("afterAbort") is True,
        pending=_pending(found.get("pending")),
        outages=_mapping(found.get("outages")),
        text=json.dumps(kept, separators=(",", ":")) if found.get("keepsPending") is not False else "",
        credential_problem=_text(found.get("credentialProblem")),
        report=_mapping(found.get("report")),
        left_open=tuple(_left_open(_mapping(entry)) for entry in _list(found.get("leftOpen"))),
        last_commit="" if found.get("lastCommit") == "" else _text(found.get("lastCommit")),
    )


class _Decimal(str):
    """A number with a decimal point, as it was written: ``version: 1.10`` is not 1.1."""

    __slots__ = ()


def _object(text: str) -> dict[str, Json]:
    try:
        found = json.loads(text, parse_float=_Decimal)
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


def _options(found: Json) -> dict[str, Json]:
    """Options by name. A number that is an option's own value, or an attribute's, stays as it was written; one further inside is one."""
    options = {}
    for name, value in _mapping(found).items():
        if name == "customAttributes" and isinstance(value, dict):
            options[name] = {key: _plain(inner) for key, inner in value.items()}
        else:
            options[name] = _plain(value)
    return options


def _plain(value: Json) -> Json:
    return str(value) if isinstance(value, _Decimal) else _numbers(value)


def _numbers(value: Json) -> Json:
    if isinstance(value, _Decimal):
        number = float(value)
        return number if math.isfinite(number) else str(value)
    if isinstance(value, dict):
        return {name: _numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    return value


def _choice(found: Json) -> Choice | None:
    found = _mapping(found)
    value = _text(found.get("value"))
    return Choice(value, str(found.get("source") or "")) if value else None


def _build(found: dict[str, Json]) -> dict[str, Json]:
    """``causes`` come as Jenkins' own JSON text. Newer versions nest the causes of upstream builds, older ones only know the builds."""
    causes = _causes(found.get("causes"))
    upstream = [*_nested(causes), *(cause for text in _texts(found.get("upstreamCauses")) for cause in _causes(text))]
    return {**found, "causes": causes, "upstreamCauses": upstream}


def _causes(text: Json) -> list[dict[str, Json]]:
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return []
    return [cause for cause in found if isinstance(cause, dict)] if isinstance(found, list) else []


def _nested(causes: Iterable[dict[str, Json]]) -> list[dict[str, Json]]:
    """Level by level, so that the root of the chain comes last."""
    found: list[dict[str, Json]] = []
    level = list(causes)
    while level:
        level = [inner for cause in level for inner in _list(cause.get("upstreamCauses")) if isinstance(inner, dict)]
        found += level
    return found


def _pending(found: Json) -> tuple[Kept, ...]:
    """Every entry keeps its place, because the answer names it by its index; an invalid one has no text."""
    kept = []
    for entry in _list(found):
        entry = _mapping(entry)
        text, failures = entry.get("text"), whole(entry.get("failures"))
        kept.append(Kept(text if isinstance(text, str) else "", max(0, failures or 0)))
    return tuple(kept)


def _left_open(found: dict[str, Json]) -> LeftOpen | None:
    opened = _mapping(found.get("open"))
    build, window, started = whole(found.get("build")), opened.get("id"), _moment(opened.get("at"))
    tried = _moment(opened.get("stop"))
    stopped = tried if tried is not None else _moment(found.get("endedMs"))
    if build is None or started is None or stopped is None or not isinstance(window, str) or not _WINDOW.fullmatch(window):
        return None
    job, url, node, result = (_text(found.get(name)) for name in ("job", "url", "node", "result"))
    return LeftOpen(
        build, job, url, node, result, window, started, stopped, tried is not None,
        manual=opened.get("manual") is True, named=opened.get("named") is True, options=_options(opened.get("o")),
    )  # fmt: skip


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _texts(value: Json) -> list[str]:
    return [item for item in _list(value) if isinstance(item, str)]


def _text(value: Json) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _as_text(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _is_blank(value: Json) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _number(value: Json) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, _Decimal)):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _moment(value: Json) -> int | None:
    moment = whole(value)
    return moment if moment is not None and 0 <= moment <= LAST_MOMENT_MS else None


def whole(value: Json) -> int | None:
    """The whole number, ``None`` for anything else; JSON's ``true`` is none, though Python takes it for 1."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
