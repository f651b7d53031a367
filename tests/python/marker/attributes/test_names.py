"""Attributes: the whole table, their spellings, and custom ones."""

from __future__ import annotations

import pytest
from last9_markers.fake_server import FakeLast9
from support import STARTED, STOPPED, WINDOW, attributes_of, make_request, run_marker, send_one

AGENT = {
    "JOB_NAME": "payments/main",
    "BUILD_NUMBER": "42",
    "BUILD_URL": "https://jenkins.example.com/job/payments/42/",
    "NODE_NAME": "agent-1",
    "GIT_COMMIT": "6f1d2c3b4a5968778695a4b3c2d1e0f102132435",
    "GIT_BRANCH": "origin/main",
    "GIT_URL": "https://github.com/acme/payments-api.git",
    "GIT_AUTHOR_NAME": "Alice Example",
}
IDENTITY = {
    "service": "payments-api",
    "service_name": "payments-api",
    "deployment_environment": "production",
    "env": "production",
}
ON_START = {
    "message": "payments-api to production: started",
    "scm.commit_sha": AGENT["GIT_COMMIT"],
    "scm.branch": "origin/main",
    "scm.url": "https://github.com/acme/payments-api.git",
    "scm.author": "Alice Example",
    "jenkins.job_name": "payments/main",
    "jenkins.build_number": "42",
    "jenkins.build_url": "https://jenkins.example.com/job/payments/42/",
    "jenkins.node_name": "agent-1",
    "jenkins.build_duration_ms": "1500",
    "jenkins.build_user": "alice",
    "jenkins.build_cause": "user",
    "jenkins.build_start_time": "2026-09-21T14:13:18.623Z",
    "deployment.id": WINDOW,
}
ON_STOP = {
    **ON_START,
    "message": "payments-api to production: success, 1 min",
    "jenkins.build_result": "SUCCESS",
    "deployment.outcome": "success",
    "deployment.window_duration_ms": "60000",
}
CAUSES = [{"_class": "hudson.model.Cause$UserIdCause", "userId": "alice", "shortDescription": "Started by user Alice"}]


def _underscored(labels: dict[str, str]) -> dict[str, str]:
    return {name.replace(".", "_"): value for name, value in labels.items()}


@pytest.mark.parametrize("spelling", ["dotted", "underscore"])
@pytest.mark.parametrize(("state", "timestamp", "table"), [("start", STARTED, ON_START), ("stop", STOPPED, ON_STOP)])
def test_every_attribute_of_the_table(last9: FakeLast9, state: str, timestamp: str, table: dict[str, str], spelling: str) -> None:
    """Start and stop carry exactly the documented attributes, under exactly the names asked for."""
    request = make_request(state, options={"attributeNames": spelling}, build={"causes": CAUSES})
    event = send_one(last9, request, environ=AGENT)
    expected = dict(IDENTITY)
    expected.update(table if spelling == "dotted" else _underscored(table))
    assert event["attributes"] == expected
    assert event["timestamp"] == timestamp


def test_what_is_unknown_is_left_out(last9: FakeLast9) -> None:
    """If nothing is known, nothing is sent: no empty text, no ``None``, no ``null``."""
    request = make_request("stop", window=None, build=None, body=None)
    request["options"].pop("environment")
    assert attributes_of(last9, request) == {"service": "payments-api", "service_name": "payments-api", "message": "payments-api"}


def test_blank_variables_are_left_out(last9: FakeLast9) -> None:
    """A variable that is set to nothing says nothing."""
    assert not [
        name for name in attributes_of(last9, make_request(), environ=dict.fromkeys(AGENT, "")) if name.startswith(("scm", "jenkins.job"))
    ]


@pytest.mark.parametrize("name", ["scm.branch", "scm_branch"])
def test_custom_name_replaces_both_spellings(last9: FakeLast9, name: str) -> None:
    """A custom attribute wins in either spelling, and its automatic twin does not contradict it."""
    labels = attributes_of(last9, make_request("start", options={"customAttributes": {name: "release"}}), environ=AGENT)
    assert labels[name] == "release"
    assert not {"scm.branch", "scm_branch"} - {name} & set(labels)
    assert "origin/main" not in labels.values()


@pytest.mark.parametrize("name", ["service", "service_name", "env", "deployment_environment"])
def test_custom_name_replaces_an_identity_label(last9: FakeLast9, name: str) -> None:
    """Custom attributes win over the identity labels too, each by itself."""
    labels = attributes_of(last9, make_request("start", options={"customAttributes": {name: "mine"}}))
    assert {key: labels[key] for key in IDENTITY} == {**IDENTITY, name: "mine"}


@pytest.mark.parametrize("name", ["jenkins.build_result", "jenkins_build_result", "deployment.outcome"])
def test_custom_result_wins(last9: FakeLast9, name: str) -> None:
    """A team that knows better than the build how the deploy ended decides."""
    labels = attributes_of(last9, make_request("stop", options={"customAttributes": {name: "ROLLED_BACK"}}))
    assert labels[name] == "ROLLED_BACK"


@pytest.mark.parametrize("name", ["deployment.id", "deployment_id", "deployment.window_duration_ms", "deployment_window_duration_ms"])
def test_what_ties_a_window_cannot_be_set(last9: FakeLast9, name: str) -> None:
    """A window's id and duration stay the window's own, with any options, and the log says so."""
    request = make_request("stop", options={"customAttributes": {name: "mine"}})
    ran = run_marker(request, last9.refresh_token)
    (warning,) = ran.answer.warnings
    assert f"customAttributes: '{name}' is ignored" in warning
    labels = last9.received()[0]["attributes"]
    assert labels["deployment.id"] == WINDOW
    assert "mine" not in labels.values()


