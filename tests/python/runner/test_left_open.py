"""Windows that earlier builds of the job left open are closed with the markers of later ones, harming none of these."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from last9_markers.core.clock import SystemClock
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from last9_markers.report import reading
from last9_markers.request.context import Context
from last9_markers.request.contract import CLOSES, parse
from last9_markers.runner.close_left_open import ClosingHandler
from support import MINIMAL_ENV, STARTED, STARTED_MS, STOPPED, STOPPED_MS, ManualClock, RunResult, field, make_request, run_marker

OLD = "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0041"
COMMIT = "8d9f2b0c4e1a7d6530fedcba9876543210abcdef"


def left_open(opened: dict[str, Any] | None = None, options: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    """A block's window of build 41, which was killed; ``None`` takes a fact away."""
    given = {"serviceName": "payments-api", "environment": "production", **(options or {})}
    window = {"id": OLD, "at": STARTED_MS, "o": given, **(opened or {})}
    found = {"build": 41, "job": "shop/deploy", "url": "https://ci/job/41/", "node": "linux-2", "endedMs": STOPPED_MS, "result": "ABORTED"}
    return {name: value for name, value in {**found, "open": window, **facts}.items() if value is not None}


def run(last9: FakeLast9, *windows: Any, state: str = "stop", **changes: Any) -> RunResult:
    """A marker of a later build, an hour after, with those windows in its request."""
    credential = changes.pop("credential", {"value": "last9-refresh-token", "source": "default"})
    now = {"timestampMs": STOPPED_MS + 3_600_000, "leftOpen": list(windows), "credential": credential}
    environ = {**MINIMAL_ENV, "LAST9_API_BASE_URL": last9.url, "BUILD_NUMBER": "42", **changes.pop("environ", {})}
    clock = changes.pop("clock", None)
    return run_marker({**make_request(state, **changes), **now}, last9.refresh_token, environ=environ, clock=clock)


def states(last9: FakeLast9) -> list[tuple[str, str | None]]:
    """What Last9 has: of each event its state and its window."""
    return [(event["event_state"], event["attributes"].get("deployment.id")) for event in last9.received()]


def test_the_stop_says_what_the_old_build_would_have(last9: FakeLast9) -> None:
    """It has the id, job, number, URL and node of the build that left it, the moment of that build's end, and no outcome but unknown."""
    ran = run(last9, left_open())
    assert ran.answer.delivered
    assert ran.answer.more["leftOpen"] == {"closed": [0], "named": []}
    own, closing = last9.received()
    assert own["attributes"]["deployment.outcome"] != "unknown"
    assert {key: value for key, value in closing.items() if key != "received_at"} == {
        "event_name": "deployment",
        "event_state": "stop",
        "timestamp": STOPPED,
        "organization": "acme",
        "attributes": {
            "service": "payments-api",
            "service_name": "payments-api",
            "deployment_environment": "production",
            "env": "production",
            "jenkins.job_name": "shop/deploy",
            "jenkins.build_number": "41",
            "jenkins.build_url": "https://ci/job/41/",
            "jenkins.node_name": "linux-2",
            "jenkins.build_result": "ABORTED",
            "deployment.id": OLD,
            "deployment.outcome": "unknown",
            "deployment.window_duration_ms": str(STOPPED_MS - STARTED_MS),
            "message": "payments-api to production: unknown, 1 min",
        },
    }
    assert ran.log.splitlines()[-1] == "[Last9] Closed the deployment of payments-api that build #41 left open"
    assert ran.answer.warnings == []


def test_whoever_sends_it_sends_the_same(last9: FakeLast9) -> None:
    """Two builds that close one window at the same time, each of another service, send the same event."""
    run(last9, left_open())
    run(last9, left_open(), options={"serviceName": "billing", "customAttributes": {"a": "b"}}, timestampMs=STOPPED_MS + 7)
    first, second = (event for event in last9.received() if event["attributes"]["deployment.id"] == OLD)
    assert {**first, "received_at": 0} == {**second, "received_at": 0}


def test_a_stop_that_was_tried_in_vain_keeps_its_own_time(last9: FakeLast9) -> None:
    """If the record says when the stop was, that time is used, even of a manual window of a build that ended well."""
    run(last9, left_open({"stop": STARTED_MS + 1000, "manual": True}, result="SUCCESS"))
    closing = last9.received()[-1]
    assert closing["timestamp"] == STARTED.replace(":20.", ":21.")
    assert closing["attributes"]["deployment.window_duration_ms"] == "1000"


