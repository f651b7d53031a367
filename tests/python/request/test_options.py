"""Options: what makes no marker, what falls back to its default, and what is said about it."""

from __future__ import annotations

from typing import Any

import pytest
from last9_markers.fake_server import FakeLast9
from support import RunResult, field, make_request, run_marker, send_one


def _rejected(last9: FakeLast9, **options: object) -> RunResult:
    ran = run_marker(make_request("start", options=options), last9.refresh_token)
    assert not ran.answer.accepted
    assert not ran.answer.delivered
    assert ran.answer.deployment_id is None
    assert ran.pending == []
    assert last9.requests() == []
    return ran


@pytest.mark.parametrize("name", [None, "", "  \t"])
def test_no_service_name_makes_no_marker(last9: FakeLast9, name: str | None) -> None:
    """Without ``serviceName`` nothing is sent or kept, and the warning shows how to write it."""
    (warning,) = _rejected(last9, serviceName=name).answer.warnings
    assert "no marker was sent by withLast9Deployment (start): serviceName is required" in warning
    assert "withLast9Deployment(serviceName: 'payments-api'" in warning


@pytest.mark.parametrize("state", ["begin", "started", "0", "start stop"])
def test_wrong_event_state_makes_no_marker(last9: FakeLast9, state: str) -> None:
    """A misspelt ``eventState`` is never guessed at: nothing is sent, and the warning names the two that there are."""
    (warning,) = _rejected(last9, eventState=state).answer.warnings
    assert f"eventState must be 'start' or 'stop' (the default), not '{state}'" in warning


def test_null_names_are_one_warning_that_names_the_step(last9: FakeLast9) -> None:
    """Without a service the line names the step, once; it never advises to leave out what is required."""
    (warning,) = _rejected(last9, serviceName="null", environment="null").answer.warnings
    cause = "is null: the variable or parameter that it is taken from is not set."
    assert warning == (
        f"no marker was sent by withLast9Deployment (start): serviceName {cause} Set it. Also: environment {cause} Set it, or leave the "
        "option out."
    )


def test_every_reason_is_told_at_once(last9: FakeLast9) -> None:
    """One build shows all mistakes of a step."""
    ran = _rejected(last9, serviceName="", eventState="begin", enviroment="x")
    unknown, rejected = ran.answer.warnings
    assert "enviroment" in unknown
    assert "serviceName is required" in rejected
    assert " Also: eventState must be 'start' or 'stop'" in rejected
    assert ran.log.count("[Last9] WARNING: ") == 2


def test_unresolved_connection_makes_no_marker(last9: FakeLast9) -> None:
    """A connection that cannot be resolved stops the marker, and the warning says which."""
    ran = run_marker(make_request("start", options={"routingProfile": "acmee"}), last9.refresh_token)
    (warning,) = ran.answer.warnings
    assert warning.startswith("no marker was sent for payments-api (start): routing profile 'acmee' is not defined")
    assert not ran.answer.accepted
    assert last9.requests() == []


def test_dry_run_that_is_neither_yes_nor_no_sends_nothing(last9: FakeLast9) -> None:
    """An unclear ``dryRun`` must not send: someone may have meant to hold the marker back."""
    (warning,) = _rejected(last9, dryRun="maybe").answer.warnings
    assert "dryRun must be true or false, not 'maybe'" in warning


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("enviroment", "environment"),
        ("servicename", "serviceName"),
        ("eventstate", "eventState"),
        ("custom_attributes", "customAttributes"),
        ("orgSlugParm", "orgSlugParam"),
        ("timeout", "timeoutSeconds"),
    ],
)
def test_unknown_option_names_the_nearest(last9: FakeLast9, given: str, meant: str) -> None:
    """A misspelt option is a warning that names the right one, and the marker still goes."""
    ran = run_marker(make_request("start", options={given: "x"}), last9.refresh_token)
    assert ran.answer.delivered
    assert ran.answer.warnings == [f"payments-api: unknown option '{given}' is ignored: did you mean '{meant}'?"]