@pytest.mark.parametrize("name", ["__name__", "event_name", "event_state"])
def test_the_labels_of_every_series_cannot_be_set(last9: FakeLast9, name: str) -> None:
    """A stop says nowhere that it is a start: what Last9 makes a label by itself has no second value, and the log says so."""
    ran = run_marker(make_request("stop", options={"customAttributes": {name: "start"}}), last9.refresh_token)
    (warning,) = ran.answer.warnings
    assert f"customAttributes: '{name}' is ignored" in warning
    (event,) = last9.received()
    assert event["event_state"] == "stop"
    assert name not in event["attributes"]


@pytest.mark.parametrize("name", ["ticket", "scm.branch"])
def test_the_text_null_is_not_given(last9: FakeLast9, name: str) -> None:
    """``"${env.TICKET}"`` of a variable that is not set is not a value, and takes no automatic attribute away."""
    expected = attributes_of(last9, make_request("start"))
    assert attributes_of(last9, make_request("start", options={"customAttributes": {name: " null"}})) == expected


def test_a_point_gets_no_id_from_outside(last9: FakeLast9) -> None:
    """A stop without a start has no id, and none can be smuggled in."""
    request = make_request("stop", window=None, body=None, options={"customAttributes": {"deployment.id": "mine"}})
    labels = attributes_of(last9, request)
    assert not [name for name in labels if name.replace(".", "_") in ("deployment_id", "deployment_window_duration_ms")]


@pytest.mark.parametrize("name", ["scm.branch", "scm_branch", "message", "env"])
def test_null_leaves_a_name_out(last9: FakeLast9, name: str) -> None:
    """A custom null never arrives as a text, and takes the automatic attribute of that name away, in either spelling, and no other."""
    request = make_request("start", options={"customAttributes": {"nothing": None, name: None}})
    labels = attributes_of(last9, request, environ=AGENT)
    expected = {each: value for each, value in {**IDENTITY, **ON_START}.items() if name not in (each, each.replace(".", "_"))}
    assert set(labels) == {each for each in expected if not each.startswith(("jenkins.build_user", "jenkins.build_cause"))}


def test_an_empty_text_is_sent_as_it_is(last9: FakeLast9) -> None:
    """An empty text is sent: only null leaves out."""
    labels = attributes_of(last9, make_request("start", options={"customAttributes": {"ticket": "", "scm.branch": ""}}), environ=AGENT)
    assert (labels["ticket"], labels["scm.branch"]) == ("", "")


def test_entry_without_a_name_is_left_out(last9: FakeLast9) -> None:
    """A label without a name would have the whole event refused."""
    ran = run_marker(make_request("start", options={"customAttributes": {" ": "x", "team": "a"}}), last9.refresh_token)
    assert ran.answer.delivered
    assert "it has no name" in ran.answer.warnings[0]
    assert "" not in last9.received()[0]["attributes"]
    assert last9.received()[0]["attributes"]["team"] == "a"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ('it\'s "quoted" $HOME %PATH% \\ back `id` ${x}', None),
        ("one\ntwo\r\n\tthree", None),
        ("\x00\x01\x1b[31mred\x7f\x9b", None),
        ("Zürich ✓ 🚀 \u2028 ﷽", None),
        ("  kept as written  ", None),
        ("x" * 1024, None),
        (42, "42"),
        (1.5, "1.5"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        ({"a": [1, "zwölf", None], "b": {}}, '{"a":[1,"zwölf",null],"b":{}}'),
        (["x", 2], '["x",2]'),
        ("half \ud83d an emoji", "half \ufffd an emoji"),
        ("\udce4 no UTF-8", "\ufffd no UTF-8"),
        ("the end \ud83d", "the end \ufffd"),
    ],
)
def test_values_arrive_as_written(last9: FakeLast9, given: object, sent: str | None) -> None:
    """Every text value arrives unchanged; other values as their text; characters that UTF-8 lacks as a replacement."""
    labels = attributes_of(last9, make_request("start", options={"customAttributes": {"value": given}}))
    assert labels["value"] == (given if sent is None else sent)


def test_odd_names_arrive_as_written(last9: FakeLast9) -> None:
    """Names cannot break out of the JSON either, and a half character in one does not cost the marker."""
    names = {'quo"te': "1", "new\nline": "2", "Über": "3", "half\ud83d": "4"}
    labels = attributes_of(last9, make_request("start", options={"customAttributes": names}))
    assert {**labels, 'quo"te': "1", "new\nline": "2", "Über": "3", "half\ufffd": "4"} == labels


def test_ill_formed_texts_everywhere(last9: FakeLast9) -> None:
    """Half characters in names, environment and service cost nothing but themselves."""
    options = {"serviceName": "pay\ud83d", "eventName": "dep\udc00", "environment": "p\ud800"}
    event = send_one(last9, make_request("start", options=options), environ={"JOB_NAME": "j\udcff"})
    assert event["event_name"] == "dep\ufffd"
    assert event["attributes"]["service"] == "pay\ufffd"
    assert event["attributes"]["env"] == "p\ufffd"
    assert event["attributes"]["jenkins.job_name"] == "j\ufffd"
