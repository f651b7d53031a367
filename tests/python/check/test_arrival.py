"""Reading back: what each answer of Last9 comes to, through the process, and that nothing of it is ever a failure."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from check_support import check, found, request_for, states
from last9_markers.fake_server import FakeLast9
from support import MINIMAL_ENV, ROOT, StepResult, engine, field, patience, run_step

ASKED = {"serviceName": "payments-api", "environment": "production"}
SENT = {**ASKED, "sendTestEvent": "true"}
METRICS = {"service_name": "payments-api", "deployment_environment": "production"}
CHECK = ["check", "--service-name", "payments-api", "--environment", "production"]


def calls(last9: FakeLast9) -> list[str]:
    """What Last9 was asked for, in order."""
    return [entry["path"].rpartition("/")[2] for entry in last9.requests()]


def unproven(done: StepResult) -> dict[str, str]:
    """The findings that are not proven; nothing has failed."""
    assert done.answer["ok"] is True
    assert "failed" not in states(done).values()
    return {name: text for name, (state, text) in found(done).items() if state == "warning"}


# -- the test event ------------------------------------------------------------------------------------------------------------


def test_everything_is_as_it_was_sent(last9: FakeLast9, tmp_path: Path) -> None:
    """The event is found with all its labels at its own time; the log says before it is written that it stays."""
    last9.observe(METRICS)
    done = check(last9, tmp_path, options=SENT, environ={"JOB_NAME": "job"})
    assert unproven(done) == {}
    findings = found(done)
    (event,) = last9.received()
    assert findings["stored"][1].startswith("the test event can be read from last9_change_events")
    assert findings["labels"][1] == "all 30 labels came back as they were sent: as many as a marker can have"
    assert len(event["attributes"]) + len(("__name__", "event_name", "event_state")) == 30
    assert findings["time"][1] == "Last9 stored the event's own time"
    assert findings["events"][1] == "change events of 'payments-api' in the last day: 'connection-test'"
    lines = done.stderr.splitlines()
    stays, written = (next(i for i, line in enumerate(lines) if text in line) for text in ("It stays", "Last9 accepted a test event"))
    assert stays < written
    assert any("Reading back from Last9 takes up to 60 s more" in line for line in lines)
    assert lines[-1].startswith("[Last9] Connection test: markers get through (")


def test_the_test_event_is_a_stop_and_no_deployment(last9: FakeLast9, tmp_path: Path) -> None:
    """No alert about hanging deployments and no query about deployments finds it, since nothing deletes it."""
    check(last9, tmp_path, options={**SENT, "eventName": "deployment", "eventState": "start"})
    (event,) = last9.received()
    assert (event["event_name"], event["event_state"]) == ("connection-test", "stop")


def test_an_event_that_is_late(last9: FakeLast9, tmp_path: Path) -> None:
    """A store that hides its newest seconds is asked again until it shows the event."""
    last9.order({"on": "read", "late": 2})
    done = check(last9, tmp_path, options=SENT)
    assert found(done)["stored"][0] == "ok"
    assert calls(last9).count("prom_query") >= 2


def test_reading_back_has_its_own_time(last9: FakeLast9, tmp_path: Path) -> None:
    """An event that appears after the test's own time limit is found all the same."""
    last9.order({"on": "read", "late": 7})
    done = check(last9, tmp_path, options={**SENT, "timeoutSeconds": "5"})
    assert found(done)["stored"][0] == "ok"
    assert done.seconds > 7


def test_dots_become_underscores(last9: FakeLast9, tmp_path: Path) -> None:
    """Renamed labels are named, and the option that sends them so."""
    last9.order({"on": "read", "underscores": True})
    done = check(last9, tmp_path, options=SENT, environ={"JOB_NAME": "job"})
    text = unproven(done)["labels"]
    assert "dots became underscores: " in text
    assert "'jenkins.job_name'" in text
    assert "'service'" not in text
    assert "Set attributeNames: 'underscore'." in text
    check(last9, tmp_path, options={**SENT, "attributeNames": "underscore"})
    assert all("." not in name for name in last9.received()[-1]["attributes"])