@pytest.mark.parametrize("result", ["SUCCESS", "UNSTABLE"])
def test_a_manual_window_left_on_purpose(last9: FakeLast9, result: str) -> None:
    """It stays open and is named, once; with closeOpenWindows it is closed."""
    window = left_open({"manual": True}, result=result)
    ran = run(last9, window)
    assert ran.answer.more["leftOpen"] == {"closed": [], "named": [0]}
    assert len(last9.received()) == 1
    assert "Build #41 left the deployment of payments-api open" in ran.log
    window["open"]["named"] = True
    again = run(last9, window)
    assert again.answer.more["leftOpen"] == {"closed": [], "named": [0]}
    assert "#41" not in again.log
    closed = run(last9, window, options={"closeOpenWindows": True})
    assert closed.answer.more["leftOpen"] == {"closed": [0], "named": []}
    assert closed.answer.warnings == []
    assert states(last9)[-1] == ("stop", OLD)


def test_a_manual_window_of_a_build_that_failed(last9: FakeLast9) -> None:
    """No one leaves a window open on purpose in a build that was killed."""
    assert run(last9, left_open({"manual": True}, result="FAILURE")).answer.more["leftOpen"] == {"closed": [0], "named": []}


def test_another_credential_is_never_used_for_it(last9: FakeLast9) -> None:
    """A window whose record names another credential stays open, with one line that says what it waits for."""
    ran = run(last9, left_open(options={"credentialId": "production-token"}))
    assert ran.answer.more["leftOpen"] == {"closed": [], "named": [0]}
    assert len(last9.received()) == 1
    assert "needs the credential 'production-token'" in ran.log


def profiles(**of: dict[str, str]) -> dict[str, str]:
    """The administrator's routing profiles."""
    return {"LAST9_ROUTING_PROFILES": json.dumps(of)}


A = {"credentialId": "token-a"}
WINDOW_A = left_open(options={"credentialId": "token-a", "routingProfile": "a"})


@pytest.mark.parametrize(
    "named",
    [
        {"environ": profiles(a=A, b={"credentialId": "token-b"})},
        {"environ": {"LAST9_CREDENTIAL_ID": "token-a"}},
        {"config": {"routingProfiles": {"a": A}}},
        {"config": {"credentialId": "token-a"}},
        {"config": {"credentialId": "token-b"}, "environ": {"LAST9_CREDENTIAL_ID": "token-a"}},
        {"config": {"credentialIdEnvVar": "TOKEN"}, "environ": {"TOKEN": "token-a"}},
        {"config": {"routingProfile": "b"}, "environ": profiles(a=A, b={"credentialId": "token-b"})},
        {"environ": {**profiles(a=A, b={"credentialId": "token-b"}), "LAST9_ROUTING_PROFILE": "b"}},
        {"environ": profiles(broken={"credential": "x"}, a=A)},
    ],
)
def test_a_credential_that_this_build_names(last9: FakeLast9, named: dict[str, Any]) -> None:
    """A credential of the build's settings or profiles may close it, in a further run: this one sends nothing for it and says nothing."""
    option = {"credentialId": "token-own"}
    ran = run(last9, WINDOW_A, **{**named, "options": option, "credential": {"value": "token-own", "source": "option"}})
    assert ran.answer.delivered
    assert ran.answer.more["closeWith"] == "token-a"
    assert "leftOpen" not in ran.answer.more
    assert [event["event_state"] for event in last9.received()] == ["stop"]
    assert "#41" not in ran.log
    assert ran.answer.warnings == []


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"environ": profiles(a={"credentialId": "token-a2"}, b={"credentialId": "token-b"})},
        {"environ": profiles(a=A), "parameters": {"LAST9_ROUTING_PROFILES": "x"}},
        {"environ": profiles(a=A), "secretParameters": ["last9_routing_profiles"]},
        {"environ": {"LAST9_CREDENTIAL_ID": "token-a"}, "parameters": {"last9_credential_id": "token-a"}},
        {"config": {"routingProfiles": {"a": A}}, "parameters": {"LAST9_CONFIG": "x"}},
        {"config": {"routingProfiles": {"a": A}}, "parameters": {"WHICH": "token-a"}},
        {"config": {"credentialIdParam": "WHICH"}, "parameters": {"WHICH": "token-a"}},
        {"config": {"credentialId": "token-a"}, "parameters": {"WHICH": "token-a"}},
        {"config": {"credentialIdEnvVar": "WHICH"}, "parameters": {"WHICH": "token-a"}, "environ": {"WHICH": "token-a"}},
        {"environ": profiles(a={**A, "organization": "acme"})},
        {"environ": {"LAST9_ROUTING_PROFILES": '{"a": {"credentialId": "token-a"}, "a": {"credentialId": "token-a"}}'}},
        {"environ": {"LAST9_ROUTING_PROFILES": "no JSON"}},
    ],
)
def test_a_credential_that_only_a_starter_names(last9: FakeLast9, named: dict[str, Any]) -> None:
    """A credential that is not named, or only by a person who starts builds, or in a bad profile, is not bound: one line says so."""
    ran = run(last9, WINDOW_A, **{"options": {"serviceName": "billing"}, **named})
    assert ran.answer.delivered
    assert ran.answer.more["leftOpen"] == {"closed": [], "named": [0]}
    assert "closeWith" not in ran.answer.more
    assert ran.log.count("needs the credential 'token-a'") == 1


