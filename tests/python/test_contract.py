"""The request as it is read and the answer as it is written: versions, odd fields, broken files."""

from __future__ import annotations

import json
from typing import Any

import pytest
from last9_markers.contract import Answer, parse
from last9_markers.errors import RequestUnreadable
from last9_markers.standin import StandIn
from support import WINDOW, make_request, run_errand


@pytest.mark.parametrize("version", [0, 2, "1", None, [1], 1.5])
def test_unknown_version_is_refused(version: object) -> None:
    """A half that meets a version it does not know says which, and does not guess."""
    with pytest.raises(RequestUnreadable, match="this engine knows version 1"):
        parse(json.dumps(make_request() | {"contract": version}))


def test_missing_version_is_refused() -> None:
    """A text without a version is no request."""
    with pytest.raises(RequestUnreadable, match="contract version None"):
        parse("{}")


@pytest.mark.parametrize(("text", "reason"), [("", "not JSON"), ("{", "not JSON"), ("[]", "not a JSON object"), ("7", "not a JSON object")])
def test_what_is_no_request(text: str, reason: str) -> None:
    """A cut or foreign text is unreadable, not a crash."""
    with pytest.raises(RequestUnreadable, match=reason):
        parse(text)


def test_bottomless_nesting_is_refused() -> None:
    """A request nested deeper than any reader goes is unreadable, not a crash."""
    with pytest.raises(RequestUnreadable, match="nested too deep"):
        parse('{"contract":1,"options":' + '{"a":' * 200_000 + "1" + "}" * 200_001)


@pytest.mark.parametrize("odd", [None, 7, "x", True, [], ["x", 1], {"x": 1}, 1.5, 10**400])
@pytest.mark.parametrize(
    "key",
    [
        "step",
        "timestampMs",
        "window",
        "connectionProblems",
        "build",
        "body",
        "secretParameters",
        "parameters",
        "environmentAllowlist",
        "limitSeconds",
        "pending",
    ],
)
def test_an_odd_field_never_costs_the_answer(key: str, odd: object) -> None:
    """Whatever a field holds, there is an answer: a dry run of the request ends without an exception."""
    request = make_request("stop", options={"dryRun": "true"}) | {key: odd}
    ran = run_errand(request, None)
    assert not ran.answer.delivered
    assert ran.pending is not None


@pytest.mark.parametrize("odd", [-1, 253402300800000, 10**30, True, "1790000000123", None])
def test_a_timestamp_that_is_none_counts_as_absent(last9: StandIn, odd: object) -> None:
    """A moment beyond the calendar must not cost the marker: the agent's own clock stands in."""
    ran = run_errand(make_request() | {"timestampMs": odd}, last9.refresh_token)
    assert ran.answer.delivered
    assert last9.received()[0]["timestamp"].startswith("2026-09-21T14:")


@pytest.mark.parametrize("chosen", [True, None, "false", 1, 0])
def test_from_parameter_is_read_carefully(chosen: object) -> None:
    """Only a plain ``false`` says that nobody who starts a build can choose a value."""
    request = make_request() | {"connection": {"apiBaseUrl": {"value": "https://x.example", "fromParameter": chosen}}}
    assert parse(json.dumps(request)).connection["apiBaseUrl"].from_parameter


def test_blank_connection_fields_count_as_absent() -> None:
    """A blank field must not stand in the way of what the token says."""
    fields: dict[str, Any] = {"orgSlug": {"value": "  "}, "apiBaseUrl": {"value": None}, "dataSourceName": 7, "credentialId": {}}
    assert parse(json.dumps(make_request() | {"connection": fields})).connection == {}


def test_the_kept_text_has_no_pending() -> None:
    """A request that is kept must not hold the ones before it again: it would grow with every failure."""
    request = parse(json.dumps(make_request() | {"pending": ["one", 2, "three"]}))
    assert request.pending == ["one", "three"]
    assert "pending" not in json.loads(request.text)


def test_the_answer_is_one_line_of_ascii() -> None:
    """Whatever the warnings hold, the answer is one line that begins with the version and that any console can carry."""
    answer = Answer(True, True, WINDOW, ["Zürich\n\u2028 \ud83d 🚀"], "x\r\ny", ["a\nb"])
    line = answer.line()
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert line.startswith('{"last9Answer":1,')
    assert json.loads(line)["warnings"] == answer.warnings


def test_pending_is_left_out_where_the_request_was_unreadable() -> None:
    """The library then keeps the request with everything in it; an empty list would throw the kept markers away."""
    assert "pending" not in json.loads(Answer(False, False, None, [], None, None).line())
    assert json.loads(Answer(False, False, None, [], None, []).line())["pending"] == []
