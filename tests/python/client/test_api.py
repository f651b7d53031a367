"""Exchange and event: what each answer of Last9 comes to, over real sockets."""

from __future__ import annotations

import json
from email.utils import formatdate
from typing import Any

import pytest
from last9_markers.fake_server import FakeLast9
from support import STARTED, ManualClock, RunResult, field, make_request, run_marker


def _statuses(last9: FakeLast9) -> list[tuple[str, int | None]]:
    return [("exchange" if entry["method"] == "POST" else "event", entry["status"]) for entry in last9.requests()]


def _failed(last9: FakeLast9, clock: ManualClock, token: str | None = None, **changes: Any) -> tuple[RunResult, str]:
    """Run a request that must fail: one warning, nothing received."""
    ran = run_marker(make_request(**changes), token or last9.refresh_token, clock=clock)
    assert not ran.answer.delivered
    assert ran.answer.accepted
    assert last9.received() == []
    assert "sent successfully" not in ran.log
    (warning,) = ran.answer.warnings
    assert ran.log.count("WARNING") == 1
    return ran, warning


def _undelivered(last9: FakeLast9, clock: ManualClock, token: str | None = None, **changes: Any) -> tuple[RunResult, str]:
    """Run a request that fails for now: the marker is kept, and the warning says so."""
    ran, warning = _failed(last9, clock, token, **changes)
    (kept,) = ran.pending
    assert json.loads(kept)["event"]["timestamp"] == STARTED
    assert "The marker is queued" in warning
    return ran, warning


def _refused(last9: FakeLast9, clock: ManualClock, token: str | None = None, **changes: Any) -> tuple[RunResult, str]:
    """Run a request that Last9 refuses for good: sent again it would be refused again, so it is not kept, and nothing promises it."""
    ran, warning = _failed(last9, clock, token, **changes)
    assert ran.pending == []
    assert "kept" not in warning
    assert "does not answer" not in ran.log
    return ran, warning


def test_delivered_over_one_connection(last9: FakeLast9) -> None:
    """Exchange and event share one connection: a second handshake would double what a deploy waits."""
    ran = run_marker(make_request(), last9.refresh_token)
    assert ran.answer.delivered
    assert ran.pending == []
    assert _statuses(last9) == [("exchange", 200), ("event", 200)]
    assert len({entry["connection"] for entry in last9.requests()}) == 1
    assert ran.log.splitlines() == [
        "[Last9] Sending deployment marker: deployment (start) for payments-api",
        "[Last9] Deployment marker sent successfully",
    ]


def test_refresh_token_that_is_not_known(last9: FakeLast9, clock: ManualClock) -> None:
    """401 at the exchange is final: one try, and the warning tells which credential to renew."""
    _, warning = _refused(last9, clock, token="no-jwt-and-not-known", connection={"orgSlug": field("acme"), "apiBaseUrl": field(last9.url)})
    assert _statuses(last9) == [("exchange", 401)]
    assert "does not accept the refresh token (credential 'last9-refresh-token')" in warning


def test_refresh_token_that_has_expired(last9: FakeLast9, clock: ManualClock) -> None:
    """A token that its own claims date in the past is reported with the day, not as merely invalid."""
    _, warning = _refused(last9, clock, token=last9.issue(exp=1700000000))
    assert "expired on 2023-11-14" in warning
    assert _statuses(last9) == [("exchange", 401)]


def test_read_token(last9: FakeLast9, clock: ManualClock) -> None:
    """403 names the missing scope and what the token has instead, and is not tried again."""
    _, warning = _refused(last9, clock, token=last9.issue(scopes=["read"]))
    assert "may not write" in warning
    assert "it has: read" in warning
    assert _statuses(last9) == [("exchange", 200), ("event", 403)]


