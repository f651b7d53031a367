"""Markers that wait: what is kept, in which order it goes out, and to whom never."""

from __future__ import annotations

import json
from typing import Any

import pytest
from last9_markers.fake_server import FakeLast9
from support import STARTED, STOPPED, WINDOW, ManualClock, RunResult, field, make_request, run_marker


def _states(last9: FakeLast9) -> list[tuple[str, str]]:
    return [(event["event_state"], event["timestamp"]) for event in last9.received()]


def _kept(last9: FakeLast9, clock: ManualClock, **changes: Any) -> str:
    """A start that met an outage, as the library keeps it."""
    last9.order({"status": 503})
    ran = run_marker(make_request(**changes), last9.refresh_token, clock=clock)
    last9.faults.cancel()
    assert not ran.answer.delivered
    assert ran.pending
    last9.forget()
    return ran.pending[-1]


def _refused_nothing(last9: FakeLast9, text: str, ran: RunResult) -> None:
    """The queued text has another destination: it is not sent, and is handed back unchanged."""
    assert ran.pending == [text]
    assert _states(last9) == [("stop", STOPPED)]


def test_start_goes_out_before_the_stop(last9: FakeLast9, clock: ManualClock) -> None:
    """After an outage Last9 has both markers, in the order they happened and with their own times."""
    text = _kept(last9, clock)
    ran = run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    assert ran.pending == []
    assert _states(last9) == [("start", STARTED), ("stop", STOPPED)]
    assert {event["attributes"]["deployment.id"] for event in last9.received()} == {WINDOW}
    assert "Also sent: 1 queued deployment marker" in ran.log
    assert [entry["method"] for entry in last9.requests()] == ["POST", "PUT", "PUT"]


def test_order_of_many(last9: FakeLast9, clock: ManualClock) -> None:
    """Queued markers are sent after the marker itself, oldest first; only the start of its own window goes before it."""
    texts = [_kept(last9, clock, timestampMs=1790000000000 + number, window={"id": f"other-{number}"}) for number in range(3)]
    ran = run_marker(make_request("stop", pending=[*texts, _kept(last9, clock)]), last9.refresh_token, clock=clock)
    assert ran.pending == []
    assert _states(last9)[:2] == [("start", STARTED), ("stop", STOPPED)]
    assert [stamp[-4:-1] for _, stamp in _states(last9)[2:]] == ["000", "001", "002"]
    assert "Also sent: 4 queued deployment markers" in ran.log


def test_the_same_body_on_repeat(last9: FakeLast9, clock: ManualClock) -> None:
    """A queued marker is the event that was first composed, even if the agent's environment has changed."""
    text = _kept(last9, clock)
    composed = json.loads(text)["event"]
    environ = {"JOB_NAME": "another", "GIT_COMMIT": "f" * 40}
    run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock, environ=environ)
    sent = last9.received()[0]
    assert {key: sent[key] for key in composed} == composed


def test_kept_twice_it_is_still_the_same(last9: FakeLast9, clock: ManualClock) -> None:
    """A second outage hands the text back to the letter."""
    text = _kept(last9, clock)
    last9.order({"status": 503})
    ran = run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock)
    assert ran.pending is not None
    assert ran.pending[0] == text


@pytest.mark.parametrize(
    "other",
    [
        {"credentialId": field("another-credential")},
        {"orgSlug": field("globex")},
        {"apiBaseUrl": field("http://127.0.0.1:1")},
        {"apiBaseUrl": field("https://app.last9.io")},
    ],
)
def test_never_to_another_destination(clock: ManualClock, other: dict[str, Any]) -> None:
    """A marker that was meant for another credential, organization or host does not go along, and is not lost."""
    with FakeLast9(organizations=("acme", "globex")) as last9:
        request = make_request(connection=other)
        text = run_marker(request, None, clock=clock).pending
        assert text
        ran = run_marker(make_request("stop", pending=text), last9.refresh_token, clock=clock)
        _refused_nothing(last9, text[0], ran)


