"""With any input, nothing crashes, nothing breaks the API's schema, no marker is lost and no secret is shown.

The examples are the same on every run and every machine: a failure in CI is a failure here.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest import mock

import httpx
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from last9_markers.check.connection_test import ConnectionTest
from last9_markers.core.errors import RequestUnreadable
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import rules
from last9_markers.fake_server.tokens import issue_refresh_token
from last9_markers.request.context import Context
from last9_markers.request.contract import CONTRACT, Answer, StillPending, parse
from last9_markers.runner.send_marker import MarkerHandler
from support import ManualClock, field, make_request

REPEATABLE = settings(derandomize=True, database=None, deadline=None, max_examples=120, suppress_health_check=list(HealthCheck))
URL = "https://api.example.com"
TOKEN = issue_refresh_token("acme", URL, jti="of-the-properties")
CONNECTION = {"orgSlug": field("acme"), "apiBaseUrl": field(URL)}

# -- what may come in ----------------------------------------------------------------------------------------------------------

#: Half an emoji and control characters included: Groovy, Windows and JSON let them through.
TEXT = st.text(st.characters(exclude_categories=()), max_size=30)
NAME = st.sampled_from(
    ["serviceName", "environment", "eventName", "eventState", "customAttributes", "timeoutSeconds", "version", "outcome"]
)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
VALUE = st.recursive(SCALAR, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8)
OPTIONS = st.dictionaries(NAME | TEXT, VALUE, max_size=6)
ATTRIBUTES = st.dictionaries(TEXT | st.sampled_from(["service", "scm.commit_sha", "deployment.id", "env"]), VALUE, max_size=6)
KEY = st.sampled_from(
    sorted(
        {*make_request("stop"), "config", "environment", "limitSeconds", "nowMs", "outages", "parameters", "profile", "secretParameters"}
    )
)
#: A good request with up to three keys replaced by anything.
REQUEST = st.dictionaries(KEY.filter(lambda key: key not in ("contract", "step", "pending")), VALUE, max_size=3)


class Response(NamedTuple):
    """One answer of a server gone mad, or ``error`` instead of one."""

    status: int
    body: bytes
    headers: dict[str, str]
    error: type[Exception] | None


STATUS = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 418, 422, 429, 500, 503, 599]) | st.integers(200, 599)
BODY = st.sampled_from(
    [b"", b"{}", b'{"access_token": "an-access-token"}', b'{"error": "invalid refresh token"}', b"<html>", b'{"error": ' + b"[" * 3000]
)
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "Location", "Content-Type"]),
    st.sampled_from(["0", "3", "9999999999", "-1", "soon", "Mon, 21 Sep 2026 14:30:00 GMT", "Thu, 99 Foo 2026"]),
    max_size=3,
)
FAILURE = st.sampled_from([httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, RuntimeError, UnicodeError, OSError])
REPLY = st.builds(
    Response,
    STATUS,
    BODY
    | st.binary(max_size=40)
    | VALUE.map(lambda value: json.dumps({"access_token": value, "expires_at": value, "error": value}).encode()),
    HEADERS,
    st.none() | st.none() | st.none() | FAILURE,
)


def _segment(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode()


def _claiming(value: Any) -> str:
    """A token whose every claim is that."""
    return issue_refresh_token("acme", URL, aud=value, exp=value, scopes=value, organization_slug=value)


# -- a Last9 that is strict, and one that is mad -------------------------------------------------------------------------------


class Last9(httpx.MockTransport):
    """Takes what the API's rules allow, and nothing else; ``replies`` come before that, one for each request."""

    def __init__(self, replies: list[Response] | None = None) -> None:
        super().__init__(self._answer)
        self._replies = list(replies or [])
        self.last: Response | None = None
        self.taken: list[dict[str, Any]] = []
        self.broken: list[str] = []

    def _answer(self, request: httpx.Request) -> httpx.Response:
        exchange, self.last = request.url.path == "/api/v4/oauth/access_token", None
        if self._replies:
            reply = self.last = self._replies.pop(0)
            if reply.error is not None:
                raise reply.error("of the properties")
            if request.method == "PUT" and 200 <= reply.status < 300:
                self._take(request)
            return httpx.Response(reply.status, headers=reply.headers, stream=httpx.ByteStream(reply.body))
        if exchange:
            return httpx.Response(200, stream=httpx.ByteStream(b'{"access_token": "an-access-token"}'))
        if request.method == "HEAD":
            return httpx.Response(200, stream=httpx.ByteStream(b""))
        self._take(request)
        return httpx.Response(200, stream=httpx.ByteStream(b'{"message": "success"}'))

    def _take(self, request: httpx.Request) -> None:
        content_type, token = request.headers.get("Content-Type", ""), request.headers.get("X-LAST9-API-TOKEN", "")
        try:
            event = rules.read_object(rules.Submission(content_type, token, request.content))
            rules.check_event(event)
        except rules.Refusal as refusal:
            self.broken.append(f"{refusal.error}: {request.content!r}")
        else:
            self.taken.append(event)