@pytest.mark.parametrize("label_limit", [3, 15, 29])
def test_a_series_above_the_label_limit_is_not_proven(last9: FakeLast9, tmp_path: Path, label_limit: int) -> None:
    """A store that would drop the widest marker drops the test event as well: *not proven* in time, with the limit and the query."""
    last9.order({"on": "read", "label_limit": label_limit})
    done = step_within(last9, tmp_path, 3.0, options=SENT)
    text = unproven(done)["stored"]
    assert text.startswith("not proven: the test event was accepted, but cannot be read from 'metrics' after ")
    (event,) = last9.received()
    assert "the store's label limit may be lower than its 30 labels, which a marker can have as well." in text
    test_id = event["attributes"]["connection_test_id"]
    assert f'By hand: run last_over_time(last9_change_events{{connection_test_id="{test_id}"}}[1d]) in Last9.' in text
    assert done.answer["delivered"] is True
    assert done.stderr.splitlines()[-1].startswith(
        "[Last9] Connection test: markers get through; whether dashboards show markers is not proven"
    )


@pytest.mark.parametrize("names", ["dotted", "underscore"])
@pytest.mark.parametrize("environ", [{}, {f"VARIABLE_{number}": "x" for number in range(40)}, {"JOB_NAME": "job", "BUILD_NUMBER": "7"}])
def test_the_event_is_as_wide_as_a_marker(last9: FakeLast9, tmp_path: Path, environ: dict[str, str], names: str) -> None:
    """However many labels the build gives it, it has the thirty of the widest marker and no more: that many are proven to be kept."""
    last9.order({"on": "read", "label_limit": 30})
    options = {**SENT, "attributeNames": names, "envAllowlist": list(environ)}
    done = check(last9, tmp_path, options=options, environ=environ)
    assert found(done)["stored"][0] == found(done)["labels"][0] == "ok"
    assert len(last9.received()[0]["attributes"]) == 27


def test_a_time_that_was_replaced(last9: FakeLast9, tmp_path: Path) -> None:
    """A sample at the moment of its arrival says how far it is off."""
    last9.order({"on": "read", "arrival_time": True})
    request = {**request_for(options=SENT), "timestampMs": int(time.time() * 1000) - 120_000}
    text = unproven(run_step(request, last9.refresh_token, tmp_path))["time"]
    assert "s after the event's own time" in text
    off = int(text.split("the stored time is ")[1].split(" s ")[0])
    assert 118 <= off <= 125 + patience()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"service_name": "payments"}, "came back with another value: 'service_name'"),
        ({"service_name": None}, "missing after reading back: 'service_name'"),
    ],
)
def test_labels_that_were_changed(last9: FakeLast9, tmp_path: Path, change: dict[str, str | None], words: str) -> None:
    """Labels that are missing or have another value are named: dashboards match what Last9 stored."""
    labels = {"event_name": "connection-test", "event_state": "stop", "service": "payments-api", "service_name": "payments-api", **change}
    others = {"deployment_environment": "production", "env": "production", "connection_test.dot": "kept"}
    body = json.dumps([{"metric": {k: v for k, v in {**labels, **others}.items() if v}, "values": [[1, "1"]]}])
    last9.order({"on": "prom_query", "body": body})
    assert words in " ".join(text for name, (_, text) in found_all(check(last9, tmp_path, options=SENT)) if name == "labels")


def found_all(done: StepResult) -> list[tuple[str, tuple[str, str]]]:
    """Every finding, several of one name included."""
    return [(each["check"], (each["state"], each["text"])) for each in done.answer["findings"]]


@pytest.mark.parametrize(
    ("given", "unusable"),
    [
        ({"serviceName": "null", "environment": "null"}, ["serviceName", "environment"]),
        ({"serviceName": "null"}, ["serviceName"]),
        ({"environment": " null "}, ["environment"]),
        ({"serviceName": ["payments-api", "checkout"]}, ["serviceName"]),
        ({"environment": {"name": "production"}}, ["environment"]),
    ],
)
def test_a_name_that_cannot_be_used(last9: FakeLast9, tmp_path: Path, given: dict[str, Any], unusable: list[str]) -> None:
    """``"${env.SERVICE}"`` of no variable: as for a marker a warning and nothing sent or looked up, since nothing deletes an event."""
    done = check(last9, tmp_path, options={**SENT, **given})
    said = unproven(done)
    for name in unusable:
        assert said["service" if name == "serviceName" else name] == f"not proven: {name} cannot be used. See options."
    assert said["options"].startswith(f"{unusable[-1]} is ")
    assert said["write"] == f"not proven: no test event was sent, because {' and '.join(unusable)} cannot be used. See options."
    assert last9.received() == []
    assert "It stays" not in done.stderr
    assert '="null"' not in done.stderr
    assert len(unusable) == 1 or calls(last9) == ["access_token"]


