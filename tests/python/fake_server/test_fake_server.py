"""The fake Last9: strict where Last9 is, and broken as ordered. A lax one would let every other test pass for nothing."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import Any

import httpx
import pytest
from last9_markers.fake_server import FakeLast9

GOOD = {"event_name": "deployment", "event_state": "start", "timestamp": "2026-09-21T14:13:20.123Z", "attributes": {"a": "b"}}
EVENTS = "/api/v4/organizations/acme/change_events"
EXCHANGE = "/api/v4/oauth/access_token"


def _exchange(last9: FakeLast9, token: object = None) -> httpx.Response:
    return httpx.post(last9.url + EXCHANGE, json={"refresh_token": token or last9.refresh_token}, trust_env=False, timeout=20)


def _put(last9: FakeLast9, event: Any = GOOD, *, path: str = EVENTS, token: str | None = None, **headers: str) -> httpx.Response:
    token = f"Bearer {_exchange(last9).json()['access_token']}" if token is None else token
    content = event if isinstance(event, bytes) else json.dumps(event).encode()
    sent = {"Content-Type": "application/json", "X-LAST9-API-TOKEN": token, **headers}
    return httpx.put(last9.url + path, content=content, headers=sent, trust_env=False, timeout=20)


@pytest.mark.parametrize(
    "change",
    [
        {"event_name": ""},
        {"event_name": None},
        {"event_state": "begin"},
        {"event_state": None},
        {"timestamp": "2026-09-21T14:13:20"},
        {"timestamp": "2026-09-21 14:13:20Z"},
        {"timestamp": 1790000000},
        {"data_source_name": 7},
        {"attributes": {"a": 1}},
        {"attributes": {"a": None}},
        {"attributes": {"": "b"}},
        {"attributes": []},
        {"unheard_of": "x"},
    ],
)
def test_wrong_events_are_refused(last9: FakeLast9, change: dict[str, Any]) -> None:
    """Anything but a change event is a 400, and is not kept."""
    assert _put(last9, {**GOOD, **change}).status_code == 400
    assert last9.received() == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object(last9: FakeLast9, content: bytes) -> None:
    """A body that cannot be read is a 400, not a dropped connection."""
    assert _put(last9, content).status_code == 400


@pytest.mark.parametrize(
    ("token", "status", "error"),
    [
        ("", 400, "invalid access token"),
        ("no-bearer", 400, "invalid access token"),
        ("bearer lower", 400, "invalid access token"),
        ("Bearer never-issued", 400, "invalid refresh token: token is malformed"),
    ],
)
def test_bad_access_tokens(last9: FakeLast9, token: str, status: int, error: str) -> None:
    """A token that was not issued, or not sent as Last9 wants it, is refused in Last9's own words."""
    answer = _put(last9, token=token)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert last9.received() == []


def test_refusals_of_place_and_form(last9: FakeLast9) -> None:
    """Another organization, path, method or content type is not taken."""
    assert _put(last9, path=EVENTS.replace("acme", "globex")).status_code == 404
    assert _put(last9, path="/api/v4/nothing").status_code == 404
    assert _put(last9, **{"Content-Type": "text/plain"}).status_code == 400
    assert httpx.post(last9.url + EVENTS, trust_env=False, timeout=20).status_code == 405
    assert httpx.get(last9.url + EXCHANGE, trust_env=False, timeout=20).status_code == 405
    assert last9.received() == []


def test_tokens_that_are_not_good(last9: FakeLast9) -> None:
    """An unknown or expired refresh token is a 401, a read token a 403 at the event, an expired access token a 401."""
    assert _exchange(last9, "unknown").status_code == 401
    assert _exchange(last9, last9.issue(exp=1)).status_code == 401
    read = _exchange(last9, last9.issue(scopes=["read"])).json()["access_token"]
    assert _put(last9, token=f"Bearer {read}").status_code == 403
    last9.order({"on": "exchange", "times": 1, "access_token_lifetime": -1})
    assert _put(last9).json()["error"] == "Authorization token is expired"


def test_what_is_taken_is_kept(last9: FakeLast9) -> None:
    """An event is kept as it came, with organization and moment; requests are listed without a token."""
    assert _put(last9).json() == {"message": "success"}
    (event,) = last9.received()
    assert {key: event[key] for key in GOOD} == GOOD
    assert event["organization"] == "acme"
    assert last9.refresh_token not in json.dumps(last9.requests())
    last9.forget()
    assert last9.received() == last9.requests() == []


@pytest.mark.parametrize("order", ["x", 7, [None], {"onn": "event"}, [{"status": 503}, {"sttus": 1}]])
def test_orders_that_are_none(last9: FakeLast9, order: Any) -> None:
    """A misspelt fault would make a test pass for nothing: it is refused, whole."""
    with pytest.raises(ValueError, match="a fault is an object of"):
        last9.order(order)
    assert _put(last9).status_code == 200
    assert httpx.post(last9.url + "/faults", json=order, trust_env=False, timeout=20).status_code == 400