def test_one_further_credential_at_most(last9: FakeLast9) -> None:
    """Of two others that the build names the first one is asked for; the windows of the second wait, with a line."""
    second = left_open({"id": OLD.replace("0041", "0042")}, options={"credentialId": "token-b"})
    third = left_open({"id": OLD.replace("0041", "0043")}, options={"credentialId": "token-a"})
    ran = run(last9, WINDOW_A, second, third, environ=profiles(a=A, b={"credentialId": "token-b"}))
    assert ran.answer.more["closeWith"] == "token-a"
    assert ran.answer.more["leftOpen"] == {"closed": [], "named": [1]}
    assert "needs the credential 'token-b'" in ran.log


def further_run(token: str | None, *windows: Any, environ: dict[str, str], **changes: Any) -> RunResult:
    """The further run with the credential token-a, of a build whose own marker goes to another place."""
    credential = {"value": "token-a", "source": "option"}
    request = {**make_request("stop", **changes), "step": CLOSES, "credential": credential, "leftOpen": list(windows)}
    log = io.StringIO()
    context = Context({**MINIMAL_ENV, "BUILD_NUMBER": "42", **environ}, token, ManualClock(), BuildLog(log, Redactor()))
    asked = parse(json.dumps({**request, "limitSeconds": 4.2}))
    return RunResult(ClosingHandler(asked, context).run(), log.getvalue(), asked.pending)


def test_the_further_run_closes_and_sends_nothing_else(last9: FakeLast9) -> None:
    """With that credential the window gets its stop, the same one as ever; neither the marker nor a kept one goes along."""
    environ = profiles(a={**A, "apiBaseUrl": last9.url})
    ran = further_run(
        last9.refresh_token, WINDOW_A, environ=environ, pending=[json.dumps(make_request("start"))], options={"failOnError": True}
    )
    assert states(last9) == [("stop", OLD)]
    assert ran.answer.more["leftOpen"] == {"closed": [0], "named": []}
    assert ran.log == "[Last9] Closed the deployment of payments-api that build #41 left open\n"
    assert (ran.answer.warnings, ran.answer.fail_build, ran.answer.pending) == ([], None, None)
    (shown,) = reading.read(ran.answer.more["records"]).deployments
    assert (shown.window_id, shown.outcome) == (OLD, "unknown")


@pytest.mark.parametrize(
    "options",
    [
        {"apiBaseUrl": "THEIRS"},
        {"apiBaseUrl": "THEIRS", "routingProfile": "a"},
        {"routingProfile": "theirs"},
        {"routingProfile": "open"},
        {"apiBaseUrl": "https://evil.example.com"},
    ],
)
@pytest.mark.parametrize("claims", [True, False])
def test_the_token_of_one_never_goes_to_the_others_host(last9: FakeLast9, options: dict[str, str], claims: bool) -> None:
    """A host that this build names, but not together with that credential, gets no token of it."""
    with FakeLast9() as theirs:
        environ = {
            **profiles(
                a={**A, "apiBaseUrl": last9.url},
                theirs={"credentialId": "token-b", "apiBaseUrl": theirs.url},
                open={"apiBaseUrl": theirs.url},
            ),
            "LAST9_API_BASE_URL": theirs.url,
            "LAST9_CREDENTIAL_ID": "token-b",
        }
        given = {name: theirs.url if value == "THEIRS" else value for name, value in options.items()}
        token = last9.refresh_token if claims else "opaque"
        window = left_open(options={"credentialId": "token-a", "orgSlug": "acme", **given})
        ran = further_run(token, window, environ=environ, options={"apiBaseUrl": theirs.url})
        assert theirs.requests() == last9.requests() == []
    assert ran.answer.more["leftOpen"] == {"closed": [], "named": [0]}
    assert len(ran.answer.warnings) == 1
    assert token not in ran.log