def test_wrong_organization(last9: FakeLast9, clock: ManualClock) -> None:
    """404 names the slug that was used and the one that the token is for."""
    _, warning = _refused(last9, clock, connection={"orgSlug": field("acmee")})
    assert "does not know organization 'acmee'" in warning
    assert "the token itself is for 'acme'" in warning
    assert _statuses(last9) == [("exchange", 200), ("event", 404)]


@pytest.mark.parametrize(
    ("status", "on", "words"),
    [
        (403, "event", "; the token itself is for https://emea.last9.io. Check"),
        (404, "event", "; the token itself is for https://emea.last9.io. Set orgSlug"),
        (401, "exchange", "or it is for https://emea.last9.io, not for 127.0.0.1"),
    ],
)
def test_a_host_other_than_the_tokens(last9: FakeLast9, clock: ManualClock, status: int, on: str, words: str) -> None:
    """Where Last9 refuses and the token names another host than the settings, the warning says which: a frequent mix-up."""
    last9.order({"on": on, "status": status})
    token = last9.issue(aud=["https://emea.last9.io/api"])
    _, warning = _refused(last9, clock, token=token, connection={"apiBaseUrl": field(last9.url)})
    assert words in warning


def test_organization_and_host_other_than_the_tokens(last9: FakeLast9, clock: ManualClock) -> None:
    """Both are named together, and the remedy speaks of both settings."""
    token = last9.issue(aud="emea.last9.io", organization_slug="globex")
    fields = {"apiBaseUrl": field(last9.url), "orgSlug": field("acmee")}
    _, warning = _refused(last9, clock, token=token, connection=fields)
    assert "; the token itself is for 'globex' at https://emea.last9.io. Set orgSlug" in warning
    assert "and apiBaseUrl to https://emea.last9.io" in warning


@pytest.mark.parametrize("audience", ["last9", "https://127.0.0.1.example.com:x", [], None, 7])
def test_an_audience_that_names_no_host(last9: FakeLast9, clock: ManualClock, audience: object) -> None:
    """A value that is not a host is not compared with the settings."""
    last9.order({"on": "event", "status": 403})
    _, warning = _refused(last9, clock, token=last9.issue(aud=audience), connection={"apiBaseUrl": field(last9.url)})
    assert "the token itself" not in warning


