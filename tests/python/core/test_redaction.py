"""Secrets: nowhere in log, answer or traceback, in no spelling, for no failure."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from last9_markers.client import proxies
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from last9_markers.request.destination import read_base_url
from support import Loopback, ManualClock, engine, make_request, run_marker, run_step

#: With every sign that some encoding escapes, and longer than anything that a sentence is cut to.
OPAQUE = "s3cr3t/tok+en=with%odd&signs<and>'quotes'\\back~" + "0123456789abcdefGHIJ" * 5


def _spellings(token: str) -> list[str]:
    as_bytes = token.encode()
    in_json = json.dumps(token)[1:-1]
    return [
        token,
        token.lower(),
        quote(token, safe=""),
        quote(token),
        quote_plus(token),
        quote(quote(token, safe=""), safe=""),
        re.sub(r"%..", lambda found: found[0].lower(), quote(token, safe="")),
        in_json,
        json.dumps(in_json)[1:-1],
        html.escape(token),
        html.escape(token, quote=False),
        repr(token)[1:-1],
        repr(as_bytes)[2:-1],
        as_bytes.hex(),
        as_bytes.hex().upper(),
        base64.b64encode(as_bytes).decode(),
        base64.urlsafe_b64encode(as_bytes).decode().rstrip("="),
    ]


FAILURES: dict[str, tuple[list[dict[str, Any]], dict[str, Any]]] = {
    "401": ([{"on": "exchange", "status": 401}], {}),
    "403": ([{"on": "event", "status": 403}], {}),
    "404": ([{"on": "event", "status": 404}], {}),
    "redirect": ([{"status": 307, "headers": {"Location": "/?token={token}"}}], {}),
    "422 that repeats the token": ([{"on": "event", "status": 422, "body": '{{"error": "bad {token}"}}'}], {}),
    "400 that repeats the token": ([{"on": "exchange", "status": 418, "body": "{token}"}], {}),
    "HTML that repeats the token": ([{"on": "exchange", "body": "<p>{token}</p>"}], {}),
    "access token is the refresh token": ([{"on": "exchange", "body": '{{"access_token": "{token}"}}'}], {}),
    "cut": ([{"on": "exchange", "drop": "headers"}], {}),
    "slug": ([], {"options": {"orgSlug": "{token}"}}),
    "base URL": ([], {"options": {"apiBaseUrl": "https://{token}@x"}}),
    "host": ([], {"options": {"apiBaseUrl": "https://{token}.example"}, "parameters": {"API": "{token}"}}),
    "event state": ([], {"options": {"eventState": "{token}"}}),
    "option": ([], {"options": {"{token}": "x", "timeoutSeconds": "{token}", "attributeNames": "{token}", "failOnError": "{token}"}}),
    "previous commit": ([], {"options": {"previousCommit": "{token}"}}),
    "custom attribute": ([{"on": "event", "status": 503}], {"options": {"customAttributes": {"a": "{token}"}}}),
    "service": ([{"on": "event", "status": 403}], {"options": {"serviceName": "x {token} y", "failOnError": "true"}}),
}


def _filled(value: Any, token: str) -> Any:
    if isinstance(value, dict):
        return {_filled(key, token): _filled(item, token) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, token) for item in value]
    return value.replace("{token}", token).replace("{{", "{").replace("}}", "}") if isinstance(value, str) else value


@pytest.mark.parametrize("debug", ["false", "true"])
@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.parametrize("name", FAILURES)
def test_no_failure_shows_the_token(last9: FakeLast9, clock: ManualClock, name: str, opaque: bool, debug: str) -> None:
    """With any failure, and with the token repeated in an answer or an option, no spelling of it gets out, not even with LAST9_DEBUG."""
    token = OPAQUE if opaque else last9.refresh_token
    if opaque:
        last9.issuer.accept(token)
    faults, changes = (_filled(part, token) for part in FAILURES[name])
    last9.order(faults)
    options = {"orgSlug": "acme", "apiBaseUrl": last9.url, **changes.pop("options", {})}
    ran = run_marker(make_request("start", options=options, **changes), token, clock=clock, environ={"LAST9_DEBUG": debug})
    assert not ran.answer.delivered or name in ("option", "previous commit")
    assert ("[Last9] debug: " in ran.log) is (debug == "true")
    assert ran.answer.warnings
    said = ran.log + ran.answer.line()
    for text in (said, json.dumps(json.loads(ran.answer.line()), ensure_ascii=False)):
        assert not [spelling for spelling in _spellings(token) if spelling in text]


def test_the_access_token_is_nowhere(last9: FakeLast9, clock: ManualClock) -> None:
    """The token that Last9 hands out is hidden as well, in log and answer and in what is kept."""
    body = '{"error": "token access-token-of-this-test is bad"}'
    last9.order([{"on": "exchange", "body": '{"access_token": "access-token-of-this-test"}'}, {"on": "event", "status": 422, "body": body}])
    ran = run_marker(make_request(), last9.refresh_token, clock=clock)
    assert "rejected the event (422). " in ran.log
    assert "access-token-of-this-test" not in ran.log + ran.answer.line()


@pytest.mark.parametrize("debug", ["false", "true"])
def test_a_defect_shows_no_secret(last9: FakeLast9, tmp_path: Path, debug: str) -> None:
    """An exception with the token in its two-line text is reported without it; so is the traceback with LAST9_DEBUG."""
    broken = tmp_path / "broken"
    broken.mkdir()
    source = (
        "import last9_markers.client.api as a\n"
        "def exchange(self, token):\n"
        "    half = len(token) // 2\n"
        "    try:\n"
        "        raise KeyError(token)\n"
        "    except KeyError as error:\n"
        "        raise RuntimeError(f'with {token}\\nBearer {token.encode()!r} {token.encode().hex()}') from error\n"
        "a.Last9.exchange = exchange\n"
    )
    (broken / "sitecustomize.py").write_text(source, encoding="utf-8")
    path = f"{broken}:{Path(__file__).parents[3] / 'python'}"
    done = run_step(make_request(), last9.refresh_token, tmp_path, environ={"PYTHONPATH": path, "LAST9_DEBUG": debug})
    assert "RuntimeError" in done.stderr
    for spelling in _spellings(last9.refresh_token):
        assert spelling not in done.stdout + done.stderr
    assert ("[Last9] debug: Traceback" in done.stderr) is (debug == "true")
    assert ("The above exception was the direct cause" in done.stderr) is (debug == "true")
    assert all(line.startswith("[Last9] ") for line in done.stderr.splitlines())


@pytest.mark.parametrize("arguments", [["send", "--service-name", "s", "--debug"], ["check", "--debug"], ["check", "--debug", "--json"]])
def test_debugging_in_a_shell(last9: FakeLast9, tmp_path: Path, arguments: list[str]) -> None:
    """``--debug`` tells each attempt, the proxy and the sources of CAs on stderr, and nothing of token, password or access token."""

    def refuse(peer: socket.socket) -> None:
        peer.recv(65536)
        peer.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with Loopback(refuse) as proxy:
        environ = {
            "LAST9_REFRESH_TOKEN": last9.refresh_token,
            "HTTPS_PROXY": f"http://jenkins:p%40ss-w0rd@127.0.0.1:{proxy.port}",
            "LAST9_API_BASE_URL": "https://127.0.0.1:2",
        }
        done = engine(arguments, environ=environ, cwd=tmp_path)
    said = done.stdout + done.stderr
    assert f"through the proxy 127.0.0.1:{proxy.port} (from HTTPS_PROXY)" in done.stderr
    assert "CA certificates from" in done.stderr
    for secret in (last9.refresh_token, "p@ss-w0rd", "p%40ss-w0rd", base64.b64encode(b"jenkins:p@ss-w0rd").decode()):
        assert secret not in said
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token}
    last9.order({"on": "exchange", "times": 1, "status": 503})
    done = engine(arguments, environ=environ, cwd=tmp_path)
    assert f"POST {last9.url}/api/v4/oauth/access_token: 503 after " in done.stderr
    assert "debug: pause of 0." in done.stderr
    assert f"POST {last9.url}/api/v4/oauth/access_token: 200 after " in done.stderr
    assert "access-" not in done.stdout + done.stderr
    assert last9.refresh_token not in done.stdout + done.stderr
    if "--json" in arguments:
        assert json.loads(done.stdout)["ok"] is True


def test_a_proxys_password_in_any_spelling() -> None:
    """It is hidden as the variable has it, unescaped, and as it goes to the proxy: a library's error may hold each of them."""
    build_log = BuildLog(io.StringIO(), Redactor())
    proxies.choose(read_base_url("https://app.last9.io"), {"HTTPS_PROXY": "http://jenkins:p%40ss-w0rd@proxy:3128"}, build_log)
    for spelled in ("p%40ss-w0rd", "p@ss-w0rd", base64.b64encode(b"jenkins:p@ss-w0rd").decode()):
        assert build_log.redactor.clean(f"<{spelled}>") == "<****>"


