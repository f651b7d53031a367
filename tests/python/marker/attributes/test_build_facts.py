"""``jenkins.*`` and ``deployment.*``: results, outcomes, users and times."""

from __future__ import annotations

from typing import Any

import pytest
from last9_markers.fake_server import FakeLast9
from last9_markers.marker.attributes.deployment import AGENT_LOST_MESSAGES
from support import ROOT, STARTED_MS, attributes_of, make_request, run_marker

TIMEOUT = {"ended": "interrupted", "message": "Timeout has been exceeded"}
AGENT_LOST = {"ended": "interrupted", "message": "Agent was removed"}
AGENT_NOT_BACK = {"ended": "interrupted", "message": "Timeout waiting for agent to come back"}
BY_ALICE = {"ended": "interrupted", "message": "Aborted by alice"}
#: What the ``build`` step says when the other job did not end well; the name is a link in the real thing.
DOWNSTREAM = "deploy » payments #7 completed with status {} (propagate: false to ignore)"
RETURNED = {"ended": "returned", "resultBefore": None, "resultAfter": None}


def _user(name: str | None) -> dict[str, Any]:
    return {"_class": "hudson.model.Cause$UserIdCause", "userId": name, "shortDescription": f"Started by user {name}"}


SCM = {"_class": "hudson.triggers.SCMTrigger$SCMTriggerCause", "shortDescription": "Started by an SCM change"}
UPSTREAM = {"_class": "org.jenkinsci.plugins.workflow.support.steps.build.BuildUpstreamCause", "upstreamProject": "parent"}


@pytest.mark.parametrize(
    ("body", "current", "outcome", "result"),
    [
        (RETURNED, "SUCCESS", "success", "SUCCESS"),
        (RETURNED, None, "success", None),
        ({"ended": "threw"}, "SUCCESS", "failure", "FAILURE"),
        ({"ended": "threw"}, "ABORTED", "failure", "ABORTED"),
        ({"ended": "threw"}, "UNSTABLE", "failure", "FAILURE"),
        (TIMEOUT, "SUCCESS", "timeout", "ABORTED"),
        (BY_ALICE, "SUCCESS", "aborted", "ABORTED"),
        (AGENT_LOST, "SUCCESS", "failure", "ABORTED"),
        (AGENT_NOT_BACK, "SUCCESS", "failure", "ABORTED"),
        ({"ended": "interrupted", "message": "Queue task was cancelled"}, "SUCCESS", "aborted", "ABORTED"),
        ({"ended": "interrupted"}, "FAILURE", "aborted", "ABORTED"),
        ({"ended": "interrupted", "message": "Superseded by payments #43"}, "SUCCESS", "aborted", "NOT_BUILT"),
        ({**RETURNED, "resultAfter": "UNSTABLE"}, "UNSTABLE", "unstable", "UNSTABLE"),
        ({**RETURNED, "resultBefore": "SUCCESS", "resultAfter": "FAILURE"}, "FAILURE", "failure", "FAILURE"),
        ({"ended": "interrupted", "message": DOWNSTREAM.format("FAILURE")}, "SUCCESS", "failure", "FAILURE"),
        ({"ended": "interrupted", "message": DOWNSTREAM.format("UNSTABLE")}, "SUCCESS", "unstable", "UNSTABLE"),
        ({"ended": "interrupted", "message": DOWNSTREAM.format("NOT_BUILT")}, None, "aborted", "NOT_BUILT"),
        ({"ended": "interrupted", "message": DOWNSTREAM.format("NONSENSE")}, None, "aborted", "ABORTED"),
        ({"ended": "interrupted", "message": "Downstream build was not stable (propagate: false to ignore)"}, None, "failure", "FAILURE"),
        ({"ended": "interrupted", "message": DOWNSTREAM.format("FAILURE") + " by mallory"}, None, "aborted", "ABORTED"),
        ({**RETURNED, "resultAfter": "FAILURE", "failedElsewhere": False}, "FAILURE", "failure", "FAILURE"),
        ({**RETURNED, "resultAfter": "FAILURE", "failedElsewhere": True}, "FAILURE", "success", "FAILURE"),
        ({**RETURNED, "resultAfter": "UNSTABLE", "failedElsewhere": True}, "UNSTABLE", "unstable", "UNSTABLE"),
        ({**RETURNED, "resultAfter": "ABORTED", "failedElsewhere": True}, "ABORTED", "aborted", "ABORTED"),
        ({**RETURNED, "resultAfter": "NOT_BUILT"}, "NOT_BUILT", "aborted", "NOT_BUILT"),
        ({**RETURNED, "resultBefore": "UNSTABLE", "resultAfter": "FAILURE"}, "FAILURE", "failure", "FAILURE"),
        ({**RETURNED, "resultBefore": "ABORTED", "resultAfter": "FAILURE"}, "FAILURE", "success", "FAILURE"),
        ({**RETURNED, "resultBefore": "UNSTABLE", "resultAfter": "UNSTABLE"}, "UNSTABLE", "success", "UNSTABLE"),
        ({**RETURNED, "resultBefore": "FAILURE", "resultAfter": "FAILURE"}, "FAILURE", "success", "FAILURE"),
    ],
)
def test_outcome_of_a_block(last9: FakeLast9, body: dict[str, Any], current: str | None, outcome: str, result: str | None) -> None:
    """The body's own end decides the outcome; the build's result is worsened by it and never bettered."""
    labels = attributes_of(last9, make_request("stop", body=body, build={"currentResult": current}))
    assert labels["deployment.outcome"] == outcome
    assert labels.get("jenkins.build_result") == result