@pytest.mark.parametrize(
    "refusal",
    [
        {"status": 400, "body": '{"error": "invalid refresh token: token is malformed"}'},
        {"status": 400, "body": '{"error": "Invalid Access TOKEN"}'},
        {"status": 401, "body": '{"error": "Authorization token is expired"}'},
        {"status": 401, "body": ""},
    ],
)
def test_refused_access_token_is_exchanged_once_more(last9: FakeLast9, clock: ManualClock, refusal: dict[str, Any]) -> None:
    """400 or 401 that speaks of a token is answered by one fresh exchange, at once, and the marker arrives."""
    last9.order({"on": "event", "times": 1, **refusal})
    ran = run_marker(make_request(), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    assert ran.answer.warnings == []
    assert [kind for kind, _ in _statuses(last9)] == ["exchange", "event", "exchange", "event"]
    assert clock.slept == []


def test_access_token_refused_twice(last9: FakeLast9, clock: ManualClock) -> None:
    """No third exchange: a token that is refused fresh will be refused for ever."""
    last9.order({"on": "event", "status": 401})
    _, warning = _refused(last9, clock)
    assert [kind for kind, _ in _statuses(last9)] == ["exchange", "event", "exchange", "event"]
    assert "does not accept the access token that it just issued" in warning


def test_access_token_that_is_about_to_expire_is_not_used(last9: FakeLast9, clock: ManualClock) -> None:
    """A token exchanged long ago by the budget's clock is renewed before the next marker, so that no event meets a dead one."""
    wait = {"on": "event", "times": 1, "status": 503, "headers": {"Retry-After": "3"}}
    last9.order([{"on": "exchange", "times": 1, "access_token_lifetime": 7}, wait])
    ran = run_marker(make_request("stop", pending=[json.dumps(make_request())]), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    # The kept one goes with the token that it had; after 3 s, which its half of the budget has, the token has less than 5 s to live.
    assert _statuses(last9) == [("exchange", 200), ("event", 503), ("event", 200), ("exchange", 200), ("event", 200)]


def test_refused_event_is_not_kept(last9: FakeLast9, clock: ManualClock) -> None:
    """Another 4xx is final: told with Last9's words, not tried again, and not kept, since it would be refused again."""
    last9.order({"on": "event", "status": 422, "body": '{"error": "attributes: too many\\nlabels"}'})
    ran = run_marker(make_request(), last9.refresh_token, clock=clock)
    assert not ran.answer.delivered
    assert ran.pending == []
    (warning,) = ran.answer.warnings
    assert "rejected the event (422: attributes: too many\\nlabels)" in warning
    assert "kept" not in warning
    assert _statuses(last9) == [("exchange", 200), ("event", 422)]


@pytest.mark.parametrize("on", ["exchange", "event"])
def test_three_503_and_then_200(last9: FakeLast9, clock: ManualClock, on: str) -> None:
    """Three failures are outlasted with growing pauses, and the marker is delivered exactly once."""
    last9.order({"on": on, "times": 3, "status": 503})
    ran = run_marker(make_request(), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    assert ran.answer.warnings == []
    assert len(last9.received()) == 1
    assert [status for kind, status in _statuses(last9) if kind == on] == [503, 503, 503, 200]
    assert [low <= slept <= 1.25 * low for low, slept in zip((0.5, 1.0, 2.0), clock.slept)] == [True] * 3


@pytest.mark.parametrize("on", ["exchange", "event"])
@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408])
def test_5xx_without_end(last9: FakeLast9, clock: ManualClock, on: str, status: int) -> None:
    """After three retries the marker is kept, and the warning names the status; the one 4xx that is a timeout is treated as such."""
    last9.order({"on": on, "status": status})
    _, warning = _undelivered(last9, clock)
    assert [found for kind, found in _statuses(last9) if kind == on] == [status] * 4
    assert f"returned HTTP {status}" in warning
    assert len(clock.slept) == 3


@pytest.mark.parametrize("on", ["exchange", "event"])
def test_429_is_retried_until_the_budget_ends(last9: FakeLast9, clock: ManualClock, on: str) -> None:
    """429 means too many requests, not a failure of Last9: it is retried as long as there is time, and no longer."""
    last9.order({"on": on, "status": 429})
    _, warning = _undelivered(last9, clock)
    assert "429" in warning
    assert len([kind for kind, _ in _statuses(last9) if kind == on]) > 4
    assert sum(clock.slept) < 15


def test_429_does_not_use_up_the_retries(last9: FakeLast9, clock: ManualClock) -> None:
    """A crowd of 429 before three 5xx leaves all three retries."""
    last9.order([{"on": "exchange", "times": 2, "status": 429}, {"on": "exchange", "times": 3, "status": 503}])
    assert run_marker(make_request(), last9.refresh_token, clock=clock).answer.delivered


def test_retry_after_in_seconds(last9: FakeLast9, clock: ManualClock) -> None:
    """The server's Retry-After is respected."""
    last9.order({"on": "exchange", "times": 1, "status": 429, "headers": {"Retry-After": "7"}})
    assert run_marker(make_request(), last9.refresh_token, clock=clock).answer.delivered
    (pause,) = clock.slept
    assert 7 <= pause <= 8.75


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_as_a_date(last9: FakeLast9, clock: ManualClock, status: int) -> None:
    """A date counts from the server's own ``Date``: the agent's clock may be wrong by years."""
    headers = {"Date": formatdate(1700000000, usegmt=True), "Retry-After": formatdate(1700000006, usegmt=True)}
    last9.order({"on": "event", "times": 1, "status": status, "headers": headers})
    assert run_marker(make_request(), last9.refresh_token, clock=clock).answer.delivered
    (pause,) = clock.slept
    assert 6 <= pause <= 7.5


@pytest.mark.parametrize("value", ["60", "999999999999999999999", formatdate(1900000000, usegmt=True)])
def test_retry_after_beyond_the_budget(last9: FakeLast9, clock: ManualClock, value: str) -> None:
    """There is no wait beyond the time limit: the marker is queued at once."""
    last9.order({"on": "exchange", "status": 429, "headers": {"Retry-After": value}})
    _, warning = _undelivered(last9, clock)
    assert clock.slept == []
    assert "10 s" in warning
    assert len(last9.requests()) == 1


@pytest.mark.parametrize("value", ["", "soon", "-5", "1.5", "٣", "Thu, 99 Foo 2026 00:00:00 GMT", "0"])
def test_retry_after_that_says_nothing(last9: FakeLast9, clock: ManualClock, value: str) -> None:
    """A header that is not a time is treated as absent: the usual pause follows."""
    last9.order({"on": "exchange", "times": 1, "status": 429, "headers": {"Retry-After": value}})
    assert run_marker(make_request(), last9.refresh_token, clock=clock).answer.delivered
    (pause,) = clock.slept
    assert 0 < pause <= 0.625


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<html><title>Sign in</title><body>x</body></html>", "its answer is HTML: 'Sign in'"),
        ("  <!doctype html>", "its answer is HTML"),
        ("", "its answer is not JSON"),
        ('{"access_token": "x', "its answer is not JSON"),
        ("[" * 5000, "its answer is not JSON"),
        ("{}", "no usable access_token"),
        ("[]", "no usable access_token"),
        ('"text"', "no usable access_token"),
        ('{"access_token": null}', "no usable access_token"),
        ('{"access_token": ""}', "no usable access_token"),
        ('{"access_token": 12345678}', "no usable access_token"),
        ('{"access_token": ["secret-in-a-list"]}', "no usable access_token"),
        ('{"access_token": "two\\r\\nX-Header: lines"}', "no usable access_token"),
        ('{"access_token": "with blanks"}', "no usable access_token"),
        ('{"access_token": "\\u001b[31m"}', "no usable access_token"),
        ('{"access_token": "tök"}', "no usable access_token"),
    ],
)
def test_exchange_without_a_usable_token(last9: FakeLast9, clock: ManualClock, body: str, told: str) -> None:
    """Any other answer instead of a token gives a clean warning, and never makes an event request."""
    last9.order({"on": "exchange", "body": body})
    ran, warning = _undelivered(last9, clock)
    assert f"did not return an access token ({'its answer has ' if told.startswith('no usable') else ''}{told})" in warning
    assert _statuses(last9) == [("exchange", 200)]
    assert "secret-in-a-list" not in ran.log
    assert "X-Header" not in ran.log


