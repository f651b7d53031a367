"""What settings and token say: credential, organization, host and scope, and what comes of it where they do not agree."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from check_support import check, found, states
from last9_markers.fake_server import FakeLast9
from support import Field, field


def test_without_a_token(last9: FakeLast9, tmp_path: Path) -> None:
    """A missing credential is the first thing to fix; the way to Last9 is still checked."""
    connection = {"apiBaseUrl": field(last9.url), "orgSlug": field("acme")}
    done = check(None, tmp_path, token=None, connection=connection)
    findings = found(done)
    assert findings["token"][0] == "failed"
    assert "Secret text" in findings["token"][1]
    assert findings["connection"][0] == "ok"
    for unproven in ("exchange", "scope", "organization"):
        assert findings[unproven] == ("warning", "skipped: token failed. Fix that first.")
    assert done.answer["ok"] is False
    assert last9.requests() == []


def test_a_credential_that_the_library_could_not_bind(tmp_path: Path, last9: FakeLast9) -> None:
    """What only the controller knows of the credential is reported in its own words."""
    problem = "there is no credential 'nope' that this job may use. Add it."
    done = check(None, tmp_path, token=None, credentialProblem=problem, connection={"apiBaseUrl": field(last9.url)})
    assert found(done)["token"] == ("failed", problem)


@pytest.mark.parametrize(
    ("claims", "state", "words"),
    [
        ({"exp": 1700000000}, "warning", "expired on 2023-11-14"),
        ({"exp": int(time.time()) + 86400}, "warning", "expires on"),
        ({"exp": "never"}, "ok", "found"),
    ],
)
def test_what_a_token_says_of_its_end(last9: FakeLast9, tmp_path: Path, claims: dict[str, Any], state: str, words: str) -> None:
    """A token that has expired, or soon will, is reported before it fails the first deployment."""
    done = check(last9, tmp_path, token=last9.issue(**claims))
    assert found(done)["token"][0] == state
    assert words in found(done)["token"][1]
    assert (found(done)["exchange"][0] == "failed") is (words.startswith("expired"))


def test_a_token_with_a_line_break(last9: FakeLast9, tmp_path: Path) -> None:
    """A token that was pasted with a line break works, and is reported."""
    done = check(None, tmp_path, token=last9.refresh_token + "\n")
    assert done.answer["ok"] is True
    warnings = [each["text"] for each in done.answer["findings"] if each["check"] == "token" and each["state"] == "warning"]
    assert len(warnings) == 1
    assert "line break" in warnings[0]


def test_a_read_token(last9: FakeLast9, tmp_path: Path) -> None:
    """The exchange tells the scopes: a read token fails without a write."""
    done = check(last9, tmp_path, token=last9.issue(scopes=["read"]))
    assert states(done) == {"scope": "failed", "write": "warning"}
    assert "write scope" in found(done)["scope"][1]
    assert done.answer["ok"] is False


def test_a_read_token_and_a_test_event(last9: FakeLast9, tmp_path: Path) -> None:
    """The refusal of the write is blamed on the scope."""
    done = check(last9, tmp_path, token=last9.issue(scopes=["read"]), options={"sendTestEvent": "true"})
    assert states(done) == {"scope": "failed", "write": "failed"}
    assert found(done)["write"][1] == "the test event was rejected: see scope."


@pytest.mark.parametrize("scopes", [["admin"], ["read", "admin"]])
def test_scopes_that_nobody_knows(last9: FakeLast9, tmp_path: Path, scopes: list[str]) -> None:
    """Whether a scope of another name includes write is not guessed, not even beside one that does not."""
    done = check(last9, tmp_path, token=last9.issue(scopes=scopes))
    assert states(done) == {"scope": "warning", "write": "warning"}
    assert f"not proven: the token has: {', '.join(scopes)}" in found(done)["scope"][1]


def test_scopes_that_are_not_told(last9: FakeLast9, tmp_path: Path) -> None:
    """Neither exchange nor token tell the scopes: not proven."""
    last9.order({"on": "exchange", "body": '{"access_token": "opaque-access"}'})
    last9.issuer.accept("opaque-token")
    done = check(None, tmp_path, token="opaque-token", connection={"apiBaseUrl": field(last9.url), "orgSlug": field("acme")})
    assert "does not name its scopes" in found(done)["scope"][1]
    assert "not proven, because the token does not name its organization" in found(done)["organization"][1]
    assert "not a JWT" in found(done)["token"][1]


def test_an_organization_other_than_the_tokens(last9: FakeLast9, tmp_path: Path) -> None:
    """Where settings and token disagree the test says so without a write, and a write proves who is right."""
    environ = {"LAST9_ORG_SLUG": "acmee"}
    done = check(last9, tmp_path, environ=environ)
    assert states(done) == {"organization": "warning", "write": "warning"}
    assert "'acmee', from a LAST9_* variable, but the token is for 'acme'" in found(done)["organization"][1]
    assert "may or may not get through" in done.stderr
    done = check(last9, tmp_path, environ=environ, options={"sendTestEvent": "true"})
    assert states(done) == {"organization": "failed", "write": "failed"}
    assert "does not know organization 'acmee'" in found(done)["organization"][1]


def test_a_host_other_than_the_tokens(last9: FakeLast9, tmp_path: Path) -> None:
    """Where the settings name another host than the token, the test says which."""
    done = check(last9, tmp_path, token=last9.issue(aud="https://emea.last9.io"), connection={"apiBaseUrl": field(last9.url)})
    assert states(done) == {"host": "warning", "write": "warning"}
    assert f"{last9.url}, from the option, but the token names https://emea.last9.io" in found(done)["host"][1]


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        (field("https://evil.example", chosen=True), "evil.example"),
        (field("http://last9.example"), "plain http"),
        (field("https://a b"), ""),
    ],
)
def test_a_host_where_no_token_may_go(tmp_path: Path, last9: FakeLast9, base_url: Field, words: str) -> None:
    """Such a host is failed, and no one is asked anything there."""
    done = check(last9, tmp_path, connection={"apiBaseUrl": base_url})
    assert found(done)["host"][0] == "failed"
    assert words in found(done)["host"][1]
    assert found(done)["connection"] == ("warning", "skipped: host failed. Fix that first.")


def test_without_an_organization(last9: FakeLast9, tmp_path: Path) -> None:
    """Without an organization: failed with the setting, and the exchange is still tested."""
    done = check(last9, tmp_path, token=last9.issue(organization_slug=None), options={"sendTestEvent": "true"})
    assert states(done) == {"organization": "failed", "write": "warning"}
    assert "LAST9_ORG_SLUG" in found(done)["organization"][1]
    assert found(done)["write"][1] == "skipped: organization failed. Fix that first."
