"""The request as it is read and the answer as it is written: versions, odd fields, broken files."""

from __future__ import annotations

import json

import pytest
from last9_markers.core.errors import RequestUnreadable
from last9_markers.fake_server import FakeLast9
from last9_markers.request.contract import Answer, Kept, StillPending, parse, still_pending
from support import WINDOW, kept, make_request, run_marker


@pytest.mark.parametrize("version", [0, 1, 3, "2", None, [2], 2.5])
def test_unknown_version_is_refused(version: object) -> None:
    """A half that meets a version it does not know says which, and does not guess."""
    with pytest.raises(RequestUnreadable, match="this engine knows version 2"):
        parse(json.dumps(make_request() | {"contract": version}))


def test_missing_version_is_refused() -> None:
    """A text without a version is not a request."""
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
        parse('{"contract":2,"options":' + '{"a":' * 200_000 + "1" + "}" * 200_001)


@pytest.mark.parametrize("odd", [None, 7, "x", True, [], ["x", 1], {"x": 1}, 1.5, 10**400])
@pytest.mark.parametrize(
    "key",
    [
        "step",
        "timestampMs",
        "window",
        "config",
        "profile",
        "credential",
        "environment",
        "folder",
        "borrowedNode",
        "outages",
        "nowMs",
        "build",
        "body",
        "secretParameters",
        "parameters",
        "limitSeconds",
        "pending",
    ],
)
def test_an_odd_field_never_costs_the_answer(key: str, odd: object) -> None:
    """With any value of a field there is an answer: a dry run of the request ends without an exception."""
    request = make_request("stop", options={"dryRun": "true"}) | {key: odd}
    ran = run_marker(request, None)
    assert not ran.answer.delivered
    assert ran.pending is not None


@pytest.mark.parametrize("odd", [-1, 253402300800000, 10**30, True, "1790000000123", None])
def test_a_timestamp_that_is_none_counts_as_absent(last9: FakeLast9, odd: object) -> None:
    """A moment beyond the calendar must not cost the marker: the agent's own clock stands in."""
    ran = run_marker(make_request() | {"timestampMs": odd}, last9.refresh_token)
    assert ran.answer.delivered
    assert last9.received()[0]["timestamp"].startswith("2026-09-21T14:")


def test_numbers_stay_as_they_were_written() -> None:
    """A version 1.10 is not 1.1, whether it is an option or an attribute; inside of a list a number is a number."""
    text = json.dumps(make_request()).replace(
        '"serviceName"', '"version": 1.10, "customAttributes": {"size": 2.50, "list": [1.50], "whole": 3}, "serviceName"'
    )
    request = parse(text)
    assert request.option("version") == "1.10"
    assert request.option("customAttributes") == {"size": "2.50", "list": [1.5], "whole": 3}
    again = parse(request.text)
    assert again.options == request.options


def test_an_option_is_the_steps_own_or_the_configured_one() -> None:
    """What the step leaves blank or null is what last9Config says."""
    request = parse(
        json.dumps(make_request(config={"environment": "e", "version": "v", "x": "c"}, options={"environment": " ", "version": None}))
    )
    assert (request.option("environment"), request.option("version"), request.option("serviceName")) == ("e", "v", "payments-api")
    assert (request.is_configured("version"), request.is_configured("serviceName")) == (True, False)
    assert not parse(json.dumps(make_request(config={"version": "c"}, options={"version": False}))).is_configured("version")


def test_causes_come_as_jenkins_writes_them() -> None:
    """Causes are Jenkins' own JSON; those of upstream builds are nested in newer versions, and the root of the chain comes last."""
    nested = [{"_class": "a", "upstreamCauses": [{"_class": "b", "upstreamCauses": [{"_class": "c"}]}, 7]}, "x"]
    request = parse(
        json.dumps(make_request(build=None) | {"build": {"causes": json.dumps(nested), "upstreamCauses": ['[{"_class": "d"}]', "{", 7]}})
    )
    assert [cause["_class"] for cause in request.build["causes"]] == ["a"]
    assert [cause["_class"] for cause in request.build["upstreamCauses"]] == ["b", "c", "d"]


@pytest.mark.parametrize("odd", [None, 7, "[", "{}", "[[[" * 50_000])
def test_causes_that_are_none(odd: object) -> None:
    """What cannot be read as causes is none."""
    assert parse(json.dumps(make_request(build={"causes": odd}))).build["causes"] == []


def test_what_is_pending_is_named_by_its_index() -> None:
    """An answer stays small: kept markers come back as their places in the request, and are found again."""
    given = [Kept("a"), Kept("b", 1), Kept("c")]
    found = still_pending(json.loads(Answer(False, True, None, [], None, StillPending("own", ((1, 2), (7, 0)))).line())["pending"])
    assert found is not None
    assert found.of(given) == [Kept("b", 2), Kept("own")]


@pytest.mark.parametrize("odd", [None, [], "x", {}, {"kept": 1}])
def test_pending_that_is_none(odd: object) -> None:
    """A foreign answer settles nothing."""
    assert still_pending(odd) is None


def test_the_kept_text_has_no_pending() -> None:
    """A request that is kept must not hold the ones before it again: it would grow with every failure."""
    changes = {"pending": [*kept("one"), 2, *kept("three")], "outages": {"x": 1}, "limitSeconds": 4.2, "afterAbort": True, "nowMs": 1}
    request = parse(json.dumps(make_request() | changes))
    assert [entry.text for entry in request.pending] == ["one", "", "three"]
    assert json.loads(request.text) == make_request(pending=None)


def test_the_answer_is_one_line_of_ascii() -> None:
    """With any warnings, the answer is one line that begins with the version and that any console can carry."""
    answer = Answer(True, True, WINDOW, ["Zürich\n\u2028 \ud83d 🚀"], "x\r\ny", StillPending("a\nb"))
    line = answer.line()
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert line.startswith('{"last9Answer":2,')
    assert json.loads(line)["warnings"] == answer.warnings


def test_pending_is_left_out_where_the_request_was_unreadable() -> None:
    """The library then keeps the request with everything in it; an empty list would throw the kept markers away."""
    assert "pending" not in json.loads(Answer(False, False, None, [], None, None).line())
    assert json.loads(Answer(False, False, None, [], None, StillPending("own", ((1, 2),))).line())["pending"] == {
        "own": "own",
        "kept": [[1, 2]],
    }