@pytest.mark.parametrize(
    "order",
    [
        {"status": "503"},
        {"status": True},
        {"status": 99},
        {"times": "1"},
        {"times": -1},
        {"times": 1.5},
        {"on": "events"},
        {"on": ["event"]},
        {"headers": "Retry-After: 1"},
        {"headers": {"Retry-After": 1}},
        {"body": {"error": "x"}},
        {"delay": "1"},
        {"delay": -1},
        {"drop": True},
        {"drop": "tail"},
        {"drip": None},
        {"size": 1.5},
        {"access_token_lifetime": "60"},
        {"rate_per_second": 2.5},
        [{"status": 503}, {"status": "503"}],
    ],
)
def test_orders_with_wrong_values(last9: FakeLast9, order: Any) -> None:
    """A value of the wrong type is refused with the key and what it must be; the whole order is ignored, and no connection is cut."""
    answer = httpx.post(last9.url + "/faults", json=order, trust_env=False, timeout=20)
    assert answer.status_code == 400
    key = next(iter(order[1] if isinstance(order, list) else order))
    assert answer.json()["error"].startswith(f"{key} must be ")
    assert _put(last9).status_code == 200


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_orders_with_endless_numbers(last9: FakeLast9, number: str) -> None:
    """A delay without end is not a delay."""
    content = f'{{"delay": {number}}}'.encode()
    assert httpx.post(last9.url + "/faults", content=content, trust_env=False, timeout=20).status_code == 400
    assert _put(last9).status_code == 200


def test_faults_come_as_often_as_ordered(last9: FakeLast9) -> None:
    """``times`` counts, ``on`` chooses, order is kept, and no time at all is never."""
    last9.order([{"on": "event", "times": 0, "status": 418}, {"on": "event", "times": 2, "status": 503}, {"on": "event", "status": 404}])
    assert [_put(last9).status_code for _ in range(4)] == [503, 503, 404, 404]
    last9.faults.cancel()
    assert _put(last9).status_code == 200


def test_faults_that_strike_now_and_then(last9: FakeLast9) -> None:
    """``every`` lets so many pass in between; a fault that has no turn leaves the request to the next one."""
    last9.order([{"on": "event", "every": 3, "status": 503}, {"on": "event", "every": 2, "status": 404}])
    assert [_put(last9).status_code for _ in range(6)] == [200, 404, 503, 200, 404, 503]


def test_faults_for_one_of_several(last9: FakeLast9) -> None:
    """``about`` selects by the body, not by the order of requests."""
    last9.order({"on": "event", "about": "slow", "times": 1, "status": 503})
    events = [{**GOOD, "event_name": name} for name in ("quick", "slow", "slow")]
    assert [_put(last9, event).status_code for event in events] == [200, 503, 200]


def test_what_is_under_way_is_forgotten_too(last9: FakeLast9) -> None:
    """An event that was held up does not turn up after everything was forgotten: one test's marker in the next one."""
    last9.order({"on": "event", "times": 1, "delay": 1})
    late = threading.Thread(target=_put, args=(last9,))
    late.start()
    while len(last9.requests()) < 2:
        time.sleep(0.01)
    last9.forget()
    late.join()
    assert last9.received() == []


def test_rate_limit(last9: FakeLast9) -> None:
    """So many requests in a second are served, the rest answer 429."""
    last9.order({"on": "exchange", "rate_per_second": 2})
    assert [_exchange(last9).status_code for _ in range(3)].count(200) >= 2
    statuses = [_exchange(last9).status_code for _ in range(5)]
    assert 429 in statuses


def test_it_serves_many_at_once(last9: FakeLast9) -> None:
    """One slow request does not hold up another."""
    last9.order({"on": "exchange", "times": 1, "delay": 30})

    def wait_in_vain() -> None:
        with contextlib.suppress(httpx.HTTPError):
            _exchange(last9)

    threading.Thread(target=wait_in_vain, daemon=True).start()
    while not last9.requests():
        time.sleep(0.01)
    began = time.monotonic()
    assert _exchange(last9).status_code == 200
    assert time.monotonic() - began < 20


def test_it_tells_of_any_number_of_markers(last9: FakeLast9) -> None:
    """What came in is reported whole, however much it is: a long list once came as blanks (seen with 400 markers)."""
    for _ in range(3):
        _put(last9, {**GOOD, "attributes": {"a": "b" * 40_000}})
    told = httpx.get(last9.url + "/received", trust_env=False, timeout=20)
    assert len(told.content) > 100_000
    assert told.json() == last9.received()