@pytest.mark.parametrize(
    "extra",
    [
        '"expires_at": "tomorrow"',
        '"expires_at": true',
        '"expires_at": 1',
        '"expires_at": 1e400',
        '"expires_at": NaN',
        f'"expires_at": {10**400}',
        f'"expires_at": 1790000000, "issued_at": {-(10**400)}',
        '"issued_at": null',
    ],
)
def test_odd_lifetimes_do_not_matter(last9: FakeLast9, clock: ManualClock, extra: str) -> None:
    """An ``expires_at`` that cannot be is Last9's to judge: the token is used."""
    last9.order([{"on": "exchange", "body": '{"access_token": "abcdefgh", ' + extra + "}"}, {"on": "event", "status": 403}])
    _refused(last9, clock)
    assert _statuses(last9) == [("exchange", 200), ("event", 403)]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("on", ["exchange", "event"])
def test_redirects_are_not_followed(last9: FakeLast9, clock: ManualClock, on: str, status: int) -> None:
    """The token is never sent on, not even to the same host: one request, and a warning."""
    with FakeLast9() as elsewhere:
        last9.order({"on": on, "status": status, "headers": {"Location": f"{elsewhere.url}/api/v4/oauth/access_token"}})
        _, warning = _undelivered(last9, clock)
        assert elsewhere.requests() == []
    assert f"redirected the request ({status})" in warning
    assert [found for kind, found in _statuses(last9) if kind == on] == [status]