def is_refusal(reply: Response | None) -> bool:
    """Whether it refuses for good: a 4xx but 408 and 429, and no web page of something in between."""
    if reply is None or reply.error is not None or not 400 <= reply.status < 500 or reply.status in (408, 429):
        return False
    return reply.body.decode("utf-8", "replace").lstrip("\ufeff").strip()[:1] != "<"


@contextmanager
def time_by_hand() -> Iterator[ManualClock]:
    """Pauses pass on a clock of their own."""
    clock = ManualClock()
    with mock.patch("backoff._sync.time", SimpleNamespace(sleep=clock.sleep)):
        yield clock


def serve(make: Callable[[Any, Context], Any], request: dict[str, Any], last9: Last9, token: str | None = TOKEN) -> tuple[Answer, str]:
    """Run one request through the engine, debugging, and hold log and answer to what always holds."""
    log = io.StringIO()
    with time_by_hand() as clock:
        context = Context({"PATH": "/nowhere", "LAST9_DEBUG": "true"}, token, clock, BuildLog(log, Redactor()), last9)
        handler = make(parse(json.dumps(request)), context)
        answer = handler.run()
        assert clock.now <= 1000.0 + handler.budget.seconds
    said = log.getvalue()
    line = answer.line()
    assert line.isascii()
    assert "\n" not in line
    # no character from outside can begin a line of its own, or drive a terminal
    assert all(each.startswith("[Last9] ") for each in said.splitlines()), said
    assert all(letter == "\n" or letter.isprintable() or letter > "\x9f" for letter in said), said
    if token and len(token.strip()) >= 6:
        assert token.strip() not in said + json.dumps(json.loads(line), ensure_ascii=False)
    assert last9.broken == []
    return answer, said


def is_accounted_for(answer: Answer, last9: Last9, before: int = 0) -> bool:
    """The marker is with Last9, or queued, or a warning says why not."""
    kept = answer.pending is not None and len(answer.pending.kept) + bool(answer.pending.own) > before
    return (answer.delivered and bool(last9.taken)) or kept or bool(answer.warnings)


# -- the properties ------------------------------------------------------------------------------------------------------------


@REPEATABLE
@given(options=OPTIONS, attributes=ATTRIBUTES)
def test_options_and_attributes(options: dict[str, Any], attributes: dict[str, Any]) -> None:
    """With any options: Last9 accepts the event, or the warning says why there is none."""
    last9 = Last9()
    given_options = {"serviceName": "payments-api", "customAttributes": attributes, **options, "dryRun": "false"}
    answer, _ = serve(MarkerHandler, make_request(connection=CONNECTION, options=given_options), last9)
    assert answer.delivered is bool(last9.taken)
    assert answer.delivered or (not answer.accepted and answer.warnings)
    assert is_accounted_for(answer, last9)


@REPEATABLE
@given(attributes=ATTRIBUTES)
def test_custom_attributes_arrive(attributes: dict[str, Any]) -> None:
    """Every custom attribute that is a text arrives as it was given, halves of characters aside."""
    last9 = Last9()
    serve(MarkerHandler, make_request(connection=CONNECTION, options={"customAttributes": attributes}), last9)
    (event,) = last9.taken
    for name, value in attributes.items():
        settable = name.strip() and name.replace(".", "_") not in ("deployment_id", "deployment_window_duration_ms")
        if isinstance(value, str) and value and settable and not any("\ud800" <= letter <= "\udfff" for letter in name + value):
            assert event["attributes"][name] == value


@REPEATABLE
@given(changes=REQUEST, state=st.sampled_from(["start", "stop"]))
def test_whole_requests(changes: dict[str, Any], state: str) -> None:
    """A request with anything in the place of anything costs at most its own part, never the engine and never the schema."""
    last9 = Last9()
    request = {**make_request(state, connection=CONNECTION), **changes}
    answer, _ = serve(MarkerHandler, request, last9)
    assert answer.delivered is bool(last9.taken)
    dry = str(request.get("options", {})) if isinstance(request.get("options"), dict) else ""
    assert is_accounted_for(answer, last9) or "dryRun" in dry


