"""What goes wrong between the engine and Last9, and what the engine makes of it: over real sockets and in real processes.

Each row says what Last9 does and what must be seen then: attempts made, markers received, words in the one warning, what is kept.
"""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from last9_markers.fake_server import FakeLast9
from last9_markers.runner.serve import ANSWERED
from support import STARTED, Loopback, StepResult, field, make_request, patience, run_step

SENT = "[Last9] Deployment marker sent successfully"
OUTAGE = "Last9 does not answer; markers of this build on this agent get one short attempt each for the next 2 minutes"
EXCHANGE, EVENT = "exchange", "event"


class Row(NamedTuple):
    """One fault and what comes of it. ``kept``: the marker waits for the next one; ``outage``: no answer, or a 5xx.

    The time limit is so far off that only a row about it meets it: attempts are counted, and a busy machine makes fewer in a short time.
    """

    name: str
    faults: list[dict[str, Any]]
    delivered: bool
    exchanges: int
    events: int
    words: str = ""
    kept: bool = True
    timeout: str = "30"
    limit: float = 6.0
    outage: bool = False


ROWS = [
    Row("well", [], True, 1, 1),
    Row("503 once at the exchange", [{"on": EXCHANGE, "times": 1, "status": 503}], True, 2, 1),
    Row("503 three times at the event", [{"on": EVENT, "times": 3, "status": 503}], True, 1, 4),
    Row("503 for ever at the event", [{"on": EVENT, "status": 503}], False, 1, 4, "503", outage=True),
    Row("503 for ever at the exchange", [{"on": EXCHANGE, "status": 503}], False, 4, 0, "503", outage=True),
    Row("503 with a Retry-After beyond the budget", [{"status": 503, "headers": {"Retry-After": "60"}}], False, 1, 0, "503", outage=True),
    Row("429 that passes", [{"on": EXCHANGE, "times": 2, "status": 429}], True, 3, 1),
    Row("429 with Retry-After", [{"on": EVENT, "times": 1, "status": 429, "headers": {"Retry-After": "1"}}], True, 1, 2),
    Row("cut before the answer", [{"on": EVENT, "times": 1, "drop": "before"}], True, 1, 2),
    Row("cut in the exchange's headers", [{"on": EXCHANGE, "times": 1, "drop": "headers"}], True, 2, 1),
    Row("cut in the exchange's body", [{"on": EXCHANGE, "times": 1, "drop": "body"}], True, 2, 1),
    Row("cut in the event's body: it was taken", [{"on": EVENT, "drop": "body"}], True, 1, 1),
    Row("event's body drips: it was taken", [{"on": EVENT, "size": 60000, "drip": 0.005}], True, 1, 1, limit=3.0),
    Row("a 100 MB answer to the exchange", [{"on": EXCHANGE, "size": 100_000_000}], False, 1, 0, "far too long"),
    Row("a 100 MB answer to the event", [{"on": EVENT, "size": 100_000_000}], True, 1, 1),
    Row("headers that drip", [{"on": EXCHANGE, "drip": 0.1}], False, 1, 0, "time limit", timeout="4", limit=5.0, outage=True),
    Row("a 401 at the exchange", [{"on": EXCHANGE, "status": 401}], False, 1, 0, "does not accept the refresh token", kept=False),
    Row("a 403 at the exchange", [{"on": EXCHANGE, "status": 403}], False, 1, 0, "write scope", kept=False),
    Row("an exchange that is not there", [{"on": EXCHANGE, "status": 404}], False, 1, 0, "apiBaseUrl", kept=False),
    Row("a 401 at the event, once", [{"on": EVENT, "times": 1, "status": 401}], True, 2, 2),
    Row("a 401 at the event, for ever", [{"on": EVENT, "status": 401}], False, 2, 2, "just issued", kept=False),
    Row(
        "a 400 that speaks of a token, once",
        [{"on": EVENT, "times": 1, "status": 400, "body": '{"error": "invalid refresh token: x"}'}],
        True,
        2,
        2,
    ),
    Row("a 403 at the event", [{"on": EVENT, "status": 403}], False, 1, 1, "write scope", kept=False),
    Row("a 404 at the event", [{"on": EVENT, "status": 404}], False, 1, 1, "does not know organization 'acme'", kept=False),
    Row(
        "a 400 about the event",
        [{"on": EVENT, "status": 400, "body": '{"error": "too many labels"}'}],
        False,
        1,
        1,
        "too many labels",
        kept=False,
    ),
    Row("a redirect", [{"status": 302, "headers": {"Location": "http://127.0.0.1:9/steal"}}], False, 1, 0, "redirected the request"),
    Row("HTML at the exchange", [{"on": EXCHANGE, "body": "<html>portal</html>"}], False, 1, 0, "HTML"),
    Row("broken JSON at the exchange", [{"on": EXCHANGE, "body": '{"access_token": "x'}], False, 1, 0, "not JSON"),
    Row("no access token", [{"on": EXCHANGE, "body": '{"type": "Bearer"}'}], False, 1, 0, "no usable access_token"),
    Row("an access token that is no text", [{"on": EXCHANGE, "body": '{"access_token": 7}'}], False, 1, 0, "no usable access_token"),
    Row(
        "an access token that would break the header",
        [{"on": EXCHANGE, "body": '{"access_token": "a\\r\\nX-Evil: 1"}'}],
        False,
        1,
        0,
        "no usable access_token",
    ),
    Row("HTML with status 200 at the event", [{"on": EVENT, "body": "<html>fine</html>"}], True, 1, 1),
    Row("a slow exchange", [{"on": EXCHANGE, "delay": 1.0}], True, 1, 1),
    Row("an access token that dies at once", [{"on": EXCHANGE, "times": 1, "access_token_lifetime": -1}], True, 2, 2),
]


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_fault(row: Row, last9: FakeLast9, tmp_path: Path) -> None:
    """One fault costs at most its time, is one warning with a remedy, and loses no marker that can still be delivered."""
    last9.order(row.faults)
    done = run_step(make_request(options={"timeoutSeconds": row.timeout}), last9.refresh_token, tmp_path)
    assert done.code == ANSWERED
    assert done.answer["delivered"] is row.delivered, done.stderr
    assert done.answer["accepted"] is True
    assert done.seconds < row.limit + patience()
    paths = [entry["path"].rpartition("/")[2] for entry in last9.requests()]
    assert (paths.count("access_token"), paths.count("change_events")) == (row.exchanges, row.events)
    _check_log(row, done)
    assert_silent(done, last9)
    if not row.delivered:
        assert len(done.pending) == row.kept