@pytest.mark.parametrize(
    "fault", [{"status": 204, "body": ""}, {"status": 202}, {"body": "<html>ok</html>"}, {"drop": "body"}, {"size": 10_000_000}]
)
def test_any_2xx_of_the_event_is_success(last9: FakeLast9, clock: ManualClock, fault: dict[str, Any]) -> None:
    """The event is with Last9 once it has answered 2xx, even if the rest of the answer fails; it is not sent twice."""
    last9.order({"on": "event", **fault})
    ran = run_marker(make_request(), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    assert ran.pending == []
    assert len(last9.received()) == 1


def test_oversized_exchange(last9: FakeLast9, clock: ManualClock) -> None:
    """An answer of 100 MB is not read to its end."""
    last9.order({"on": "exchange", "size": 100_000_000})
    _, warning = _undelivered(last9, clock)
    assert "far too long" in warning


# -- what a refusal says -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": "insufficient scope: write is required"}', "the token may not write: its scope is too low (403: insufficient scope"),
        ('{"error": {"code": 403, "message": "Permission denied"}}', "its scope is too low (403: Permission denied; it has: write)"),
        ('{"error": "forbidden", "message": "read-only token"}', "its scope is too low (403: forbidden: read-only token;"),
        ('{"message": "user is no member of organization acme"}', "not let the token write to organization 'acme' (403: user is no member"),
        ('{"errors": [{"detail": "org mismatch"}]}', "does not let the token write to organization 'acme' (403: org mismatch)"),
        ("no write access to this organisation", "does not let the token write to organization 'acme' (403: no write access"),
        ('{"error": "forbidden"}', "Last9 does not allow this request (403: forbidden). Check that credential"),
        ('{"error": "borganized inscopable rewriters"}', "Last9 does not allow this request (403: borganized"),
        ("", "Last9 does not allow this request (403). Check that credential"),
        ("null", "Last9 does not allow this request (403). Check"),
        ('{"code": 7}', 'Last9 does not allow this request (403: {"code": 7}). Check'),
        ("RBAC: access denied\r\n", "Last9 does not allow this request (403: RBAC: access denied). Check"),
        ('\ufeff{"error": "bom"}', "Last9 does not allow this request (403: bom). Check"),
        ("[" * 5000, "Last9 does not allow this request (403: [[["),
        ("\0\1\2\3", "Last9 does not allow this request (403). Check"),
    ],
)
def test_403_is_told_by_what_it_says(last9: FakeLast9, clock: ManualClock, body: str, words: str) -> None:
    """Scope, organization or neither: the server's words are quoted in every form of body, and the advice follows from them."""
    last9.order({"on": "event", "status": 403, "body": body})
    _, warning = _refused(last9, clock)
    assert words in warning
    assert "\r" not in warning
    assert len(warning) < 700


def test_403_that_says_nothing_is_told_by_the_token(last9: FakeLast9, clock: ManualClock) -> None:
    """Where the words do not tell, the token's own claims may: it is for another organization, or may only read."""
    last9.order({"on": "event", "status": 403, "body": "no"})
    _, warning = _refused(last9, clock, connection={"orgSlug": field("globex"), "apiBaseUrl": field(last9.url)})
    assert "does not let the token write to organization 'globex' (403: no); the token itself is for 'acme'. Set orgSlug" in warning
    _, warning = _refused(last9, clock, token=last9.issue(scopes=["read"]))
    assert "its scope is too low (403: no; it has: read)" in warning


