"""The connection: what goes wrong below HTTP, and where a token may go at all."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from last9_markers.core.errors import BaseUrlUnusable
from last9_markers.fake_server import FakeLast9
from last9_markers.request.destination import read_base_url
from last9_markers.request.token import Claims
from pytest_httpx import HTTPXMock
from support import Loopback, ManualClock, field, make_request, run_marker

ELSEWHERE = {"orgSlug": field("acme"), "apiBaseUrl": field("https://api.example.com")}


@contextmanager
def _server(says: bytes | None) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads a little, says that (nothing: None) and hangs up."""
    heard: list[bytes] = []

    def serve(peer: socket.socket) -> None:
        heard.append(peer.recv(65536))
        peer.sendall(says or b"")

    with Loopback(serve) as server:
        yield f"http://127.0.0.1:{server.port}", heard


def _unsent(clock: ManualClock, url: str, token: str = "some-refresh-token") -> str:
    request = make_request(connection={"orgSlug": field("acme"), "apiBaseUrl": field(url)})
    ran = run_marker(request, token, clock=clock)
    assert not ran.answer.delivered
    assert ran.pending
    (warning,) = ran.answer.warnings
    return warning


def test_connection_refused(clock: ManualClock) -> None:
    """A port without a server is tried three times more, and reported as such."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert "127.0.0.1 refused the connection" in _unsent(clock, f"http://127.0.0.1:{port}")
    assert len(clock.slept) == 3


def test_connection_dropped(clock: ManualClock) -> None:
    """A server that hangs up is tried three times more, and told as such."""
    with _server(None) as (url, heard):
        assert "closed the connection early" in _unsent(clock, url)
    assert len(heard) == 4


@pytest.mark.parametrize("says", [b"garbage\r\n\r\n", b"\x16\x03\x01\x00\xff" * 9, b"HTTP/1.1 abc\r\n\r\n"])
def test_garbage(clock: ManualClock, says: bytes) -> None:
    """A reply that is not HTTP gives a clean warning that shows none of it."""
    with _server(says) as (url, _):
        warning = _unsent(clock, url)
    assert "did not send an HTTP response" in warning
    assert "garbage" not in warning


def test_dropped_once_and_then_well(last9: FakeLast9, clock: ManualClock) -> None:
    """One cut connection costs a pause, not the marker, and it is delivered once."""
    last9.order({"on": "event", "times": 1, "drop": "before"})
    assert run_marker(make_request(), last9.refresh_token, clock=clock).answer.delivered
    assert len(last9.received()) == 1
    assert len(clock.slept) == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectTimeout("x"), "did not accept a connection in time"),
        (httpx.ReadTimeout("x"), "did not answer in time"),
        (httpx.WriteTimeout("x"), "did not answer in time"),
        (httpx.ReadError("x"), "closed the connection early"),
        (httpx.WriteError("x"), "closed the connection early"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "closed the connection early"),
        (httpx.RemoteProtocolError("illegal status line"), "did not send an HTTP response"),
        (httpx.ConnectError("x"), "cannot be reached"),
        (RuntimeError("x"), "cannot be reached"),
    ],
)
def test_every_network_error_is_tried_again(httpx_mock: HTTPXMock, clock: ManualClock, error: Exception, words: str) -> None:
    """Each way in which no answer comes is transient: three retries, one warning of ours, and the marker kept."""
    httpx_mock.add_exception(error, is_reusable=True)
    ran = run_marker(make_request(connection=ELSEWHERE), "some-refresh-token", clock=clock)
    (warning,) = ran.answer.warnings
    assert f"api.example.com {words}" in warning
    assert len(httpx_mock.get_requests()) == 4
    assert ran.pending


@pytest.mark.parametrize(
    ("said", "attempts", "words"),
    [
        ("502 Bad Gateway", 4, "the proxy cannot reach Last9."),
        ("503 Service Unavailable", 4, "the proxy cannot reach Last9."),
        ("407 Proxy Authentication Required", 1, "rejected the request (407 Proxy Authentication Required). Check HTTPS_PROXY"),
        ("403 Forbidden", 1, "rejected the request (403 Forbidden)."),
    ],
)
def test_what_a_proxy_answers(httpx_mock: HTTPXMock, clock: ManualClock, said: str, attempts: int, words: str) -> None:
    """A proxy that cannot get through is tried again, as it may pass; one that does not want to is not."""
    httpx_mock.add_exception(httpx.ProxyError(said), is_reusable=True)
    ran = run_marker(make_request(connection=ELSEWHERE), "some-refresh-token", clock=clock)
    (warning,) = ran.answer.warnings
    assert words in warning
    assert len(httpx_mock.get_requests()) == attempts
    assert ran.pending


def test_a_name_that_does_not_resolve(httpx_mock: HTTPXMock, clock: ManualClock) -> None:
    """A name that DNS does not know is reported as such."""
    error = httpx.ConnectError("x")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    httpx_mock.add_exception(error, is_reusable=True)
    ran = run_marker(make_request(connection=ELSEWHERE), "some-refresh-token", clock=clock)
    assert "the name api.example.com cannot be resolved" in ran.answer.warnings[0]


def test_a_body_that_drips(clock: ManualClock) -> None:
    """No single byte is late, but the budget is over all of them: reading ends with it, not only when the watchdog strikes."""

    class Dripping(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(100):
                clock.sleep(1)
                yield b" "

    dripping = httpx.MockTransport(lambda _: httpx.Response(200, stream=Dripping()))
    ran = run_marker(make_request(connection=ELSEWHERE), "some-refresh-token", clock=clock, transport=dripping)
    assert "api.example.com did not answer in time" in ran.answer.warnings[0]
    assert sum(clock.slept) == 10
    assert ran.pending


def test_each_attempt_is_told_by_its_own_end(httpx_mock: HTTPXMock, clock: ManualClock) -> None:
    """What the first attempt met is not held against the last: Python hangs the one exception to the other."""
    error = httpx.ConnectError("x")
    error.__cause__ = socket.gaierror(-2, "Name or service not known")
    httpx_mock.add_exception(error)
    httpx_mock.add_exception(httpx.ReadError("x"), is_reusable=True)
    ran = run_marker(make_request(connection=ELSEWHERE), "some-refresh-token", clock=clock)
    assert "api.example.com closed the connection early" in ran.answer.warnings[0]


def test_what_goes_over_the_wire(httpx_mock: HTTPXMock, clock: ManualClock) -> None:
    """Exchange and event are exactly the two documented requests, and the refresh token is in the first alone."""
    httpx_mock.add_response(json={"access_token": "the-access-token"})
    httpx_mock.add_response(json={"message": "success"})
    assert run_marker(make_request(connection=ELSEWHERE), "some-refresh-token", clock=clock).answer.delivered
    exchange, event = httpx_mock.get_requests()
    assert (exchange.method, str(exchange.url)) == ("POST", "https://api.example.com/api/v4/oauth/access_token")
    assert exchange.content == b'{"refresh_token": "some-refresh-token"}'
    assert (event.method, str(event.url)) == ("PUT", "https://api.example.com/api/v4/organizations/acme/change_events")
    assert event.headers["X-LAST9-API-TOKEN"] == "Bearer the-access-token"
    assert event.headers["Content-Type"] == "application/json"
    assert b"some-refresh-token" not in event.content + str(event.headers).encode()


@pytest.mark.parametrize(
    "url", ["http://example.com", "HTTP://app.last9.io", "http://10.0.0.1", "http://127.0.0.1.example.com", "http://0.0.0.0"]
)
def test_plain_http_is_refused(httpx_mock: HTTPXMock, clock: ManualClock, url: str) -> None:
    """Off this machine the token never goes over plain http: no request is made at all."""
    request = make_request(connection={"orgSlug": field("acme"), "apiBaseUrl": field(url)})
    ran = run_marker(request, "some-refresh-token", clock=clock)
    assert "plain http" in ran.answer.warnings[0]
    assert not ran.answer.accepted
    assert ran.pending == []
    assert httpx_mock.get_requests() == []


@pytest.mark.parametrize(
    "url",
    [
        "https://user@example.com",
        "https://user:pw@example.com",
        "https://example.com?x=1",
        "https://example.com#x",
        "https://example.com/../x",
        "https://example.com/%2e%2e",
        "https://example.com\\@evil.example",
        "https://example.com\r\nX: y",
        "https://exa mple.com",
        "https://-example.com",
        "https://a..b",
        "https://example.com:0",
        "https://example.com:99999",
        "https://[::1",
        "https://[::g]",
        "ftp://example.com",
        "file:///etc/passwd",
        "https://",
        "https://ex\u00e4mple.com",
    ],
)
def test_base_urls_that_are_refused(url: str) -> None:
    """User information, path tricks, control characters and other schemes are ways to make a URL look like another."""
    with pytest.raises(BaseUrlUnusable):
        read_base_url(url)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("app.last9.io", "https://app.last9.io"),
        ("HTTPS://App.Last9.io:443/api/v4/", "https://app.last9.io"),
        ("https://example.com/last9/api", "https://example.com/last9"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://127.8.9.1", "http://127.8.9.1"),
    ],
)
def test_base_urls_that_are_taken(given: str, meant: str) -> None:
    """What people paste is read as what they mean."""
    assert read_base_url(given).text == meant


@pytest.mark.parametrize("slug", ["../x", "a/b", "a b", "a%2fb", "a\nb", "-a", ".", "", "ä", "x" * 101])
def test_slugs_that_are_refused(httpx_mock: HTTPXMock, clock: ManualClock, slug: str) -> None:
    """Nothing but a slug gets into the path; a blank one is ignored."""
    fields = {**ELSEWHERE, "orgSlug": field(slug)}
    ran = run_marker(make_request(connection=fields), "some-refresh-token", clock=clock)
    assert ("is not a valid organization slug" if slug else "no organization is configured") in ran.answer.warnings[0]
    assert httpx_mock.get_requests() == []


@pytest.mark.parametrize(
    "url", ["https://last9.io.example.com", "https://evil-last9.io", "https://last9.io@evil.example", "https://notlast9.io"]
)
def test_a_host_that_a_parameter_chose(httpx_mock: HTTPXMock, clock: ManualClock, url: str) -> None:
    """A person who may start a build must not be able to send the token elsewhere, by no likeness of a name."""
    fields = {**ELSEWHERE, "apiBaseUrl": field(url, chosen=True, configured="https://other.example.com")}
    ran = run_marker(make_request(connection=fields), "some-refresh-token", clock=clock)
    assert not ran.answer.delivered
    assert httpx_mock.get_requests() == []


def test_a_chosen_host_that_is_allowed(httpx_mock: HTTPXMock, clock: ManualClock) -> None:
    """Last9's own hosts may be chosen; tests/security/ has the others."""
    httpx_mock.add_response(json={"access_token": "the-access-token"})
    httpx_mock.add_response(json={})
    fields = {**ELSEWHERE, "apiBaseUrl": field("https://eu.last9.io", chosen=True)}
    assert run_marker(make_request(connection=fields), "some-refresh-token", clock=clock).answer.delivered


def test_what_the_token_names(last9: FakeLast9, clock: ManualClock) -> None:
    """One credential is the whole set-up: organization and host are the token's claims."""
    assert run_marker(make_request(), last9.refresh_token, clock=clock).answer.delivered
    assert last9.received()[0]["organization"] == "acme"
    assert Claims() == Claims(None, (), (), None)