def test_the_further_run_judges_again(last9: FakeLast9) -> None:
    """A credential that no setting names closes nothing, although the request asks for it."""
    ran = further_run(last9.refresh_token, WINDOW_A, environ={"LAST9_API_BASE_URL": last9.url})
    assert last9.requests() == []
    assert ran.answer.more == {}
    assert ran.log == ""


@pytest.mark.parametrize("token", [None, " ", "two words", "unknown-to-last9"])
def test_a_token_that_is_none(last9: FakeLast9, token: str | None) -> None:
    """Of many windows one line says why they stay open, and Last9 is asked once at most."""
    windows = [left_open({"id": f"w{number}"}, options={"credentialId": "token-a", "orgSlug": "acme"}) for number in range(5)]
    ran = further_run(token, *windows, environ={**profiles(a={**A, "apiBaseUrl": last9.url}), "LAST9_API_BASE_URL": last9.url})
    assert last9.received() == []
    assert len(last9.requests()) == (1 if token == "unknown-to-last9" else 0)
    assert len(ran.log.splitlines()) == 1
    assert "build #41 left open is not closed: " in ran.answer.warnings[0]
    assert ran.answer.more["leftOpen"] == {"closed": [], "named": [0]}


def test_the_further_run_keeps_what_is_known_of_outages(last9: FakeLast9) -> None:
    """Last9 fails: no word, the windows stay; and the build's memory of an outage elsewhere is handed back as it was."""
    last9.order({"on": "event", "status": 503})
    known = {"opaque": [1, 2]}
    ran = further_run(last9.refresh_token, WINDOW_A, environ=profiles(a={**A, "apiBaseUrl": last9.url}), outages=known)
    assert ran.answer.more == {"outages": known}
    assert ran.log == ""


def test_the_further_run_says_nothing_twice(last9: FakeLast9) -> None:
    """What is wrong with the build's own settings its marker has said."""
    environ = {**profiles(a={**A, "apiBaseUrl": last9.url}), "HTTPS_PROXY": "http://127.0.0.1:1"}
    wrong = {"attributeNames": "camel", "nonsense": 1, "timeoutSeconds": "soon"}
    ran = further_run(last9.refresh_token, WINDOW_A, environ=environ, options=wrong, parameters={"HTTPS_PROXY": "x"})
    assert ran.answer.warnings == []
    assert states(last9) == [("stop", OLD)]


@pytest.mark.parametrize(
    "options",
    [
        {"apiBaseUrl": "https://evil.example.com"},
        {"apiBaseUrl": "http://127.0.0.1:9"},
        {"apiBaseUrl": "https://user:password@app.last9.io"},
        {"apiBaseUrl": ["https://evil.example.com"]},
        {"apiBaseUrl": {"a": 1}},
        {"apiBaseUrlEnvVar": "EVIL", "apiBaseUrl": "https://evil.example.com"},
        {"routingProfile": "evil"},
        {"orgSlug": "../../evil"},
    ],
)
def test_a_hostile_record_leads_the_token_nowhere(last9: FakeLast9, options: dict[str, Any]) -> None:
    """A host, a profile or an organization of the record's own gets no token; the window is named with the reason, the own marker goes."""
    ran = run(last9, left_open(options=options), environ={"EVIL": "https://evil.example.com"})
    assert ran.answer.delivered
    assert ran.answer.more["leftOpen"] == {"closed": [], "named": [0]}
    assert len(last9.received()) == 1
    (warning,) = ran.answer.warnings
    assert "the deployment of payments-api that build #41 left open is not closed: " in warning
    assert last9.refresh_token not in ran.log