@pytest.mark.parametrize("message", [*AGENT_LOST_MESSAGES, "(propagate: false to ignore)"])
def test_the_library_knows_who_did_not_press_stop(message: str) -> None:
    """Interruptions that are not aborts here are not aborts to the library either; else a stop would have five seconds only."""
    assert f"'{message}'" in (ROOT / "src" / "org" / "last9" / "Sender.groovy").read_text("utf-8")


@pytest.mark.parametrize(
    ("result", "outcome"),
    [
        ("SUCCESS", "success"),
        ("UNSTABLE", "unstable"),
        ("FAILURE", "failure"),
        ("ABORTED", "aborted"),
        ("NOT_BUILT", "aborted"),
        ("SOMETHING", None),
        (None, None),
    ],
)
def test_outcome_of_a_manual_stop(last9: FakeLast9, result: str | None, outcome: str | None) -> None:
    """A stop without a body ends as the build stands; an unknown result is not an outcome."""
    labels = attributes_of(last9, make_request("stop", body=None, build={"currentResult": result}))
    assert labels.get("deployment.outcome") == outcome
    assert labels.get("jenkins.build_result") == (result if outcome else None)


@pytest.mark.parametrize(
    ("causes", "cause"),
    [
        ([_user("alice")], "user"),
        ([_user(None)], "user"),
        ([{"_class": "hudson.triggers.TimerTrigger$TimerTriggerCause"}], "timer"),
        ([SCM], "scm"),
        ([{"_class": "jenkins.branch.BranchEventCause"}], "scm"),
        ([{"_class": "com.cloudbees.jenkins.GitHubPushCause"}], "scm"),
        ([UPSTREAM], "upstream"),
        ([{"_class": "hudson.model.Cause$UpstreamCause"}], "upstream"),
        ([{"_class": "hudson.model.Cause$RemoteCause"}], "api"),
        ([{"_class": "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause"}, _user("bob")], "user"),
        ([UPSTREAM, _user("bob")], "upstream"),
        ([{"_class": "com.example.Cause$OfSomePluginCause"}], None),
        ([{"shortDescription": "a cause without a class"}, "no cause at all"], None),
        ([], None),
    ],
)
def test_build_cause(last9: FakeLast9, causes: list[Any], cause: str | None) -> None:
    """The build's cause is one word of five; the first known cause is used, and an unknown plugin's is left out."""
    labels = attributes_of(last9, make_request(build={"causes": causes}))
    assert labels.get("jenkins.build_cause") == cause


