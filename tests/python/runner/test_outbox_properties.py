"""The rules of the outbox, against a Last9 where some markers are poison: in any mixture, a marker harms only itself."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.marker.outages import HOLDS_MS
from last9_markers.marker.pending import LONGEST_MS, MOST_FAILURES
from last9_markers.request.context import Context
from last9_markers.request.contract import Kept, parse
from last9_markers.runner.send_marker import MarkerHandler
from support import STARTED_MS, ManualClock, field, make_request

REPEATABLE = settings(derandomize=True, database=None, deadline=None, max_examples=250, suppress_health_check=list(HealthCheck))
CONNECTION = {"orgSlug": field("acme"), "apiBaseUrl": field("https://api.example.com")}

#: What Last9 does with the event of a service: takes it, refuses it for good, cannot take it now, or does not answer.
FINAL = (400, 401, 403, 404, 413, 422)
FATES: tuple[Any, ...] = (200, *FINAL, 408, 429, 500, 503, httpx.ReadTimeout, httpx.ConnectError, httpx.RemoteProtocolError)
FATE = st.sampled_from(FATES) | st.just(200) | st.just(200)


class Last9(httpx.MockTransport):
    """Exchanges tokens unless ``down``, and treats each service's events as ``fates`` say, all others as well."""

    def __init__(self, fates: dict[str, Any], down: Any = None) -> None:
        super().__init__(self._answer)
        self._fates = fates
        self._down = down
        #: Every event that was tried, as its service; and those that were taken.
        self.tried: list[str] = []
        self.taken: list[str] = []
        self.requests = 0

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        fate = self._down
        if request.method == "PUT":
            service = json.loads(request.content)["attributes"]["service"]
            self.tried.append(service)
            fate = self._fates.get(service, 200)
            if fate == 200:
                self.taken.append(service)
        if isinstance(fate, type):
            raise fate("of the properties")
        body = b"{}" if request.method == "PUT" else b'{"access_token": "an-access-token"}'
        return httpx.Response(fate or 200, stream=httpx.ByteStream(body))


@contextmanager
def _time_by_hand() -> Iterator[ManualClock]:
    clock = ManualClock()
    with mock.patch("backoff._sync.time", SimpleNamespace(sleep=clock.sleep)):
        yield clock


class Run(NamedTuple):
    """What one run left: its answer's fields, the services still pending with their failures, and its log."""

    answer: Any
    pending: list[Kept]
    log: str


def _run(last9: Last9, request: dict[str, Any]) -> Run:
    log = io.StringIO()
    with _time_by_hand() as clock:
        parsed = parse(json.dumps(request))
        answer = MarkerHandler(parsed, Context({"PATH": "/nowhere"}, "some-token", clock, BuildLog(log, Redactor()), last9)).run()
    assert answer.pending is not None
    return Run(answer, answer.pending.of(parsed.pending), log.getvalue())


def _request(service: str, number: int, pending: list[Kept], **changes: Any) -> dict[str, Any]:
    return make_request(
        "stop",
        step="last9DeploymentMarker",
        body=None,
        window={"id": f"window-of-{service}"},
        timestampMs=STARTED_MS + number,
        options={"serviceName": service},
        connection=CONNECTION,
        pending=[kept._asdict() for kept in pending],
        **changes,
    )


def _service(kept: Kept) -> str:
    return str(json.loads(kept.text)["event"]["attributes"]["service"])


@REPEATABLE
@given(fates=st.lists(FATE, min_size=1, max_size=8), changed=st.lists(FATE, max_size=8))
def test_a_build_of_markers(fates: list[Any], changed: list[Any]) -> None:
    """One marker after another, each of a service of its own, some of them poison, some cured later.

    Each is tried at its own time; of the others each once at most, fewest failures first, then oldest, until one gets no answer; each ends
    with Last9, or pending, or in a line that names it; and the healthy ones are delivered in their own run without a warning.
    """
    fate_of = {f"s{number}": fate for number, fate in enumerate(fates)}
    last9 = Last9(fate_of)
    pending: list[Kept] = []
    outages: dict[str, Any] = {}
    log = ""
    for number, own in enumerate(list(fate_of)):
        last9.tried.clear()
        before = {_service(kept): kept.failures for kept in pending}
        ran = _run(last9, _request(own, number, pending, outages=outages))
        log += ran.log
        _check_order(last9.tried, own, before, fate_of)
        assert ran.answer.delivered is (fate_of[own] == 200)
        if fate_of[own] == 200:
            assert not [warning for warning in ran.answer.warnings if f" for {own} " in warning]
        pending, outages = ran.pending, ran.answer.more.get("outages", {})
        for kept in pending:
            service = _service(kept)
            assert kept.failures - before.get(service, 0) in (0, 1)
            assert kept.failures < MOST_FAILURES
            assert service not in last9.tried or fate_of[service] not in (200, *FINAL)
        fate_of.update(zip(list(fate_of)[: number + 1], changed))
    assert max(Counter(last9.taken).values(), default=1) == 1
    left = [_service(kept) for kept in pending]
    for service in fate_of:
        named = f"for {service} was not delivered" in log or f"for {service}, queued earlier" in log
        assert (service in last9.taken) + (service in left) <= 1
        assert service in last9.taken or named