def _check_log(row: Row, done: StepResult) -> None:
    lines = done.stderr.splitlines()
    assert lines[0] == "[Last9] Sending deployment marker: deployment (start) for payments-api"
    if row.delivered:
        assert lines[1:] == [SENT]
        assert done.answer["warnings"] == []
        assert done.pending == []
    else:
        (warning,) = done.answer["warnings"]
        assert lines[1:] == [f"[Last9] WARNING: {warning}", *([f"[Last9] {OUTAGE}"] if row.outage else [])]
        assert ("The marker is queued" in warning) is row.kept
        assert row.words in warning


def assert_silent(done: StepResult, last9: FakeLast9) -> None:
    """Nothing of a token is in what the engine said."""
    said = done.stdout + done.stderr
    assert last9.refresh_token not in said
    assert last9.refresh_token.split(".")[1] not in said
    assert "access-" not in said
    assert "Traceback" not in said


def test_a_crowded_endpoint_holds_no_marker_up(last9: FakeLast9, tmp_path: Path) -> None:
    """429 without end ends within the budget in one warning. How often it is asked meanwhile is counted in ``test_api``, by hand."""
    last9.order({"on": EXCHANGE, "status": 429})
    done = run_step(make_request(options={"timeoutSeconds": "5"}), last9.refresh_token, tmp_path)
    assert done.seconds < 5.5 + patience()
    assert "429" in done.answer["warnings"][0]
    assert len(done.pending) == 1


def test_exchange_and_event_share_one_connection(last9: FakeLast9, tmp_path: Path) -> None:
    """A marker costs one connection, and so one TLS handshake."""
    run_step(make_request(), last9.refresh_token, tmp_path)
    assert {entry["connection"] for entry in last9.requests()} == {1}