def test_a_starters_host_is_not_trusted_by_way_of_a_record(last9: FakeLast9) -> None:
    """A record's host is good if this build's own settings name it, but not if only a build parameter of today does."""
    window = left_open(options={"apiBaseUrl": "http://127.0.0.1:9"})
    chosen: dict[str, Any] = {"parameters": {"API": "http://127.0.0.1:9"}, "options": {"apiBaseUrlParam": "API"}}
    ran = run(last9, window, environ={"LAST9_API_BASE_URL": ""}, **chosen)
    assert not ran.answer.delivered
    assert last9.received() == []
    mine = run(last9, left_open(options={"apiBaseUrl": last9.url}), options={"apiBaseUrl": last9.url})
    assert mine.answer.more["leftOpen"] == {"closed": [0], "named": []}


@pytest.mark.parametrize(
    "broken",
    [
        None, 7, "x", [], {}, {"build": 41}, left_open({"id": "a b"}), left_open({"id": "x" * 65}), left_open({"id": None}),
        left_open({"at": -1}), left_open({"at": "yesterday"}), left_open(build="41"), left_open(endedMs=None), left_open({"o": {}}),
        left_open({"o": None}), left_open(options={"serviceName": ["a"]}), left_open(options={"environment": "null"}),
    ],
)  # fmt: skip
def test_what_is_no_window_is_dropped(last9: FakeLast9, broken: Any) -> None:
    """One warning, and it is not looked at again; the windows behind it keep their places."""
    ran = run(last9, broken, left_open())
    assert ran.answer.delivered
    assert ran.answer.more["leftOpen"] == {"closed": [0, 1], "named": []}
    assert len(ran.answer.warnings) == 1
    assert states(last9)[1:] == [("stop", OLD)]


def test_texts_of_a_record_stay_on_their_line(last9: FakeLast9) -> None:
    """A service's name with line breaks in it writes no line of its own into the log, and a far too long one is cut."""
    ran = run(last9, left_open(options={"serviceName": "pay\n[Last9] forged" + "x" * 9000}, url="u" * 9000))
    assert ran.answer.more["leftOpen"] == {"closed": [0], "named": []}
    assert not any(line.startswith("[Last9] forged") for line in ran.log.splitlines())
    assert all(len(value) <= 1100 for value in last9.received()[-1]["attributes"].values())


def test_last9_refuses_the_stop(last9: FakeLast9) -> None:
    """A stop that Last9 will never take is given up with one warning; the own marker is delivered, and failOnError stays silent."""
    last9.order({"on": "event", "about": OLD, "status": 400})
    ran = run(last9, left_open(), options={"failOnError": True})
    assert ran.answer.delivered
    assert ran.answer.fail_build is None
    assert ran.answer.more["leftOpen"] == {"closed": [0], "named": []}
    assert "build #41 left open is not closed and will not be retried" in ran.answer.warnings[0]


def test_last9_fails_at_the_stop(last9: FakeLast9) -> None:
    """A 5xx ends the closing for this run without a word: the next marker goes on with both windows; the own one is delivered."""
    last9.order({"on": "event", "about": OLD, "status": 503})
    other = left_open({"id": OLD.replace("0041", "0042")})
    ran = run(last9, left_open(), other)
    assert ran.answer.delivered
    assert "leftOpen" not in ran.answer.more
    assert ran.answer.warnings == []
    assert len(last9.received()) == 1


def test_the_own_marker_gets_no_answer(last9: FakeLast9) -> None:
    """If Last9 is down nothing is closed, and the windows stay for the next marker."""
    last9.order({"on": "event", "status": 503, "times": 99})
    ran = run(last9, left_open())
    assert not ran.answer.delivered
    assert "leftOpen" not in ran.answer.more
    assert last9.received() == []


def test_after_an_abort_nothing_is_closed(last9: FakeLast9) -> None:
    """A person is waiting: the stop is sent, and windows that were left open wait for the next build."""
    ran = run(last9, left_open(), afterAbort=True)
    assert ran.answer.delivered
    assert len(last9.received()) == 1


def test_a_dry_run_closes_nothing(last9: FakeLast9) -> None:
    """What only shows its marker sends none for others either."""
    assert "leftOpen" not in run(last9, left_open(), options={"dryRun": True}).answer.more
    assert last9.received() == []


def test_another_organization(last9: FakeLast9) -> None:
    """A window of another organization of the same token is closed there, over a delivery of its own."""
    last9.order({"on": "event", "about": OLD, "status": 404})
    ran = run(last9, left_open(options={"orgSlug": "globex"}), connection={"orgSlug": field("acme")})
    assert ran.answer.delivered
    assert "Last9 does not know organization 'globex'" in ran.answer.warnings[0]