def _check_order(tried: list[str], own: str, before: dict[str, int], fate_of: dict[str, Any]) -> None:
    """The own marker first; then each other once at most, fewest failures first, then oldest, until one gets no answer."""
    assert tried[0] == own
    others = [service for service in dict.fromkeys(tried) if service != own]
    for service in others:
        # A 401 earns a fresh token and one more try.
        assert tried.count(service) == (2 if fate_of[service] == 401 else 1)
    ordered = sorted(before, key=lambda service: before[service])
    assert others == ordered[: len(others)]
    without_answer = [service for service in others if isinstance(fate_of[service], type)]
    assert without_answer in ([], others[-1:])
    if fate_of[own] == 200 and not without_answer:
        assert others == ordered


@REPEATABLE
@given(fate=FATE, start=FATE, failures=st.integers(0, 2), own_fails=st.booleans())
def test_the_start_of_the_window(fate: Any, start: Any, failures: int, own_fails: bool) -> None:
    """The kept start of the window goes before its stop, and in every case the stop is tried."""
    first = _run(Last9({}, down=503), make_request(connection=CONNECTION, options={"serviceName": "w-start"}))
    (kept,) = first.pending
    last9 = Last9({"w-start": start, "w-stop": fate if own_fails else 200})
    request = make_request(
        "stop", connection=CONNECTION, options={"serviceName": "w-stop"}, pending=[kept._replace(failures=failures)._asdict()]
    )
    ran = _run(last9, request)
    assert last9.tried[0] == "w-start"
    assert "w-stop" in last9.tried
    assert last9.taken.count("w-start") == (start == 200)
    assert ran.answer.delivered is (not own_fails or fate == 200)
    if start == 200 or start in FINAL:
        assert "w-start" not in [_service(each) for each in ran.pending]
        assert (start == 200) or "for w-start, queued earlier, was rejected and dropped" in ran.log
    elif ran.answer.delivered:
        assert [each.failures for each in ran.pending] == ([failures + 1] if failures + 1 < MOST_FAILURES else [])
        assert "for w-start was not delivered" in ran.log
        assert ("for w-start, queued earlier, was given up" in ran.log) is (failures + 1 >= MOST_FAILURES)


@REPEATABLE
@given(down=st.sampled_from([500, 503, httpx.ReadTimeout, httpx.ConnectError]), gaps=st.lists(st.integers(1, 100_000), max_size=6))
def test_an_outage_is_said_once(down: Any, gaps: list[int]) -> None:
    """While an outage holds each marker gets a single attempt, and nothing is said again; two minutes later everything begins anew."""
    outages: dict[str, Any] = {}
    pending: list[Kept] = []
    now = STARTED_MS
    until = 0
    for number, gap in enumerate([0, *gaps]):
        now += gap
        last9 = Last9({}, down=down)
        ran = _run(last9, _request(f"s{number}", number, pending, nowMs=now, outages=outages))
        held = now < until
        assert last9.requests == (1 if held else 4)
        assert ("Last9 does not answer" in ran.log) is not held
        until = until if held else now + HOLDS_MS
        outages, pending = ran.answer.more["outages"], ran.pending
        assert list(outages.values()) == [until]
        assert all(kept.failures == 0 for kept in pending)
        assert len(pending) == number + 1
    # It ends with the first that gets through, and everything goes out with it.
    ran = _run(Last9({}), _request("well", 99, pending, nowMs=now, outages=outages))
    assert ran.answer.delivered
    assert "outages" not in ran.answer.more
    assert ran.pending == []


@REPEATABLE
@given(age=st.integers(0, 2 * LONGEST_MS))
def test_a_day(age: int) -> None:
    """A marker that Last9 does not get within a day is given up, in a line that names it, for every cause."""
    (kept,) = _run(Last9({}, down=503), _request("old", 0, [])).pending
    last9 = Last9({"old": 503, "new": 503})
    ran = _run(last9, _request("new", age, [kept]))
    assert last9.tried.count("old") == 1
    assert [_service(each) for each in ran.pending] == (["old", "new"] if age < LONGEST_MS else ["new"])
    assert ("for old, queued earlier, was given up" in ran.log) is (age >= LONGEST_MS)


@REPEATABLE
@given(
    outages=st.dictionaries(
        st.text(max_size=5) | st.just("last9-refresh-token acme https://api.example.com"),
        st.none() | st.integers() | st.text() | st.floats() | st.lists(st.integers()),
        max_size=4,
    )
)
def test_outages_that_somebody_has_spoilt(outages: dict[str, Any]) -> None:
    """Any value that comes back as outages costs nothing, and no outage lasts longer than two minutes."""
    ran = _run(Last9({}), _request("well", 0, [], nowMs=STARTED_MS, outages=json.loads(json.dumps(outages, default=str))))
    assert ran.answer.delivered
    assert all(STARTED_MS < until <= STARTED_MS + HOLDS_MS for until in ran.answer.more.get("outages", {}).values())
