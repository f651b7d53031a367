"""``send`` as a process: results and switches, windows across calls."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from last9_markers.cli.shared.options import OF_COMMAND
from last9_markers.cli.shared.parsing import Parser
from last9_markers.cli.shared.results import decide
from last9_markers.fake_server import FakeLast9
from support import SEND, send

STATE = [*SEND, "--state", "state.json"]
ALL_OFF = ["--no-on-success", "--no-on-failure", "--no-on-unstable", "--no-on-aborted"]

#: switches, result, whether a marker is sent, its outcome
SWITCHES: list[tuple[list[str], str | None, bool, str | None]] = [
    ([], "SUCCESS", True, "success"),
    ([], "success", True, "success"),
    ([], "UNSTABLE", False, None),
    ([], "FAILURE", False, None),
    ([], "ABORTED", False, None),
    ([], "NOT_BUILT", False, None),
    ([], "Not built", False, None),
    ([], None, True, None),
    (["--on-failure"], "FAILURE", True, "failure"),
    (["--on-failure"], "SUCCESS", True, "success"),
    (["--on-unstable"], "UNSTABLE", True, "unstable"),
    (["--on-aborted"], "ABORTED", True, "aborted"),
    (["--on-aborted"], "NOT_BUILT", True, "aborted"),
    (["--on-failure", "--on-unstable"], "ABORTED", False, None),
    (["--no-on-success"], "SUCCESS", False, None),
    (["--no-on-success", "--on-success"], "SUCCESS", True, "success"),
    (ALL_OFF, "SUCCESS", False, None),
    (ALL_OFF, "ABORTED", False, None),
    (ALL_OFF, None, True, None),
]


@pytest.mark.parametrize(("switches", "result", "sent", "outcome"), SWITCHES)
def test_switches(switches: list[str], result: str | None, sent: bool, outcome: str | None) -> None:
    """The plugin's switches and defaults decide by the result, from any source; without a result a marker is sent."""
    given = Parser("send", "", OF_COMMAND["send"]).parse(switches)
    for verdict in (decide({**given, "result": result}, {}), decide(given, {"BUILD_RESULT": result or " "})):
        assert (verdict.skipped_by is None) is sent
        assert verdict.problem is None
        assert not sent or (verdict.result or "").lower() == {"aborted": (result or "").lower()}.get(str(outcome), outcome or "")


@pytest.mark.parametrize(("switches", "result", "sent", "outcome"), [SWITCHES[0], SWITCHES[3], SWITCHES[12], SWITCHES[16]])
def test_the_result_decides(
    last9: FakeLast9, tmp_path: Path, switches: list[str], result: str | None, sent: bool, outcome: str | None
) -> None:
    """A result that asks for a marker becomes its outcome; one that does not is said, and Last9 hears nothing."""
    done = send(last9, tmp_path, *switches, BUILD_RESULT=str(result))
    assert done.code == 0
    assert "WARNING" not in done.stderr
    assert [event["attributes"].get("deployment.outcome") for event in last9.received()] == ([outcome] if sent else [])
    if not sent:
        assert "No marker is sent: the result is" in done.stderr
        assert last9.requests() == []


def test_the_option_wins_over_the_variable(last9: FakeLast9, tmp_path: Path) -> None:
    """``--result`` is what counts where both say something."""
    send(last9, tmp_path, "--result", "SUCCESS", BUILD_RESULT="FAILURE")
    (event,) = last9.received()
    assert event["attributes"]["jenkins.build_result"] == "SUCCESS"


@pytest.mark.parametrize(("words", "variable"), [(["--result", "GREEN"], ""), ([], "GREEN")])
def test_a_result_that_is_none(last9: FakeLast9, tmp_path: Path, words: list[str], variable: str) -> None:
    """A result that Jenkins does not know is never guessed at: no marker, and the warning lists those there are."""
    done = send(last9, tmp_path, *words, "--fail-on-error", BUILD_RESULT=variable)
    assert done.code == 1
    assert "must be one of SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED, not 'GREEN'" in done.stderr
    assert last9.requests() == []