def test_only_the_step_itself_asks_for_an_event(last9: FakeLast9, tmp_path: Path) -> None:
    """``last9Config`` has no ``sendTestEvent``: the library does not look there, and would not wait for the reading back."""
    assert found(check(last9, tmp_path, config={"sendTestEvent": "true"}))["write"][0] == "warning"
    assert last9.received() == []


def test_an_unclear_yes_or_no_sends_nothing(last9: FakeLast9, tmp_path: Path) -> None:
    """An unclear ``sendTestEvent`` is logged and taken as no; an unclear ``dryRun`` holds the event back, as it does a marker."""
    for option, words in (("sendTestEvent", "not 'maybe'; using false."), ("dryRun", "not 'maybe'.")):
        done = check(last9, tmp_path, options={"serviceName": "payments-api", "sendTestEvent": "true", option: "maybe"})
        assert found(done)["options"] == ("warning", f"{option} must be true or false, {words}")
        assert found(done)["write"][0] == "warning"
    assert last9.received() == []


def test_the_command_with_a_name_that_cannot_be_used(last9: FakeLast9, tmp_path: Path) -> None:
    """From a shell as well: no event for a service called ``null``, and the warning names the shell's own option."""
    words = ["check", "--service-name", "null", "--environment", "null", "--send-test-event"]
    done = engine(words, environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == 0
    assert "warning service      not proven: --service-name cannot be used. See options." in done.stdout.splitlines()
    assert "warning environment  not proven: environment cannot be used. See options." in done.stdout.splitlines()
    assert last9.received() == []


# -- without sending anything --------------------------------------------------------------------------------------------------


def test_a_plain_test_asks_nothing_more(last9: FakeLast9, tmp_path: Path) -> None:
    """Without a name to look up Last9 is asked for no more than by a marker."""
    check(last9, tmp_path)
    assert calls(last9) == ["access_token"]


def test_known_names(last9: FakeLast9, tmp_path: Path) -> None:
    """Service and environment are known by these very names; nothing is written, and no wait of its own is announced."""
    last9.observe(METRICS)
    done = check(last9, tmp_path, options=ASKED)
    findings = found(done)
    assert findings["service"] == ("ok", "Last9's metrics have service_name 'payments-api'")
    assert findings["environment"] == ("ok", "the metrics of 'payments-api' have deployment_environment 'production'")
    assert findings["events"][0] == "warning"
    assert "no change event of 'payments-api' in the last day" in findings["events"][1]
    assert last9.received() == []
    assert "60 s" not in done.stderr


def test_the_other_labels_are_known_too(last9: FakeLast9, tmp_path: Path) -> None:
    """``service`` and ``env`` are as good as the longer names."""
    last9.observe({"service": "payments-api", "env": "production"})
    findings = found(check(last9, tmp_path, options=ASKED))
    assert findings["service"] == ("ok", "Last9's metrics have service 'payments-api'")
    assert findings["environment"] == ("ok", "the metrics of 'payments-api' have env 'production'")


def test_markers_are_no_proof_of_a_name(last9: FakeLast9, tmp_path: Path) -> None:
    """The service of a marker is not known to metrics for that alone: dashboards draw it nowhere."""
    assert found(check(last9, tmp_path, options=SENT))["service"][0] == "warning"
    assert found(check(last9, tmp_path, options=SENT))["service"][0] == "warning"


@pytest.mark.parametrize("near", ["payments_api", "Payments-API", "payments.api", "payment-api", "payments-api-v2"])
def test_did_you_mean_the_service(last9: FakeLast9, tmp_path: Path, near: str) -> None:
    """A service that metrics spell otherwise is proposed."""
    last9.observe({"service_name": near}, {"service_name": "checkout"})
    state, text = found(check(last9, tmp_path, options=ASKED))["service"]
    assert state == "warning"
    assert f"did you mean '{near}'?" in text


def test_an_environment_that_only_others_have(last9: FakeLast9, tmp_path: Path) -> None:
    """The environment is looked for among the service's own metrics: that another service has it draws nothing."""
    last9.observe({**METRICS, "deployment_environment": "blue"}, {"service_name": "other", "deployment_environment": "production"})
    state, text = found(check(last9, tmp_path, options=ASKED))["environment"]
    assert state == "warning"
    assert "have no environment 'production'. There is 'blue'." in text


def test_events_of_the_last_day(last9: FakeLast9, tmp_path: Path) -> None:
    """Events that have arrived are reported by name, without those of another service."""
    sent = engine(
        ["send", "--service-name", "payments-api", "--event-name", "rollback"],
        environ={"LAST9_REFRESH_TOKEN": last9.refresh_token},
        cwd=tmp_path,
    )
    other = engine(["send", "--service-name", "checkout"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert (sent.code, other.code) == (0, 0)
    done = check(last9, tmp_path, options=ASKED)
    assert found(done)["events"] == ("ok", "change events of 'payments-api' in the last day: 'rollback'")


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("staging-metrics", "ok", "'staging-metrics'; there is also 'metrics'"),
        ("metrix", "warning", "Last9 lists no data source 'metrix': did you mean 'metrics'? There are 'metrics', 'staging-metrics'."),
    ],
)
def test_data_source(last9: FakeLast9, tmp_path: Path, name: str, state: str, words: str) -> None:
    """``dataSourceName`` is known, or the existing names are reported."""
    done = check(last9, tmp_path, connection={"dataSourceName": field(name)})
    assert found(done)["datasource"][0] == state
    assert words in found(done)["datasource"][1]


def test_an_event_in_its_own_data_source(last9: FakeLast9, tmp_path: Path) -> None:
    """An event with ``dataSourceName`` is looked for there, with that store's own user and password."""
    done = check(last9, tmp_path, options=SENT, connection={"dataSourceName": field("staging-metrics")})
    assert found(done)["stored"][0] == "ok"


# -- answers that prove nothing ------------------------------------------------------------------------------------------------

_ODD = [
    ({"status": 403}, "Last9 does not let this token read (403)"),
    ({"status": 401}, "Last9 does not let this token read (401)"),
    ({"status": 404}, "this Last9 does not have the endpoint (404)"),
    ({"status": 422}, "Last9 rejected the request (422)"),
    ({"body": "<html><title>Login</title></html>"}, "an HTML page was returned instead of data"),
    ({"body": "{}"}, "the answer has an unknown form"),
    ({"body": '"text"'}, "the answer has an unknown form"),
    ({"body": "[" * 5000}, "the answer has an unknown form"),
    ({"size": 2_000_000}, "the answer is too long to read"),
    ({"drop": "before"}, "closed the connection early"),
    ({"status": 302, "headers": {"Location": "https://elsewhere.example.com"}}, "Last9 rejected the request (302)"),
]


@pytest.mark.parametrize(("fault", "words"), _ODD)
def test_odd_answers_about_data_sources(last9: FakeLast9, tmp_path: Path, fault: dict[str, Any], words: str) -> None:
    """Every answer makes the check *not proven*, never failed; each check has its line, with the query to paste."""
    last9.order({"on": "read", **fault})
    done = check(last9, tmp_path, options=SENT)
    said = unproven(done)
    assert set(said) == {"datasource", "service", "environment", "events", "stored"}
    assert all(text.startswith("not proven: ") for text in said.values())
    assert words in said["datasource"]
    assert all("By hand: run " in text for name, text in said.items() if name != "datasource")
    assert done.answer["delivered"] is True


@pytest.mark.parametrize(("fault", "words"), _ODD)
def test_odd_answers_to_queries(last9: FakeLast9, tmp_path: Path, fault: dict[str, Any], words: str) -> None:
    """The same if only the queries are answered so."""
    last9.order({"on": "prom_label_values", **fault})
    done = check(last9, tmp_path, options=ASKED)
    said = unproven(done)
    assert words in said["service"]
    assert said["service"].startswith("not proven: ")
    assert 'By hand: run count by (service_name) (last_over_time({service_name="payments-api"' in said["service"]


@pytest.mark.parametrize(
    "body",
    ["null", "[]", "[7, null]", '[{"name": 7}]', '[{"properties": []}]'],
)
def test_an_organization_without_metrics(last9: FakeLast9, tmp_path: Path, body: str) -> None:
    """No data source at all is *not proven*, and says whom to ask."""
    last9.order({"on": "datasources", "body": body})
    text = unproven(check(last9, tmp_path, options=SENT))["datasource"]
    assert text.startswith("not proven: Last9 lists no data source")


def test_no_default_data_source(last9: FakeLast9, tmp_path: Path) -> None:
    """Without a default one the existing names are reported."""
    last9.order({"on": "datasources", "body": '[{"name": "one"}, {"name": "two", "is_default": "yes"}]'})
    text = unproven(check(last9, tmp_path, options=ASKED))["datasource"]
    assert "none of the data sources is the default one. Set dataSourceName. There are 'one', 'two'." in text


@pytest.mark.parametrize(
    "body", ['[{"metric": {}, "values": []}]', '[{"metric": 7}, 8]', '[{"values": [["x"]]}]', '[{"values": [[1, "NaN"]]}]']
)
def test_a_sample_that_is_odd(last9: FakeLast9, tmp_path: Path, body: str) -> None:
    """A sample without labels or without a moment is not proof of either, and no defect."""
    last9.order({"on": "prom_query", "body": body})
    done = check(last9, tmp_path, options=SENT)
    assert "Traceback" not in done.stderr
    assert unproven(done)["time"].startswith("not proven: Last9 did not return the time")
    assert "missing after reading back" in unproven(done)["labels"]


def test_a_server_error_passes(last9: FakeLast9, tmp_path: Path) -> None:
    """A 503 in between is asked again."""
    last9.observe(METRICS)
    last9.order({"on": "read", "status": 503, "times": 1})
    assert unproven(check(last9, tmp_path, options=SENT)) == {}


def test_a_gateway_that_hangs_costs_the_time_and_no_more(last9: FakeLast9, tmp_path: Path) -> None:
    """The time limit ends the test with each thing *not proven*; nothing has failed, and the answer is written."""
    last9.order({"on": "read", "delay": 30})
    done = check(last9, tmp_path, options={**ASKED, "timeoutSeconds": "3"})
    said = unproven(done)
    assert set(said) == {"datasource", "service", "environment", "events", "write"}
    assert "time limit of reading back is over" in said["datasource"] or "did not answer" in said["datasource"]


def test_what_failed_before_leaves_nothing_to_read(last9: FakeLast9, tmp_path: Path) -> None:
    """Where the test does not get as far as reading, each name is *not proven* with its query."""
    last9.order({"on": "exchange", "status": 401})
    done = check(last9, tmp_path, options=ASKED)
    findings = found(done)
    assert findings["exchange"][0] == "failed"
    for name in ("datasource", "service", "environment", "events"):
        assert findings[name][0] == "warning"
        assert findings[name][1].startswith("not proven: the test did not get that far")


def test_a_refused_event_is_not_looked_for(last9: FakeLast9, tmp_path: Path) -> None:
    """A refused write fails as ever; there is no event to look for, and names are looked up all the same."""
    last9.observe(METRICS)
    last9.order({"on": "event", "status": 400, "body": '{"error": "no"}'})
    findings = found(check(last9, tmp_path, options=SENT))
    assert findings["write"][0] == "failed"
    assert "stored" not in findings
    assert findings["service"][0] == "ok"


# -- secrets -------------------------------------------------------------------------------------------------------------------


def _spellings(user: str, password: str) -> list[str]:
    pair = f"{user}:{password}"
    basic = base64.b64encode(pair.encode()).decode()
    plain = [password, user, json.dumps(password)[1:-1], json.dumps(password, ensure_ascii=False)[1:-1]]
    in_base64 = [basic, basic.rstrip("="), base64.urlsafe_b64encode(pair.encode()).decode(), base64.b64encode(password.encode()).decode()]
    in_urls = [quote(password, safe=""), quote_plus(password), quote(password), quote(password, safe="").lower(), quote(pair, safe="")]
    return [*plain, *in_base64, *in_urls, password.encode().hex(), repr(password)[1:-1]]


def test_user_and_password_of_the_store_appear_nowhere(last9: FakeLast9, tmp_path: Path) -> None:
    """A gateway that repeats them in every spelling, in names and in errors, gets none of them into answer, log or debug output."""
    secrets = [(store.username, store.password) for store in last9.stores]
    spelled = [text for pair in secrets for text in _spellings(*pair)]
    last9.order({"on": "prom_label_values", "body": json.dumps([f"service {text} x" for text in spelled] + [f"Basic {spelled[6]}"])})
    last9.order({"on": "prom_query", "body": json.dumps([{"metric": {text: text for text in spelled}, "values": [[1, spelled[0]]]}])})
    last9.order({"on": "suggest", "status": 400, "body": json.dumps({"error": " ".join(spelled)})})
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token, "LAST9_DEBUG": "true"}
    for more in ([], ["--json"], ["--data-source-name", secrets[1][1]]):
        done = engine([*CHECK, "--send-test-event", *more], environ=environ, cwd=tmp_path)
        everything = done.stdout + done.stderr
        assert "stored" in everything
        for text in spelled:
            assert text.lower() not in everything.lower()
    assert "****" in everything
    (event, *_) = last9.received()
    assert not any(text in json.dumps(event) for text in spelled)