@REPEATABLE
@given(
    text=st.one_of(TEXT, VALUE.map(json.dumps), st.dictionaries(TEXT, VALUE).map(lambda found: json.dumps({"contract": CONTRACT, **found})))
)
def test_texts_that_may_be_requests(text: str) -> None:
    """A text is a request or it is unreadable: there is no third."""
    try:
        request = parse(text)
    except RequestUnreadable:
        return
    assert json.loads(request.text)["contract"] == CONTRACT


@REPEATABLE
@given(replies=st.lists(REPLY, max_size=12))
def test_api_answers(replies: list[Response]) -> None:
    """With any answer of Last9: an accepted marker is delivered, one that was refused for good is dropped, others are queued."""
    last9 = Last9(replies)
    answer, _ = serve(MarkerHandler, make_request(connection=CONNECTION), last9)
    assert answer.pending is not None
    assert answer.delivered is bool(last9.taken)
    assert len(last9.taken) <= 1
    if answer.delivered:
        assert answer.pending == StillPending()
        assert answer.warnings == []
    else:
        assert len(answer.warnings) == 1
        kept = answer.pending.own
        assert kept is None or json.loads(kept)["event"]["timestamp"].endswith("123Z")
        assert (kept is None) is is_refusal(last9.last)


@REPEATABLE
@given(
    texts=st.lists(TEXT | VALUE.map(json.dumps) | ATTRIBUTES.map(lambda found: json.dumps({"last9Pending": 1, "event": found})), max_size=4)
)
def test_kept_texts_that_somebody_has_spoilt(texts: list[str]) -> None:
    """A spoilt text costs itself: it is handed back or dropped with a warning, and the marker behind it goes out."""
    last9 = Last9()
    answer, _ = serve(MarkerHandler, make_request("stop", connection=CONNECTION, pending=texts), last9)
    assert answer.delivered
    assert answer.pending is not None
    assert answer.pending.own is None
    assert {texts[index] for index, _ in answer.pending.kept} == set(texts) or answer.warnings


@REPEATABLE
@given(token=TEXT | TEXT.map(lambda text: f"a.{_segment(text)}.c") | VALUE.map(_claiming))
def test_tokens(token: str) -> None:
    """With any credential and any claims: no crash, no text of it in the log, and the marker is queued or delivered."""
    last9 = Last9()
    answer, _ = serve(MarkerHandler, make_request(), last9, token)
    assert is_accounted_for(answer, last9)
    assert all(event["event_state"] == "start" for event in last9.taken)


@REPEATABLE
@given(replies=st.lists(REPLY, max_size=6), options=OPTIONS, write=st.booleans())
def test_connection_tests(replies: list[Response], options: dict[str, Any], write: bool) -> None:
    """A connection test of any server has a finding for every check, writes only what it was asked to, and knows if it did."""
    last9 = Last9(replies)
    request = make_request(step="last9TestConnection", connection={**CONNECTION, "apiBaseUrl": field("http://127.0.0.1:9")}, window=None)
    request["options"] = {**options, "sendTestEvent": "true" if write else "false", "dryRun": "false"}
    answer, _ = serve(ConnectionTest, request, last9)
    assert answer.delivered is bool(last9.taken)
    assert not last9.taken or write
    findings = answer.more["findings"]
    assert {each["state"] for each in findings} <= {"ok", "warning", "failed"}
    assert answer.more["ok"] is not any(each["state"] == "failed" for each in findings)
    wanted = {"interpreter", "bundle", "token", "host", "proxy", "dns", "connection", "tls", "clock", "exchange", "scope", "organization"}
    assert {each["check"] for each in findings} >= wanted


@REPEATABLE
@given(secret=st.text(st.characters(exclude_categories=("Cs",)), min_size=6, max_size=40), context=st.tuples(TEXT, TEXT))
def test_redaction(secret: str, context: tuple[str, str]) -> None:
    """A known secret is in no cleaned text, with any text beside it, and a cleaned text is one printable line."""
    assume(len(secret.strip()) >= 6)
    assume(secret.strip() not in "****" and secret not in context[0] + context[1])
    redactor = Redactor()
    redactor.hide(secret)
    cleaned = redactor.clean(f"{context[0]}{secret}{context[1]}")
    assert secret.strip() not in cleaned
    assert len(cleaned.splitlines()) <= 1
