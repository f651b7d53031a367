"""The calls that read: what is asked on the wire, what each answer becomes, and what is hidden at once."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from last9_markers.client.api import AccessToken
from last9_markers.client.reading_back import DataSource, Last9Reader
from last9_markers.client.transport import HttpConnection
from last9_markers.core.clock import Budget
from last9_markers.core.errors import DeliveryError, RateLimited, ServerError, Unreadable
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.request.destination import resolve_base_url
from last9_markers.request.token import Claims
from support import ManualClock

SOURCE = DataSource("metrics", is_default=True, secrets={"read_url": "https://store", "username": "somebody", "password": "passw0rd"})


def reader(answer: Callable[[httpx.Request], httpx.Response], redactor: Redactor | None = None) -> Last9Reader:
    """A reader over a transport that answers so."""
    redactor = redactor or Redactor()
    budget = Budget.of(60, ManualClock())
    log = BuildLog(io.StringIO(), redactor)
    connection = HttpConnection(resolve_base_url(None, Claims()), {}, budget, log, httpx.MockTransport(answer))
    return Last9Reader(connection, "acme", AccessToken("access-token", None), budget, redactor)


def answering(content: Any, status: int = 200) -> Callable[[httpx.Request], httpx.Response]:
    """The answer to every request."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return lambda _: httpx.Response(status, stream=httpx.ByteStream(text))


def test_a_range_query_on_the_wire() -> None:
    """The timestamp is the window's end in whole seconds; user and password are in the body alone, the token in Last9's own header."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answering([{"metric": {"service": "a", "odd": 7}, "values": [[1, "10.5"], [2, "1700000000.25"]]}])(request)

    (sample,) = reader(answer).newest_samples(SOURCE, 'm{a="b"}', 1700000100.9, 700.2)
    (request,) = asked
    assert (request.method, request.url.path, request.url.query) == ("POST", "/api/v4/organizations/acme/prom_query", b"")
    assert json.loads(request.content) == {
        "query": 'timestamp(m{a="b"})',
        "timestamp": 1700000100,
        "window": 700,
        "read_url": "https://store",
        "username": "somebody",
        "password": "passw0rd",
    }
    assert request.headers["X-LAST9-API-TOKEN"] == "Bearer access-token"
    assert "passw0rd" not in str(request.headers) + str(request.url)
    assert sample == ({"service": "a"}, 1700000000.25)


def test_secrets_are_hidden_as_soon_as_they_are_known() -> None:
    """From the answer on, user, password and their pair are removed from every text, and no ``repr`` shows them."""
    redactor = Redactor()
    listed = [{"name": "m", "url": "https://store", "properties": {"username": "us3r-name", "password": 'p/w+ä"&word'}}]
    (source,) = reader(answering(listed), redactor).data_sources()
    for text in ("us3r-name", 'p/w+ä"&word', "p%2Fw%2B%C3%A4%22%26word", "dXMzci1uYW1lOnAvdyvDpCImd29yZA=="):
        assert redactor.clean(f"before {text} after") == "before **** after"
    assert source.secrets["password"] == 'p/w+ä"&word'
    assert "word" not in repr(source) + str([source])


def test_short_users_and_passwords_are_hidden_as_a_pair() -> None:
    """A password that is too short to be hidden everywhere is hidden where it stands with its user, in base64, too."""
    redactor = Redactor()
    reader(answering([{"name": "m", "properties": {"username": "me", "password": "abcd"}}]), redactor).data_sources()
    assert redactor.clean("Authorization: bWU6YWJjZA== me:abcd") == "Authorization: **** ****"


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (200, b"<!DOCTYPE html><p>", "page"),
        (200, b"{", "form"),
        (200, b"", "form"),
        (200, b"[" * 200_000, "form"),
        (200, b'{"status": "success", "data": []}', "form"),
        (200, b"x" * 1_100_000, "long"),
        (302, b"", "refused"),
        (400, b'{"error": "bad query"}', "refused"),
        (400, b'{"error": "invalid refresh token: x"}', "forbidden"),
        (401, b"", "forbidden"),
        (403, b"<html>", "forbidden"),
        (404, b"404 page not found", "missing"),
        (405, b"", "missing"),
    ],
)
def test_what_proves_nothing(status: int, content: bytes, kind: str) -> None:
    """Each odd answer has its kind; nothing of the answer is kept in it, since it may repeat the question."""
    with pytest.raises(Unreadable) as caught:
        reader(answering(content, status)).label_values(SOURCE, "service", "{}", 1.0, 1.0)
    assert caught.value.kind == kind
    assert caught.value.detail in ("", str(status))


@pytest.mark.parametrize(("status", "error"), [(429, RateLimited), (500, ServerError), (503, ServerError), (408, ServerError)])
def test_what_may_pass(status: int, error: type[DeliveryError]) -> None:
    """A 429, a 408 and a 5xx are worth another try."""
    with pytest.raises(error):
        reader(answering({"error": "x"}, status)).data_sources()


def test_values_are_texts_each_once() -> None:
    """Only a text that is not empty is a value."""
    found = reader(answering(["b", "a", "b", "", None, 7, ["c"]])).label_values(SOURCE, "service", "{}", 1.0, 1.0)
    assert found == ["a", "b"]


@pytest.mark.parametrize(
    "values", [None, [], "text", [[1]], [[1, 2, 3]], [[1, "NaN"]], [[1, "-5"]], [[1, None]], [[1, "1e300"]], [[1, [2]]], [7]]
)
def test_a_moment_that_cannot_be_read(values: Any) -> None:
    """A sample without a moment that can be one is a sample all the same."""
    (sample,) = reader(answering([{"metric": {"a": "b"}, "values": values}])).newest_samples(SOURCE, "m", 1.0, 1.0)
    assert sample == ({"a": "b"}, None)


def test_suggestions() -> None:
    """Names alone count; another form is said to be one."""
    found = reader(answering({"suggestions": [{"name": "a"}, {"name": None}, 7], "query": "a"})).suggestions(SOURCE, "a", "service")
    assert found == ["a"]
    assert reader(answering({"suggestions": None})).suggestions(SOURCE, "a", "service") == []
    with pytest.raises(Unreadable):
        reader(answering(["a"])).suggestions(SOURCE, "a", "service")