def test_the_outcome_may_be_said(last9: FakeLast9, tmp_path: Path) -> None:
    """``--outcome`` is for anyone who knows better than the build's result."""
    send(last9, tmp_path, "--result", "SUCCESS", "--outcome", "timeout")
    (event,) = last9.received()
    assert event["attributes"]["deployment.outcome"] == "timeout"


# -- windows across calls ------------------------------------------------------------------------------------------------------


def _ids(last9: FakeLast9) -> list[str | None]:
    return [event["attributes"].get("deployment.id") for event in last9.received()]


def test_a_start_and_a_stop_share_an_id(last9: FakeLast9, tmp_path: Path) -> None:
    """Through the state file two calls are one window: one id, and the time between them as its duration."""
    for words in (["--event-state", "start"], []):
        assert send(last9, tmp_path, "--state", "state.json", *words).code == 0
    start, stop = last9.received()
    assert start["attributes"]["deployment.id"] == stop["attributes"]["deployment.id"]
    assert int(stop["attributes"]["deployment.window_duration_ms"]) >= 0
    assert "deployment.window_duration_ms" not in start["attributes"]
    state = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert (state["openWindows"], state["pending"]) == ([], [])


def test_pairing(last9: FakeLast9, tmp_path: Path) -> None:
    """A stop closes the newest open window of its service, environment and event name, and is a point if there is none."""
    calls: list[list[str]] = [
        ["--event-state", "start"],
        ["--event-state", "START"],
        ["--event-state", "start", "--event-name", "rollback"],
        ["--event-state", "start", "--environment", "staging"],
        [],
        [],
        [],
        ["--event-name", "rollback"],
        ["--environment", "staging"],
    ]
    for words in calls:
        send(last9, tmp_path, "--state", "state.json", *words)
    first, second, rollback, staging, *stops = _ids(last9)
    assert stops == [second, first, None, rollback, staging]
    assert len({first, second, rollback, staging}) == 4


def test_without_a_state_file_a_stop_is_a_point(last9: FakeLast9, tmp_path: Path) -> None:
    """Without ``--state`` nothing is stored, and no file appears."""
    send(last9, tmp_path, "--event-state", "start")
    send(last9, tmp_path)
    start, stop = _ids(last9)
    assert start
    assert stop is None
    assert list(tmp_path.iterdir()) == []


def test_a_held_back_stop_tells_of_the_open_window(last9: FakeLast9, tmp_path: Path) -> None:
    """A stop that the switches hold back leaves an alert firing at Last9: that is said, with the remedy, and a later stop still pairs."""
    send(last9, tmp_path, "--state", "state.json", "--event-state", "start")
    done = send(last9, tmp_path, "--state", "state.json", "--result", "FAILURE")
    assert "WARNING: this window stays open" in done.stderr
    assert "--on-failure --on-unstable --on-aborted" in done.stderr
    send(last9, tmp_path, "--state", "state.json", "--result", "FAILURE", "--on-failure")
    start, stop = _ids(last9)
    assert start == stop


@pytest.mark.parametrize("words", [["--event-state", "start"], []])
def test_a_refused_marker_changes_no_window(last9: FakeLast9, tmp_path: Path, words: list[str]) -> None:
    """What makes no marker neither opens nor closes a window, and nothing of it is kept."""
    send(last9, tmp_path, "--state", "state.json", "--event-state", "start")
    send(last9, tmp_path, "--state", "state.json", *words, "--routing-profile", "nowhere")
    state = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert state["pending"] == []
    assert len(state["openWindows"]) == 1
    send(last9, tmp_path, "--state", "state.json")
    start, stop = _ids(last9)
    assert start == stop


def test_a_dry_run_remembers_nothing(last9: FakeLast9, tmp_path: Path) -> None:
    """It shows the open window's id on the stop, opens and closes none, and leaves the file as it was."""
    send(last9, tmp_path, "--state", "state.json", "--event-state", "start")
    before = (tmp_path / "state.json").read_bytes()
    done = send(last9, tmp_path, "--state", "state.json", "--dry-run", "--json")
    send(last9, tmp_path, "--state", "state.json", "--dry-run", "--event-state", "start")
    assert json.loads(done.stdout)["dryRun"]["event"]["attributes"]["deployment.id"] == _ids(last9)[0]
    assert (tmp_path / "state.json").read_bytes() == before