@pytest.mark.parametrize("said", ["failure", "FAILURE", " Failure "])
def test_a_manual_stop_may_say_its_outcome(last9: FakeLast9, said: str) -> None:
    """``outcome`` wins over the build's result, in any case, and leaves the result itself alone."""
    labels = attributes_of(last9, make_request("stop", options={"outcome": said}, body=None, build={"currentResult": "SUCCESS"}))
    assert labels["deployment.outcome"] == "failure"
    assert labels["jenkins.build_result"] == "SUCCESS"


@pytest.mark.parametrize("said", ["success", "failure", "unstable", "aborted", "timeout"])
def test_a_point_may_say_each_outcome(last9: FakeLast9, said: str) -> None:
    """Each of the five can be set, also without a start, and before the build knows it."""
    labels = attributes_of(last9, make_request("stop", options={"outcome": said}, body=None, window=None, build={"currentResult": None}))
    assert labels["deployment.outcome"] == said


def test_a_start_says_nothing_of_the_end(last9: FakeLast9) -> None:
    """A start has neither result, outcome nor duration, even if the build has failed already."""
    labels = attributes_of(last9, make_request("start", build={"currentResult": "FAILURE", "result": "FAILURE"}))
    assert not [name for name in labels if "result" in name or "outcome" in name or "window_duration" in name]


@pytest.mark.parametrize(("stopped", "duration"), [(0, "0"), (1, "1"), (86_400_000, "86400000"), (-5000, "0")])
def test_window_duration(last9: FakeLast9, stopped: int, duration: str) -> None:
    """The duration runs from the start's moment to the stop's, both of one clock, and is never negative."""
    labels = attributes_of(last9, make_request("stop", timestampMs=STARTED_MS + stopped))
    assert labels["deployment.window_duration_ms"] == duration


@pytest.mark.parametrize(
    ("causes", "upstream", "user"),
    [
        ([_user("alice")], [], "alice"),
        ([SCM, _user("alice")], [], "alice"),
        ([UPSTREAM], [_user("parent-user"), _user("root-user")], "root-user"),
        ([UPSTREAM], [UPSTREAM, SCM], None),
        ([_user("alice")], [_user("root-user")], "alice"),
        ([_user(None)], [], None),
        ([_user("  ")], [], None),
        ([_user("null")], [_user(" root-user\n")], "root-user"),
        ([SCM], [], None),
        ("nonsense", {"userId": "x"}, None),
        ([None, 7, "alice", _user("bob")], [], "bob"),
    ],
)
def test_build_user(last9: FakeLast9, causes: Any, upstream: Any, user: str | None) -> None:
    """The user is the id of who started the build, else of who stands at the root of its upstream chain, else no one."""
    labels = attributes_of(last9, make_request("start", build={"causes": causes, "upstreamCauses": upstream}))
    assert labels.get("jenkins.build_user") == user


@pytest.mark.parametrize("broken", [{"startTimeMs": 10**18}, {"startTimeMs": -(10**18)}])
def test_a_broken_fact_costs_itself_only(last9: FakeLast9, broken: dict[str, Any]) -> None:
    """A start time beyond the calendar costs that attribute and a warning: result, user and marker still go."""
    request = make_request("stop", build={**broken, "causes": [_user("alice")]})
    ran = run_marker(request, last9.refresh_token)
    assert ran.answer.delivered
    labels = last9.received()[0]["attributes"]
    assert "jenkins.build_start_time" not in labels
    assert labels["jenkins.build_result"] == "SUCCESS"
    assert labels["jenkins.build_user"] == "alice"
    assert len(ran.answer.warnings) == 1


@pytest.mark.parametrize("odd", ["1500", None, True, 1.5, []])
def test_facts_of_the_wrong_type_count_as_unknown(last9: FakeLast9, odd: object) -> None:
    """What the contract promises as a number and is none is left out, never sent as nonsense."""
    labels = attributes_of(last9, make_request("start", build={"durationMs": odd, "startTimeMs": odd}))
    assert "jenkins.build_duration_ms" not in labels
    assert "jenkins.build_start_time" not in labels