def test_nobody_debugs_unasked(last9: FakeLast9, tmp_path: Path) -> None:
    """What is off by a word or by nothing says nothing."""
    for value in ("", "false", "no", "0", "perhaps"):
        done = run_step(make_request(), last9.refresh_token, tmp_path, environ={"LAST9_DEBUG": value})
        assert "debug:" not in done.stderr


def test_no_file_holds_the_token(last9: FakeLast9, tmp_path: Path) -> None:
    """Nothing that a delivery leaves behind in request folder or workspace holds a token."""
    last9.order({"on": "event", "status": 403})
    run_step(make_request(), last9.refresh_token, tmp_path)
    for path in tmp_path.rglob("*"):
        assert last9.refresh_token.encode() not in (path.read_bytes() if path.is_file() else b"")


@pytest.mark.parametrize(
    "spelled", [*_spellings(OPAQUE), f"x{OPAQUE}y", repr(f"{OPAQUE}\n"), f"Bearer {OPAQUE}"], ids=range(len(_spellings(OPAQUE)) + 3)
)
def test_every_spelling_is_removed(spelled: str) -> None:
    """As it is, escaped for URLs and JSON, by ``repr``, in base64: a known secret is recognized in all of them."""
    redactor = Redactor()
    redactor.hide(f"  {OPAQUE}\n")
    cleaned = redactor.clean(f"before {spelled} after")
    assert "****" in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")
    assert not [spelling for spelling in _spellings(OPAQUE) if spelling in cleaned]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("token eyJhbGciOi.eyJvcmciOi.c2ln end", "token **** end"),
        ("cut eyJhbGciOi", "cut ****"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer ****"),
        ("bearer%20abcdef", "bearer ****"),
        ("proxy http://user:p@ss@host:1 down", "proxy http://****@host:1 down"),
        ("see https://host/a@b", "see https://host/a@b"),
        ("nothing to hide", "nothing to hide"),
        ("turned \u202eround\u2069", "turned \\u202eround\\u2069"),
        ("forged\n[Last9] line\r\x1b[31m\u2028", "forged\\n[Last9] line\\r\\x1b[31m\\u2028"),
    ],
)
def test_what_looks_like_a_secret(text: str, clean: str) -> None:
    """A JWT, a Bearer value and user information in a URL are hidden unknown; a line break cannot forge a log line."""
    assert Redactor().clean(text) == clean


