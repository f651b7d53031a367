"""How many labels a marker has, and which of them it has if there are too many."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from last9_markers.fake_server import FakeLast9
from last9_markers.marker.attributes import importance
from support import attributes_of, make_request, run_marker
from test_names import AGENT, CAUSES

ROOT = Path(__file__).resolve().parents[4]
#: Everything that an event may be asked for at once.
FULL_AGENT = {**AGENT, "TRACE_ID": "4bf92f3577b34da6a3ce929d0e0e4736", **{f"V{n}": "v" for n in range(40)}}
NAMES = st.sampled_from(
    ["team", "scm.branch", "scm_branch", "service", "version", "message", "deployment.outcome", *(f"c{n}" for n in range(40))]
)
VALUES = st.one_of(st.none(), st.text(max_size=4), st.integers(), st.lists(st.integers(), max_size=2))


@settings(max_examples=60, deadline=None)
@given(
    state=st.sampled_from(["start", "stop"]),
    custom=st.dictionaries(NAMES, VALUES, max_size=45),
    variables=st.integers(0, 40),
    parameters=st.integers(0, 40),
    version=st.sampled_from([None, "1.2"]),
    spelling=st.sampled_from(["dotted", "underscore"]),
)
def test_no_combination_has_more_than_thirty_labels(
    state: str, custom: dict[str, Any], variables: int, parameters: int, version: str | None, spelling: str
) -> None:
    """With any options, the series has at most 30 labels: with one more, a store may drop it whole, and no log would show it."""
    options = {
        "customAttributes": custom,
        "envAllowlist": [f"V{n}" for n in range(variables)],
        "paramAllowlist": [f"P{n}" for n in range(parameters)],
        "attributeNames": spelling,
        "version": version,
    }
    request = make_request(state, options=options, parameters={f"P{n}": "p" for n in range(40)}, build={"causes": CAUSES})
    with FakeLast9() as last9:
        assert run_marker(request, last9.refresh_token, environ=FULL_AGENT).answer.delivered
        (event,) = last9.received()
    labels = event["attributes"]
    assert len(labels) + len(importance.OF_THE_EVENT) <= 30
    assert all(labels[name] for name in ("deployment.id", "deployment_id") if name in labels)
    assert {"deployment.id", "deployment_id"} & set(labels)


def test_the_least_important_ones_are_left_out(last9: FakeLast9) -> None:
    """Beyond 30 labels, attributes that a user named stay before automatic ones, and one line names the user's that do not fit."""
    custom = {f"c{n:02d}": "x" for n in range(18)}
    request = make_request("stop", options={"customAttributes": custom, "version": "1.2"}, build={"causes": CAUSES})
    ran = run_marker(request, last9.refresh_token, environ=FULL_AGENT)
    labels = last9.received()[0]["attributes"]
    assert len(labels) == 27
    assert set(custom) <= set(labels)
    assert {"deployment.outcome", "version", "scm.commit_sha"} <= set(labels)
    assert not {"jenkins.build_url", "message", "trace_id"} & set(labels)
    (warning,) = ran.answer.warnings
    assert "at most 30 labels, so these are left out: jenkins.build_url, jenkins.job_name" in warning
    assert "trace_id" not in warning


def test_a_twentieth_custom_attribute_is_left_out(last9: FakeLast9) -> None:
    """Start and stop have the same custom attributes: as many as the fuller of the two has room for."""
    custom = {f"c{n:02d}": "x" for n in range(21)}
    labels = attributes_of(last9, make_request("start", options={"customAttributes": custom}))
    assert {name for name in labels if name in custom} == set(list(custom)[:19])


def test_it_is_said_once_a_build(last9: FakeLast9) -> None:
    """The next marker of the build leaves out the same without a word."""
    options = {"customAttributes": {f"c{n:02d}": "x" for n in range(25)}}
    first = run_marker(make_request("start", options=options), last9.refresh_token)
    again = make_request("start", options=options, outages=first.answer.more["outages"])
    assert "left out" in first.answer.warnings[0]
    assert run_marker(again, last9.refresh_token).answer.warnings == []


def test_an_ordinary_marker_has_room_for_all_that_is_documented(last9: FakeLast9) -> None:
    """A full stop without custom attributes leaves nothing out that the log must name."""
    request = make_request("stop", options={"version": "1.2"}, build={"causes": CAUSES})
    ran = run_marker(request, last9.refresh_token, environ=FULL_AGENT)
    assert ran.answer.warnings == []
    assert {*importance.WINDOW, *importance.BUILD, *importance.DOCUMENTED, "message", "trace_id"} <= set(last9.received()[0]["attributes"])


def test_the_docs_have_the_same_order() -> None:
    """The table in docs/attributes.md and the one in the code name the same attributes in the same order."""
    page = (ROOT / "docs/attributes.md").read_text(encoding="utf-8")
    rows = [re.findall(r"`([^`]+)`", row) for row in re.findall(r"^\| \d \| (.*) \|$", page, re.MULTILINE)]
    groups = [
        importance.IDENTITY,
        importance.WINDOW,
        None,
        None,
        importance.BUILD,
        importance.MESSAGE,
        importance.DOCUMENTED,
        importance.REST,
    ]
    assert len(rows) == len(groups)
    assert all(group is None or tuple(row) == group for row, group in zip(rows, groups))


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TRACE_ID": "4bf92f3577b34da6a3ce929d0e0e4736"}, "4bf92f3577b34da6a3ce929d0e0e4736"),
        ({"TRACEPARENT": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n"}, "4bf92f3577b34da6a3ce929d0e0e4736"),
        ({"TRACE_ID": "0" * 32}, None),
        ({"TRACE_ID": "null", "TRACEPARENT": "null"}, None),
        ({"TRACEPARENT": "4bf92f3577b34da6a3ce929d0e0e4736"}, None),
    ],
)
def test_the_trace_of_the_build(environ: dict[str, str], expected: str | None, last9: FakeLast9) -> None:
    """What the OpenTelemetry plugin has put into the environment leads from the marker to the trace; nothing else is taken for one."""
    assert attributes_of(last9, make_request("start"), environ=environ).get("trace_id") == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"version": " "}, "payments-api to production: success, 1 min"),
        ({"version": "2.14.0"}, "payments-api 2.14.0 to production: success, 1 min"),
        ({"message": " Hotfix\n for  CHG-1 "}, "Hotfix for CHG-1"),
        ({"message": "x" * 300}, "x" * 199 + "…"),
        ({"serviceName": "s" * 300}, "s" * 199 + "…"),
    ],
)
def test_the_message_that_people_read(options: dict[str, Any], expected: str, last9: FakeLast9) -> None:
    """One line of 200 characters at most: as the option has it, or a sentence made of the others."""
    assert attributes_of(last9, make_request("stop", options=options))["message"] == expected