def test_not_more_than_a_few(last9: FakeLast9) -> None:
    """Of hundreds of windows one run takes note of the first twenty."""
    windows = [left_open({"id": f"w{number}"}) for number in range(300)]
    assert run(last9, *windows).answer.more["leftOpen"] == {"closed": list(range(20)), "named": []}


def test_a_slow_last9_holds_up_no_deployment(last9: FakeLast9) -> None:
    """All windows together have the time of one short attempt: a start does not wait for each. The next marker closes the others."""
    last9.order({"on": "event", "about": '"unknown"', "delay": 0.7})
    ran = run(last9, *(left_open({"id": f"{OLD[:-2]}{number:02}"}) for number in range(9)), state="start", clock=SystemClock())
    assert ran.answer.delivered
    assert len(ran.answer.more.get("leftOpen", {}).get("closed", [])) <= 2
    assert ran.answer.warnings == []


def test_a_request_is_kept_without_them(last9: FakeLast9) -> None:
    """The queued text of a marker does not contain other builds' windows."""
    ran = run_marker({**make_request(), "leftOpen": [left_open()]}, None)
    assert OLD not in "".join(ran.pending)


def test_the_commit_that_is_deployed_now(last9: FakeLast9) -> None:
    """The delivered stop of a deployment that went well tells the library its commit; a start and a failure do not."""
    known = {"GIT_COMMIT": COMMIT.upper()}
    assert run(last9, environ=known).answer.more["commit"] == COMMIT
    assert "commit" not in run(last9, state="start", environ=known).answer.more
    assert "commit" not in run(last9, environ=known, body={"ended": "threw"}).answer.more
    assert "commit" not in run(last9).answer.more


def test_promoting_one_version_is_no_redeploy(last9: FakeLast9) -> None:
    """What was deployed last to this service and environment comes before the job's last successful commit, and after the option."""
    other = "1" * 40
    environ = {"GIT_COMMIT": COMMIT, "GIT_PREVIOUS_SUCCESSFUL_COMMIT": COMMIT}
    run(last9, environ=environ)
    run(last9, environ=environ, lastCommit=other)
    run(last9, environ=environ, lastCommit=other, options={"previousCommit": COMMIT})
    run(last9, environ=environ, lastCommit="no commit")
    kinds = [event["attributes"]["deployment.kind"] for event in last9.received()]
    previous = [event["attributes"]["scm.previous_commit_sha"] for event in last9.received()]
    assert previous == [COMMIT, other, COMMIT, COMMIT]
    assert kinds == ["redeploy", "unknown", "redeploy", "redeploy"]
    run(last9, environ=environ, lastCommit="")
    run(last9, environ=environ, lastCommit="", options={"previousCommit": COMMIT})
    first, named = (event["attributes"] for event in last9.received()[4:])
    assert not {"deployment.kind", "scm.previous_commit_sha"} & set(first), "the job has deployed only to other places"
    assert named["deployment.kind"] == "redeploy"


def test_the_report_shows_it(last9: FakeLast9) -> None:
    """The build that closed a window shows it in its report as unknown, with its length, whose it was, and who has closed it."""
    ran = run(last9, left_open())
    (shown,) = (each for each in reading.read(ran.answer.more["records"]).deployments if each.window_id == OLD)
    assert (shown.service, shown.environment, shown.outcome) == ("payments-api", "production", "unknown")
    assert (shown.begun_ms, shown.ended_ms) == (STARTED_MS, STOPPED_MS)
    assert shown.labels == {"left open by": "build #41", "closed by": "build #42"}


def test_the_report_prefers_what_is_known(last9: FakeLast9) -> None:
    """Of a stop that did arrive and one that a later build has sent, in any order, the one with a known outcome is used."""
    unknown = run(last9, left_open()).answer.more["records"][1]
    known = run(last9, window={"id": OLD, "startedAtMs": STARTED_MS}).answer.more["records"][0]
    for records in ([unknown, known], [known, unknown]):
        (shown,) = reading.read(records).deployments
        assert shown.outcome == "success"


def test_the_time_runs_out_while_others_are_closed(last9: FakeLast9) -> None:
    """A Last9 that goes silent at the closing costs the own marker nothing: it is delivered, and the window stays for the next."""
    last9.order({"on": "event", "about": OLD, "delay": 30})
    ran = run(last9, left_open(), left_open({"id": OLD.replace("0041", "0042")}))
    assert ran.answer.delivered
    assert "leftOpen" not in ran.answer.more
    assert ran.answer.warnings == []