@pytest.mark.parametrize("secret", [None, "", "  ", "short"])
def test_what_is_too_short_to_hide(secret: str | None) -> None:
    """A secret of a few letters would black out innocent words, and an empty one everything."""
    redactor = Redactor()
    redactor.hide(secret)
    assert redactor.clean("a short text") == "a short text"


def test_a_warning_is_told_once() -> None:
    """The same warning is written once and answered once, redacted in both."""
    log = io.StringIO()
    build_log = BuildLog(log, Redactor())
    build_log.redactor.hide(OPAQUE)
    for _ in range(2):
        build_log.warning(f"bad {OPAQUE}\nline")
    assert build_log.warnings == ["bad ****\\nline"]
    assert log.getvalue() == "[Last9] WARNING: bad ****\\nline\n"


def test_a_log_that_cannot_be_written(last9: FakeLast9) -> None:
    """A closed or full log costs its lines; the warning is answered all the same."""
    log = io.StringIO()
    log.close()
    build_log = BuildLog(log, Redactor())
    build_log.warning("told")
    assert build_log.warnings == ["told"]


@pytest.mark.parametrize("before", [b"", b"u:", b"user:", b"a-user:"])
@pytest.mark.parametrize("after", [b"", b"\n", b":x", b": y"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_within_base64(before: bytes, after: bytes, encode: Callable[[bytes], bytes]) -> None:
    """Wherever it begins in what is encoded, as a proxy's password does after the user: its letters are gone."""
    redactor = Redactor()
    redactor.hide(OPAQUE)
    encoded = encode(before + OPAQUE.encode() + after).decode()
    cleaned = redactor.clean(f"Proxy-Authorization: {encoded}")
    assert "****" in cleaned
    assert not [start for start in range(8, len(encoded) - 24) if encoded[start : start + 16] in cleaned]


def test_a_secret_of_several_lines() -> None:
    """A key of several lines is hidden line by line, since a log shows it so."""
    redactor = Redactor()
    redactor.hide("first-line-of-it\nsecond-line-of-it\n")
    assert redactor.clean("x first-line-of-it y") == "x **** y"
    assert redactor.clean("x second-line-of-it y") == "x **** y"
    assert redactor.clean("first line of nothing") == "first line of nothing"


def test_errors_keep_nothing_of_a_request() -> None:
    """What httpx says of a request never reaches the tree of errors: it could hold a header."""
    from last9_markers.client.transport import map_exception

    error = map_exception(httpx.LocalProtocolError(f"Illegal header value b'Bearer {OPAQUE}'"))
    assert OPAQUE not in repr(error) + str(error) + error.detail