def test_a_misspelt_outcome_does_not_cost_the_stop(last9: FakeLast9) -> None:
    """A stop that is not sent leaves a window open for ever: the build's result stands in for an outcome that is none."""
    ran = run_marker(
        make_request("stop", options={"outcome": "sucess"}, body=None, build={"currentResult": "FAILURE"}), last9.refresh_token
    )
    assert ran.answer.delivered
    (warning,) = ran.answer.warnings
    assert warning.startswith("payments-api: outcome must be 'success', 'failure', 'unstable', 'aborted' or 'timeout', not 'sucess'")
    assert last9.received()[0]["attributes"]["deployment.outcome"] == "failure"


@pytest.mark.parametrize(
    ("step", "remedy"), [("withLast9Deployment", "the block's own end"), ("last9DeploymentMarker", "Set it on the stop")]
)
def test_an_outcome_before_the_end_is_ignored(last9: FakeLast9, step: str, remedy: str) -> None:
    """A start has no outcome, and a block's own end decides: ``outcome`` is ignored with a warning, and the marker is sent."""
    ran = run_marker(make_request("start", step=step, options={"outcome": "success"}), last9.refresh_token)
    assert ran.answer.delivered
    (warning,) = ran.answer.warnings
    assert remedy in warning
    assert "deployment.outcome" not in last9.received()[0]["attributes"]


def test_a_block_ends_as_it_ends_and_warns_once(last9: FakeLast9) -> None:
    """The stop of a block takes its outcome from the body, not from the options, and leaves the warning to the start."""
    body = {"ended": "threw", "resultBefore": None, "resultAfter": None}
    ran = run_marker(make_request("stop", step="withLast9Deployment", options={"outcome": "success"}, body=body), last9.refresh_token)
    assert ran.answer.warnings == []
    assert last9.received()[0]["attributes"]["deployment.outcome"] == "failure"


def test_an_unknown_option_of_last9config_is_told_as_such(last9: FakeLast9) -> None:
    """Who reads the warning looks at the step that sent the marker, so it names the other step that the mistake is in."""
    ran = run_marker(make_request("start", config={"orgSlg": "x", "timeoutSeconds": "5"}), last9.refresh_token)
    assert ran.answer.warnings == ["payments-api: unknown option 'orgSlg' in last9Config is ignored: did you mean 'orgSlug'?"]


def test_unknown_option_without_likeness_names_none(last9: FakeLast9) -> None:
    """A wrong guess would mislead: an option like no other is only said to be unknown."""
    ran = run_marker(make_request("start", options={"qqqqqqqq": "x"}), last9.refresh_token)
    (warning,) = ran.answer.warnings
    assert "unknown option 'qqqqqqqq'" in warning
    assert "did you mean" not in warning


@pytest.mark.parametrize("given", ["team=payments", ["a", "b"], 7, True])
def test_custom_attributes_that_are_no_map(last9: FakeLast9, given: object) -> None:
    """``customAttributes`` that is not a map costs itself and a warning, never the marker."""
    ran = run_marker(make_request("start", options={"customAttributes": given}), last9.refresh_token)
    assert ran.answer.delivered
    (warning,) = ran.answer.warnings
    assert "customAttributes is ignored: it is not a map" in warning


@pytest.mark.parametrize("given", ["soon", "0", "-3", "nan", "inf", "1e999", "15 s"])
def test_bad_timeout_falls_back(last9: FakeLast9, given: str) -> None:
    """A ``timeoutSeconds`` that is not a time is a warning that names the one that is used."""
    ran = run_marker(make_request("start", options={"timeoutSeconds": given}), last9.refresh_token)
    assert ran.answer.delivered
    (warning,) = ran.answer.warnings
    assert f"not '{given}'; using 10." in warning


def test_bad_timeout_in_the_environment_falls_back(last9: FakeLast9) -> None:
    """The administrator's variable is held to the same rule."""
    ran = run_marker(make_request(), last9.refresh_token, environ={"LAST9_TIMEOUT_SECONDS": "fifteen"})
    assert ran.answer.delivered
    assert "'fifteen'" in ran.answer.warnings[0]