def test_names_of_data_sources_with_a_password_in_them(last9: FakeLast9, tmp_path: Path) -> None:
    """One data source's name may hold another's password: all are hidden before any is shown."""
    first, second = (store.described() for store in last9.stores)
    first["name"] = f"name {second['properties']['password']}"
    last9.order({"on": "datasources", "body": json.dumps([first, second])})
    done = check(last9, tmp_path, options=ASKED)
    assert second["properties"]["password"] not in done.stdout + done.stderr
    assert "name ****" in found(done)["datasource"][1]


# -- the command ---------------------------------------------------------------------------------------------------------------


def test_the_command(last9: FakeLast9, tmp_path: Path) -> None:
    """From a shell it is the same, in the shell's own terms, and warnings are not failures."""
    last9.observe(METRICS)
    last9.order({"on": "read", "underscores": True})
    done = engine([*CHECK, "--send-test-event"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert (done.code, done.stderr) == (0, "")
    assert "Set --attribute-names underscore." in done.stdout
    assert "ok      stored       the test event can be read" in done.stdout
    assert "--send-test-event" not in done.stdout


def test_the_command_is_ended_in_time_by_its_watchdog(last9: FakeLast9, tmp_path: Path) -> None:
    """An answer that drips its headers, which no limit of the HTTP client ends, ends with code 0: nothing has failed."""
    last9.order({"on": "datasources", "drip": 0.2})
    done = engine([*CHECK, "--timeout-seconds", "3", "--json"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == 0
    found_there = {each["check"]: each["text"] for each in json.loads(done.stdout)["findings"]}
    assert found_there["datasource"].startswith("not proven: ")
    assert found_there["service"].startswith("not proven: ")


def step_within(last9: FakeLast9, folder: Path, seconds: float, **changes: Any) -> StepResult:
    """The step with fewer seconds for reading back than the sixty of its own, so that a test need not wait for them."""
    (folder / "request.json").write_text(json.dumps(request_for(**changes)), encoding="utf-8")
    source = (
        "import sys\n"
        "from last9_markers.check import reading\n"
        f"reading.READING_SECONDS = {seconds}\n"
        "from last9_markers.cli.main import main\n"
        "sys.exit(main(['step', '--request', 'request.json', '--answer', 'answer.json']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), "LAST9_REFRESH_TOKEN": last9.refresh_token},
        cwd=folder,
        capture_output=True,
        timeout=240,
        check=False,
    )
    answer = (folder / "answer.json").read_text("ascii")
    return StepResult(done.returncode, answer, done.stderr.decode(), 0.0)