@pytest.mark.parametrize("on", ["exchange", "event"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 451])
@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<html><head><style>x{}</style><title>\n Access &amp; Denied </title></head><body>token</body></html>", "Access & Denied"),
        ("<!DOCTYPE html><title></title><h1>Blocked by <b>Filter</b></h1><p>organization", "Blocked by Filter"),
        ("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "AccessDenied"),
        ("<html><head><script>var x</script></head><body>Go <i>away</i></body></html>", "Go away"),
        (f"<html><!-- {'x' * 20000} --><title>Far below</title></html>", "Far below"),
    ],
)
def test_a_page_is_not_last9s_answer(last9: FakeLast9, clock: ManualClock, page: str, title: str, status: int, on: str) -> None:
    """A filter in between answers with HTML: its title is quoted, nothing is concluded of token or event, and the marker is kept."""
    last9.order({"on": on, "status": status, "body": page})
    _, warning = _undelivered(last9, clock)
    assert f"a web page was returned instead of Last9's API at 127.0.0.1 ({status}: page '{title}')" in warning
    assert "NO_PROXY" in warning
    assert [kind for kind, _ in _statuses(last9)] == ["exchange"] + ["event"] * (on == "event")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (
            {"on": "exchange", "status": 401, "body": '{"error": "token was revoked"}'},
            "invalid, revoked or expired (401: token was revoked).",
        ),
        ({"on": "exchange", "status": 418, "body": "teapot"}, "did not return an access token (it answers 418: teapot)"),
        ({"on": "event", "status": 401, "body": "stale"}, "just issued (401: stale)"),
        (
            {"on": "event", "status": 404, "body": '{"detail": "no route"}'},
            "does not know organization 'acme' at 127.0.0.1 (404: no route)",
        ),
        (
            {"on": "event", "status": 503, "body": "upstream connect error"},
            "Last9 returned HTTP 503: upstream connect error (retrying did not help",
        ),
        (
            {"on": "event", "status": 502, "body": "<h1>Bad Gateway</h1>"},
            "Last9 returned HTTP 502: page 'Bad Gateway' (retrying did not help",
        ),
    ],
)
def test_every_refusal_is_quoted(last9: FakeLast9, clock: ManualClock, fault: dict[str, Any], words: str) -> None:
    """A refusal's reason is in every warning."""
    last9.order(fault)
    _, warning = (_undelivered if fault["status"] >= 500 else _refused)(last9, clock)
    assert words in warning


@pytest.mark.parametrize("form", ["{}", '{{"error": "{}"}}', '{{"a": "{}"}}', "<title>{}</title>", "<html>{}</html>"])
@pytest.mark.parametrize("status", [401, 403, 404, 503])
def test_a_quotation_shows_no_secret(last9: FakeLast9, clock: ManualClock, status: int, form: str) -> None:
    """A server that echoes a token is quoted without it, also where the quotation is cut in its middle."""
    token = last9.refresh_token
    for before in ("", "x" * 190):
        last9.faults.cancel()
        last9.order({"on": "exchange", "status": status, "body": form.format(before + " " + token)})
        ran, warning = (_undelivered if status >= 500 or form[0] == "<" else _refused)(last9, clock)
        assert token[:12] not in ran.log + warning
        assert token.split(".")[1][:12] not in ran.log + warning


def test_a_token_that_is_cut_off_is_not_quoted(last9: FakeLast9, clock: ManualClock) -> None:
    """What comes with a success may be half an access token: of such an answer nothing but a page's title is shown."""
    for body in ('{"access_token": "half-of-a-secr', "half-of-a-secr", "<token>half-of-a-secr"):
        last9.faults.cancel()
        last9.order({"on": "exchange", "body": body})
        ran, _ = _undelivered(last9, clock)
        assert "half-of" not in ran.log
