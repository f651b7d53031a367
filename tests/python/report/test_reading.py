"""From records to deployments, in any order, with repetitions, gaps and nonsense."""

from __future__ import annotations

import json

import pytest
from last9_markers.core.formats import iso8601
from last9_markers.marker import records
from last9_markers.report import reading, wording
from last9_markers.report.deployment import Deployment
from report.builds import NOON_MS, marker, window
from support import STARTED_MS, STOPPED_MS, WINDOW, make_request

MINUTE = 60_000


def _read(*records: str) -> list[Deployment]:
    return reading.read(records).deployments


def _only(*records: str) -> Deployment:
    (deployment,) = _read(*records)
    return deployment


def test_start_and_stop_are_a_window() -> None:
    """Two markers of one id are one deployment, in either order."""
    records = window(NOON_MS, NOON_MS + MINUTE, outcome="failure", version="2.1")
    for order in (records, records[::-1]):
        deployment = _only(*order)
        assert (deployment.begun_ms, deployment.ended_ms, deployment.duration_ms) == (NOON_MS, NOON_MS + MINUTE, MINUTE)
        assert (deployment.outcome, deployment.facts["version"]) == ("failure", "2.1")
        assert wording.markers(deployment) == "delivered"


def test_windows_of_one_service_stay_apart() -> None:
    """Two windows at the same time of the same service are two, by their ids."""
    assert len(_read(*window(NOON_MS, NOON_MS + 5, id="a"), *window(NOON_MS, NOON_MS + 5, id="b"))) == 2


def test_a_start_alone_is_running() -> None:
    """A window without a stop is still open, and is said to be."""
    deployment = _only(*window(NOON_MS, None))
    assert (deployment.outcome, deployment.ended_ms, deployment.duration_ms) == ("running", None, None)


def test_a_refused_start_alone_is_over() -> None:
    """A window whose start was refused gets no stop: it is not shown as running for ever, and takes no time in the timeline."""
    deployment = _only(marker("start", NOON_MS, id="a", fate="refused"))
    assert (deployment.outcome, deployment.duration_ms, deployment.until(NOON_MS + MINUTE)) == ("unknown", None, NOON_MS)
    assert wording.headline([deployment]) == "1 deployment: 1 without a known outcome"
    assert wording.markers(deployment) == "start refused"
    (running,) = _read(marker("start", NOON_MS, id="a"))
    assert running.until(NOON_MS + MINUTE) == NOON_MS + MINUTE


def test_a_start_that_named_another_commit_tells_nothing_of_it() -> None:
    """Facts of two commits are never mixed: if the stop names another than the start, all of them are the stop's."""
    early = {"scm.commit_sha": "a" * 40, "scm.compare_url": "https://github.com/acme/x/compare/0...a", "scm.author": "Alice"}
    start = marker("start", NOON_MS, id="w", kind="forward", version="2.1", facts=early)
    assert _only(start, marker("stop", NOON_MS + 5, id="w", facts={"scm.commit_sha": "b" * 40})).facts == {
        "deployment.id": "w",
        "scm.commit_sha": "b" * 40,
        "version": "2.1",
    }
    # A stop from a node without the checkout names none.
    assert _only(start, marker("stop", NOON_MS + 5, id="w")).facts["scm.commit_sha"] == "a" * 40


def test_a_later_record_takes_nothing_away() -> None:
    """A marker that was kept and sent late has two records: facts that only the first has stay."""
    facts = {"scm.commit_sha": "a" * 40, "scm.url": "https://github.com/acme/x"}
    event = {"event_state": "start", "timestamp": iso8601(NOON_MS), "attributes": {"service_name": "x", **facts}}
    kept = records.write(event, "kept", local_merge="a" * 40)
    late = records.write(event, "late", local_merge="b" * 40)
    for order in ((kept, late), (late, kept)):
        deployment = _only(*order)
        assert deployment.start is not None
        assert deployment.start.fate == "late"
        assert deployment.facts[records.LOCAL_MERGE] == "true"
        assert deployment.commit_url is None


def test_a_stop_without_a_start_is_a_point() -> None:
    """A single marker is a moment with an outcome; two of the same service are two moments."""
    deployment = _only(marker("stop", NOON_MS, outcome="success"))
    assert deployment.is_point
    assert (deployment.begun_ms, deployment.ended_ms, deployment.duration_ms) == (NOON_MS, NOON_MS, None)
    assert len(_read(marker("stop", NOON_MS), marker("stop", NOON_MS + 1))) == 2