@pytest.mark.parametrize("given", ["all", "dot", "both"])
def test_bad_attribute_names_fall_back(last9: FakeLast9, given: str) -> None:
    """An unknown ``attributeNames`` sends the documented names; there is no way any more to send each label twice."""
    request = make_request("start", options={"attributeNames": given})
    ran = run_marker(request, last9.refresh_token)
    (warning,) = ran.answer.warnings
    assert f"attributeNames must be 'dotted' or 'underscore', not '{given}'" in warning
    sent = set(last9.received()[0]["attributes"])
    assert "deployment.id" in sent
    assert "deployment_id" not in sent


@pytest.mark.parametrize("given", ["maybe", ["true"], "null"])
def test_unclear_close_open_windows_is_false(last9: FakeLast9, given: Any) -> None:
    """An unclear ``closeOpenWindows`` is said, as for every yes/no option, and the marker goes all the same."""
    ran = run_marker(make_request("start", options={"closeOpenWindows": given}), last9.refresh_token)
    (warning,) = ran.answer.warnings
    assert warning.startswith("payments-api: closeOpenWindows ")
    assert given != "maybe" or warning.endswith("must be true or false, not 'maybe'; using false.")
    assert ran.answer.delivered


def test_bad_fail_on_error_is_false(last9: FakeLast9) -> None:
    """An unclear ``failOnError`` must not fail a deploy."""
    ran = run_marker(make_request("start", options={"failOnError": "perhaps"}), None)
    assert ran.answer.fail_build is None
    assert "failOnError must be true or false, not 'perhaps'" in ran.answer.warnings[0]


@pytest.mark.parametrize("rejected", [True, False])
def test_fail_on_error_fails_for_what_was_not_delivered(last9: FakeLast9, rejected: bool) -> None:
    """With ``failOnError`` the answer carries the text that fails the build, for a wrong request as for a failed delivery."""
    options = {"failOnError": "TRUE", "serviceName": "" if rejected else "payments-api"}
    ran = run_marker(make_request("start", options=options), None)
    assert ran.answer.fail_build is not None
    reason = ran.answer.fail_build.partition("failOnError is set: ")[2]
    assert reason
    assert ran.answer.warnings[0].startswith(reason)


def test_fail_on_error_is_silent_on_success(last9: FakeLast9) -> None:
    """A delivered marker never fails a build."""
    ran = run_marker(make_request("start", options={"failOnError": "true"}), last9.refresh_token)
    assert ran.answer.delivered
    assert ran.answer.fail_build is None


@pytest.mark.parametrize("state", ["START", " Start ", "start"])
def test_event_state_in_any_case(last9: FakeLast9, state: str) -> None:
    """``eventState`` is read in any case and trimmed, and sent as the API wants it."""
    assert send_one(last9, make_request("start", options={"eventState": state}))["event_state"] == "start"


def test_event_state_defaults_to_stop(last9: FakeLast9) -> None:
    """The API's default is ``start`` and ours is ``stop``: so it is sent, always."""
    request = make_request("stop")
    del request["options"]["eventState"]
    assert send_one(last9, request)["event_state"] == "stop"


@pytest.mark.parametrize(("given", "sent"), [(None, "deployment"), ("  ", "deployment"), (" rollback ", "rollback")])
def test_event_name(last9: FakeLast9, given: str | None, sent: str) -> None:
    """A blank ``eventName`` is ignored."""
    assert send_one(last9, make_request("start", options={"eventName": given}))["event_name"] == sent


def test_data_source_name_is_left_out_unless_given(last9: FakeLast9) -> None:
    """Last9 chooses its own cluster unless a data source is named."""
    assert "data_source_name" not in send_one(last9, make_request())
    named = make_request(connection={"dataSourceName": field("prod-metrics")})
    assert send_one(last9, named)["data_source_name"] == "prod-metrics"


def test_option_wins_over_the_environment(last9: FakeLast9) -> None:
    """The step's own value wins over the administrator's default."""
    environ = {"LAST9_ATTRIBUTE_NAMES": "underscore"}
    own = send_one(last9, make_request("start", options={"attributeNames": "dotted"}), environ=environ)["attributes"]
    default = send_one(last9, make_request(), environ=environ)["attributes"]
    assert "deployment.id" in own
    assert "deployment_id" not in own
    assert "deployment_id" in default
    assert "deployment.id" not in default