def test_a_raw_request_of_another_destination_stays(last9: FakeLast9, clock: ManualClock) -> None:
    """The same holds for a request that the engine never saw."""
    text = json.dumps(make_request(connection={"credentialId": field("another-credential")}))
    ran = run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock)
    _refused_nothing(last9, text, ran)


def test_a_raw_request_to_a_host_that_a_parameter_chose_stays(last9: FakeLast9, clock: ManualClock) -> None:
    """A kept request cannot carry the token where its own step could not."""
    with FakeLast9() as thief:
        chosen = field(thief.url.replace("127.0.0.1", "localhost"), chosen=True)
        text = json.dumps(make_request(connection={"apiBaseUrl": chosen}))
        ran = run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock)
        _refused_nothing(last9, text, ran)
        assert thief.requests() == []


def test_a_raw_request_goes_out(last9: FakeLast9, clock: ManualClock) -> None:
    """A request that got no answer (no Python, a killed process) is composed now, with its own time and window."""
    text = json.dumps(make_request("start", options={"attributeNames": "dotted"}))
    ran = run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock, environ={"JOB_NAME": "job"})
    assert ran.pending == []
    assert _states(last9) == [("start", STARTED), ("stop", STOPPED)]
    labels = last9.received()[0]["attributes"]
    assert labels["jenkins.job_name"] == "job"
    assert "jenkins_job_name" not in labels


def test_a_raw_dry_run_is_no_marker(last9: FakeLast9, clock: ManualClock) -> None:
    """A dry run that got no answer is neither sent later nor carried along for ever."""
    text = json.dumps(make_request("start", options={"dryRun": "true"}))
    ran = run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock)
    assert ran.pending == []
    assert ran.answer.warnings == []
    assert _states(last9) == [("stop", STOPPED)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"last9Pending":2,"event":{}}',
        '{"last9Pending":1,"event":"x"}',
        '{"contract":1}',
        '{"contract":2}',
        "[" * 100_000,
    ],
)
def test_what_is_no_marker_is_dropped(last9: FakeLast9, clock: ManualClock, text: str) -> None:
    """A text that cannot be read must not block later markers: it is dropped, with a warning."""
    ran = run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    assert ran.pending == []
    (warning,) = ran.answer.warnings
    assert "cannot be read and was dropped" in warning
    assert _states(last9) == [("stop", STOPPED)]