def test_a_window_whose_start_is_not_on_record() -> None:
    """After a controller restart the start's record is lost; the stop still knows how long the window was."""
    deployment = _only(marker("stop", NOON_MS, id="a", outcome="success", facts={"deployment.window_duration_ms": "60000"}))
    assert (deployment.begun_ms, deployment.duration_ms) == (NOON_MS - MINUTE, MINUTE)
    assert not deployment.is_point
    assert wording.markers(deployment) == "start not on record"


@pytest.mark.parametrize(
    ("fates", "fate", "told"),
    [
        (["sent"], "sent", "delivered"),
        (["kept"], "kept", "stop queued"),
        (["kept", "late"], "late", "stop late"),
        (["late", "kept"], "late", "stop late"),
        (["refused"], "refused", "stop refused"),
        (["dry run"], "dry run", "stop dry run"),
        (["sent", "sent"], "sent", "delivered"),
    ],
)
def test_what_became_of_a_marker(fates: list[str], fate: str, told: str) -> None:
    """Of everything that is on record of one marker the best counts: what was kept first and sent later is late, and is one marker."""
    start = marker("start", NOON_MS, id="a")
    deployment = _only(start, *(marker("stop", NOON_MS + 1, fate=each, id="a", outcome="success") for each in fates))
    assert deployment.stop is not None
    assert deployment.stop.fate == fate
    assert wording.markers(deployment) == told


def test_a_request_without_answer_is_a_marker() -> None:
    """If no engine answered, the request holds the marker; it is unknown whether Last9 has it."""
    requests = [json.dumps(make_request("start")), json.dumps(make_request("stop", body={"ended": "threw"}))]
    deployment = _only(*requests)
    assert (deployment.begun_ms, deployment.ended_ms, deployment.window_id) == (STARTED_MS, STOPPED_MS, WINDOW)
    assert (deployment.service, deployment.environment, deployment.outcome) == ("payments-api", "production", "failure")
    assert wording.markers(deployment) == "without an answer"
    late = marker("start", STARTED_MS, fate="late", id=WINDOW)
    assert wording.markers(_only(*requests, late)) == "start late, stop without an answer"


def test_the_stop_of_an_unanswered_window_knows_its_start() -> None:
    """Even where only the stop's request is left, the window it speaks of has its beginning."""
    assert _only(json.dumps(make_request("stop"))).begun_ms == STARTED_MS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "{",
        "[" * 100_000,
        '{"last9Record":2,"fate":"sent","state":"stop","at":"2026-11-24T14:02:10.000Z","service":"s"}',
        '{"last9Record":1,"fate":"eaten","state":"stop","at":"2026-11-24T14:02:10.000Z","service":"s"}',
        '{"last9Record":1,"fate":"sent","state":"pause","at":"2026-11-24T14:02:10.000Z","service":"s"}',
        '{"last9Record":1,"fate":"sent","state":"stop","at":"yesterday","service":"s"}',
        '{"last9Record":1,"fate":"sent","state":"stop","at":"2026-13-99T14:02:10.000Z","service":"s"}',
        '{"last9Record":1,"fate":"sent","state":"stop","at":"2026-11-24T14:02:10.000Z","service":7}',
        '{"last9Record":1,"fate":["sent"],"state":"stop","at":"2026-11-24T14:02:10.000Z","service":"s"}',
        '{"contract":2}',
        '{"contract":9,"options":{"serviceName":"s"},"timestampMs":1}',
    ],
)
def test_what_is_no_record_is_counted(text: str) -> None:
    """Nonsense among the records costs itself only, and is not passed over in silence."""
    story = reading.read([text, *window(NOON_MS, NOON_MS + 1)])
    assert (len(story.deployments), story.unreadable) == (1, 1)


def test_odd_values_in_a_record() -> None:
    """Facts and labels that are not texts are left out; a stop before its start makes no bar that runs backwards."""
    odd = json.loads(marker("stop", NOON_MS, id="a"))
    odd.update(facts={"deployment.id": "a", "deployment.outcome": 7, "scm.branch": None}, labels=["x"], environment={"x": 1})
    deployment = _only(marker("start", NOON_MS + MINUTE, id="a"), json.dumps(odd))
    assert deployment.outcome == "unknown"
    assert deployment.environment is None
    assert deployment.duration_ms == 0