@pytest.mark.parametrize("lifetime", ["before", "headers"])
def test_an_outage_at_the_start_loses_nothing(lifetime: str, last9: FakeLast9, tmp_path: Path) -> None:
    """503 or cut connections for the whole start, then a healthy stop: Last9 has start, with its original time, and stop, in order."""
    last9.order({"status": 503} if lifetime == "before" else {"on": EXCHANGE, "drop": "headers"})
    start = run_step(make_request(), last9.refresh_token, tmp_path)
    assert start.answer["delivered"] is False
    assert len(start.pending) == 1
    last9.faults.cancel()
    stop = run_step(make_request("stop", pending=start.pending), last9.refresh_token, tmp_path)
    assert stop.answer["delivered"] is True
    assert stop.pending == []
    assert "Also sent: 1 queued deployment marker" in stop.stderr
    received = last9.received()
    assert [event["event_state"] for event in received] == ["start", "stop"]
    assert received[0]["timestamp"] == STARTED
    assert received[0]["attributes"]["deployment.id"] == received[1]["attributes"]["deployment.id"]


def test_what_was_kept_is_repeated_to_the_byte(last9: FakeLast9, tmp_path: Path) -> None:
    """A marker kept over two outages is sent as it was first composed, even if the environment has changed."""
    last9.order({"status": 503, "headers": {"Retry-After": "60"}})
    environ = {"BUILD_URL": "https://jenkins/1", "NODE_NAME": "gone"}
    first = run_step(make_request(), last9.refresh_token, tmp_path, environ=environ)
    second = run_step(make_request("stop", pending=first.pending), last9.refresh_token, tmp_path)
    assert second.pending[0] == first.pending[0]
    assert len(second.pending) == 2
    last9.faults.cancel()
    third = run_step(make_request("stop", pending=second.pending), last9.refresh_token, tmp_path)
    assert third.pending == []
    assert len(last9.received()) == 3
    kept = json.loads(first.pending[0])["event"]
    assert {key: last9.received()[0][key] for key in kept} == kept
    assert kept["attributes"]["jenkins.node_name"] == "gone"


def _mute(peer: socket.socket) -> None:
    while peer.recv(65536):
        pass


def _reset(peer: socket.socket) -> None:
    peer.recv(1)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _garbage(peer: socket.socket) -> None:
    peer.sendall(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    peer.recv(65536)


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (_mute, "did not answer in time|the time limit of 3 s is over"),
        (_reset, "closed the connection early"),
        (_garbage, "did not send an HTTP response"),
    ],
)
def test_servers_that_speak_no_http(behaviour: Callable[[socket.socket], None], words: str, tmp_path: Path) -> None:
    """A server that is mute, resets or talks garbage holds a marker no longer than its limit, and the marker is kept."""
    with Loopback(behaviour) as server:
        url = f"http://127.0.0.1:{server.port}"
        wanted = make_request(options={"timeoutSeconds": "3"}, connection={"apiBaseUrl": field(url), "orgSlug": field("acme")})
        done = run_step(wanted, "opaque-refresh-token", tmp_path)
    assert done.seconds < 3 + 1 + patience()
    assert done.answer["delivered"] is False
    assert re.search(words, done.answer["warnings"][0])
    assert len(done.pending) == 1
    assert SENT not in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://127.0.0.1:1", "refused the connection"), ("https://no-such-host.invalid", "cannot be resolved")],
)
def test_nobody_there(url: str, words: str, tmp_path: Path) -> None:
    """A closed port and an unknown name are distinguished."""
    wanted = make_request(options={"timeoutSeconds": "3"}, connection={"apiBaseUrl": field(url), "orgSlug": field("acme")})
    done = run_step(wanted, "opaque-refresh-token", tmp_path)
    assert done.seconds < 3 + 1 + patience()
    assert words in done.answer["warnings"][0]


def test_a_crowd_gets_through(last9: FakeLast9, tmp_path: Path) -> None:
    """Fifty engines at an endpoint that exchanges five tokens a second all deliver within their budget of 30 s."""
    last9.order({"on": EXCHANGE, "rate_per_second": 5})

    def one(number: int) -> StepResult:
        folder = tmp_path / str(number)
        folder.mkdir()
        return run_step(make_request(options={"timeoutSeconds": "30"}), last9.refresh_token, folder)

    with ThreadPoolExecutor(50) as pool:
        done = list(pool.map(one, range(50)))
    assert [run.answer["delivered"] for run in done] == [True] * 50, next(run.stderr for run in done if not run.answer["delivered"])
    assert len(last9.received()) == 50