def test_a_text_that_no_utf8_can_carry_is_dropped(last9: FakeLast9, clock: ManualClock) -> None:
    """Half a character in a kept event costs that marker, not the one that follows."""
    kept = json.loads(_kept(last9, clock))
    kept["event"]["event_name"] = "half \ud83d"
    ran = run_marker(make_request("stop", pending=[json.dumps(kept)]), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    assert ran.pending == []
    assert "dropped" in ran.answer.warnings[0]


@pytest.mark.parametrize("odd", [{"credentialId": 7}, {"organization": ["acme"]}, {"organization": "../x"}, {"apiBaseUrl": "ftp://x"}])
def test_a_kept_text_with_odd_fields_goes_nowhere(last9: FakeLast9, clock: ManualClock, odd: dict[str, Any]) -> None:
    """A tampered text has no known destination: it is not sent."""
    text = json.dumps({**json.loads(_kept(last9, clock)), **odd})
    ran = run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    _refused_nothing(last9, text, ran)


def test_a_kept_marker_that_is_refused_is_dropped(last9: FakeLast9, clock: ManualClock) -> None:
    """A marker that Last9 will never take is reported, dropped, and the next one goes out."""
    text = _kept(last9, clock)
    last9.order({"on": "event", "about": '"start"', "times": 1, "status": 422, "body": '{"error": "too old"}'})
    ran = run_marker(make_request("stop", pending=[text]), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    assert ran.pending == []
    (warning,) = ran.answer.warnings
    assert "rejected and dropped" in warning
    assert "too old" in warning
    assert _states(last9) == [("stop", STOPPED)]


def test_kept_without_a_token_it_goes_to_whom_the_token_names(last9: FakeLast9, clock: ManualClock) -> None:
    """A marker kept because the credential was missing goes out once it is there, to the organization that it names."""
    first = run_marker(make_request(), None, clock=clock)
    assert "no refresh token found" in first.answer.warnings[0]
    assert first.pending
    ran = run_marker(make_request("stop", pending=first.pending), last9.refresh_token, clock=clock)
    assert ran.pending == []
    assert _states(last9) == [("start", STARTED), ("stop", STOPPED)]


@pytest.mark.parametrize("options", [{"serviceName": ""}, {"dryRun": "true"}])
def test_others_survive_a_step_that_sends_nothing(last9: FakeLast9, clock: ManualClock, options: dict[str, Any]) -> None:
    """A wrong request and a dry run hand back what was kept, untouched, and add nothing of their own."""
    text = _kept(last9, clock)
    ran = run_marker(make_request("stop", options=options, pending=[text, "opaque"]), last9.refresh_token, clock=clock)
    assert ran.pending == [text, "opaque"]
    assert last9.requests() == []
    assert not ran.answer.delivered


def test_nothing_secret_is_kept(last9: FakeLast9, clock: ManualClock) -> None:
    """A kept text lies with the library: no token, no password parameter."""
    options = {"customAttributes": {"note": f"{last9.refresh_token} and hunter22"}}
    last9.order({"status": 503})
    request = make_request(options=options, secretParameters=["PW"])
    ran = run_marker(request, last9.refresh_token, clock=clock, environ={"PW": "hunter22"})
    assert ran.pending
    assert json.loads(ran.pending[0])["event"]["attributes"]["note"] == "**** and ****"
    assert last9.refresh_token not in ran.answer.line()


def test_each_warning_says_what_becomes_of_all(last9: FakeLast9, clock: ManualClock) -> None:
    """A start waits for its stop; from then on each warning is the final account if no other marker of the build gets through."""
    last9.order({"status": 503})
    start = run_marker(make_request(), last9.refresh_token, clock=clock)
    assert start.answer.warnings[0].endswith(" The marker is queued and will be sent with the window's stop.")
    stop = run_marker(make_request("stop", pending=start.pending), last9.refresh_token, clock=clock)
    assert stop.answer.warnings[0].endswith(
        " 2 deployment markers are queued and will be sent with this build's next marker. If none succeeds, they are lost."
    )
    assert stop.log.count("WARNING") == 1
    point = run_marker(make_request("stop", step="last9DeploymentMarker", window=None, body=None), last9.refresh_token, clock=clock)
    assert point.answer.warnings[0].endswith("will be sent with this build's next marker. If none succeeds, it is lost.")


@pytest.mark.parametrize("keeps", [True, False])
def test_a_start_that_fails_once_more(last9: FakeLast9, clock: ManualClock, keeps: bool) -> None:
    """The start of the same window fails again, the stop arrives: the line names the start, and promises only what is kept."""
    text = _kept(last9, clock)
    last9.order({"on": "event", "times": 1, "status": 429, "headers": {"Retry-After": "60"}})
    changes = {} if keeps else {"keepsPending": False}
    ran = run_marker(make_request("stop", pending=[text], **changes), last9.refresh_token, clock=clock)
    assert ran.answer.delivered
    assert ran.pending == [text]
    assert ran.answer.pending is not None
    assert ran.answer.pending.kept == ((0, 1),)
    (warning,) = ran.answer.warnings
    assert warning.startswith("deployment (start) for payments-api was not delivered: ")
    assert ("It stays queued" in warning) is keeps
    assert [state for state, _ in _states(last9)] == ["stop"]
