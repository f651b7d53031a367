"""The refresh token: what its claims say before Last9 has seen it, without showing any of it."""

from __future__ import annotations

import base64
import json

import pytest
from last9_markers.fake_server import FakeLast9
from last9_markers.request.token import Claims, read_claims
from support import ManualClock, field, make_request, run_marker


def _jwt(payload: object) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJIUzI1NiJ9.{middle}.c2lnbmF0dXJl"


@pytest.mark.parametrize(("token", "words"), [(None, "no refresh token found"), ("", "is blank"), (" \n", "is blank")])
def test_no_token(last9: FakeLast9, clock: ManualClock, token: str | None, words: str) -> None:
    """A missing credential and a blank one are distinguished; nothing is asked of Last9, and the marker is kept."""
    request = make_request(connection={"credentialId": field("my-credential"), "apiBaseUrl": field(last9.url)})
    ran = run_marker(request, token, clock=clock)
    (warning,) = ran.answer.warnings
    assert f"{words} (credential 'my-credential')" in warning
    assert ran.pending
    assert last9.requests() == []


@pytest.mark.parametrize("token", ["two words-in-it", "line\nbreak-in-it", "tök-no-ascii", "\x00control-in-it", "half\ud83d-in-it"])
def test_what_cannot_be_a_token(last9: FakeLast9, clock: ManualClock, token: str) -> None:
    """A text that could break a header is never sent, and no part of it is shown."""
    connection = {"orgSlug": field("acme"), "apiBaseUrl": field(last9.url)}
    ran = run_marker(make_request(connection=connection), token, clock=clock)
    (warning,) = ran.answer.warnings
    assert "other characters that a token cannot contain" in warning
    assert "in-it" not in ran.log + ran.answer.line()
    assert last9.requests() == []


@pytest.mark.parametrize("around", ["{}\n", "  {}", "\r\n{}\t"])
def test_blanks_around_it_are_cut_off(last9: FakeLast9, clock: ManualClock, around: str) -> None:
    """What copying leaves behind costs a warning, not the marker."""
    ran = run_marker(make_request(), around.format(last9.refresh_token), clock=clock)
    assert ran.answer.delivered
    (warning,) = ran.answer.warnings
    assert "they were removed" in warning


def test_an_opaque_token_is_used_as_it_is(last9: FakeLast9, clock: ManualClock) -> None:
    """A token that is not a JWT has no claims and works all the same."""
    last9.issuer.accept("opaque-token")
    connection = {"orgSlug": field("acme"), "apiBaseUrl": field(last9.url)}
    assert run_marker(make_request(connection=connection), "opaque-token", clock=clock).answer.delivered


def test_a_token_without_an_organization(last9: FakeLast9, clock: ManualClock) -> None:
    """If neither settings nor token name an organization the warning says how to set one."""
    ran = run_marker(make_request(connection={"apiBaseUrl": field(last9.url)}), "opaque-token", clock=clock)
    assert "Set orgSlug" in ran.answer.warnings[0]
    assert last9.requests() == []


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "a.b.c.d", "a.!!!.c", "a..c", _jwt([1]), _jwt("x"), _jwt(None), "a.eyJ4.c", "a." + "W1tb" * 30_000 + ".c", "ä.ö.ü"],
)
def test_claims_of_what_is_none(token: str) -> None:
    """With any middle part of a token, reading it ends without claims and without an exception."""
    assert read_claims(token) == Claims()


def test_claims() -> None:
    """Organization, audience (text or list), scopes (list or one text) and expiry are read; odd values count as absent."""
    one = {"organization_slug": " acme ", "aud": "https://a.example/api", "scopes": "read write", "exp": 1800000000}
    assert read_claims(_jwt(one)) == Claims("acme", ("https://a.example/api",), ("read", "write"), 1800000000.0)
    odd = {"organization_slug": 7, "aud": [1, " ", "b.example"], "scopes": {"a": 1}, "exp": "soon"}
    assert read_claims(_jwt(odd)) == Claims(None, ("b.example",), (), None)
    assert read_claims(_jwt({"exp": 1e300})).expires_at is None
