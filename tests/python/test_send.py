"""``send`` as a process: results and switches, windows and undelivered markers across calls, what it shows of itself."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from last9_markers.commandline.options import OF_COMMAND
from last9_markers.commandline.parsing import Parser
from last9_markers.commandline.results import judge
from last9_markers.standin import StandIn
from support import BARE, ROOT, Stepped, engine

SEND = ["send", "--service-name", "payments-api", "--environment", "production"]
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


def send(last9: StandIn, folder: Path, *words: str, **environ: str) -> Stepped:
    """Run ``send`` in a folder with the stand-in's token."""
    return engine([*SEND, *words], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token, **environ}, cwd=folder)


@pytest.mark.parametrize(("switches", "result", "sent", "outcome"), SWITCHES)
def test_switches(switches: list[str], result: str | None, sent: bool, outcome: str | None) -> None:
    """The plugin's switches and defaults decide by the result, wherever it is said; where nobody says one a marker is sent."""
    given = Parser("send", "", OF_COMMAND["send"]).parse(switches)
    for verdict in (judge({**given, "result": result}, {}), judge(given, {"BUILD_RESULT": result or " "})):
        assert (verdict.held_back_by is None) is sent
        assert verdict.problem is None
        assert not sent or (verdict.result or "").lower() == {"aborted": (result or "").lower()}.get(str(outcome), outcome or "")


@pytest.mark.parametrize(("switches", "result", "sent", "outcome"), [SWITCHES[0], SWITCHES[3], SWITCHES[12], SWITCHES[16]])
def test_the_result_decides(
    last9: StandIn, tmp_path: Path, switches: list[str], result: str | None, sent: bool, outcome: str | None
) -> None:
    """A result that asks for a marker becomes its outcome; one that does not is said, and Last9 hears nothing."""
    done = send(last9, tmp_path, *switches, BUILD_RESULT=str(result))
    assert done.code == 0
    assert "WARNING" not in done.stderr
    assert [event["attributes"].get("deployment.outcome") for event in last9.received()] == ([outcome] if sent else [])
    if not sent:
        assert "No marker is sent: the result is" in done.stderr
        assert last9.requests() == []


def test_the_option_wins_over_the_variable(last9: StandIn, tmp_path: Path) -> None:
    """``--result`` is what counts where both say something."""
    send(last9, tmp_path, "--result", "SUCCESS", BUILD_RESULT="FAILURE")
    (event,) = last9.received()
    assert event["attributes"]["jenkins.build_result"] == "SUCCESS"


@pytest.mark.parametrize(("words", "variable"), [(["--result", "GREEN"], ""), ([], "GREEN")])
def test_a_result_that_is_none(last9: StandIn, tmp_path: Path, words: list[str], variable: str) -> None:
    """A result that Jenkins does not know is never guessed at: no marker, and the warning lists those there are."""
    done = send(last9, tmp_path, *words, "--fail-on-error", BUILD_RESULT=variable)
    assert done.code == 1
    assert "'GREEN', but must be one of SUCCESS, UNSTABLE, FAILURE, NOT_BUILT, ABORTED" in done.stderr
    assert last9.requests() == []


def test_the_outcome_may_be_said(last9: StandIn, tmp_path: Path) -> None:
    """``--outcome`` is for whoever knows better than the build's result."""
    send(last9, tmp_path, "--result", "SUCCESS", "--outcome", "timeout")
    (event,) = last9.received()
    assert event["attributes"]["deployment.outcome"] == "timeout"


# -- windows across calls ------------------------------------------------------------------------------------------------------


def _ids(last9: StandIn) -> list[str | None]:
    return [event["attributes"].get("deployment.id") for event in last9.received()]


def test_a_start_and_a_stop_share_an_id(last9: StandIn, tmp_path: Path) -> None:
    """Through the state file two calls are one window: one id, and the time between them as its duration."""
    for words in (["--event-state", "start"], []):
        assert send(last9, tmp_path, "--state", "state.json", *words).code == 0
    start, stop = last9.received()
    assert start["attributes"]["deployment.id"] == stop["attributes"]["deployment.id"]
    assert int(stop["attributes"]["deployment.window_duration_ms"]) >= 0
    assert "deployment.window_duration_ms" not in start["attributes"]
    state = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert (state["openWindows"], state["pending"]) == ([], [])


def test_pairing(last9: StandIn, tmp_path: Path) -> None:
    """A stop closes the newest open window of its service, environment and event name, and is a point where there is none."""
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


def test_without_a_state_file_a_stop_is_a_point(last9: StandIn, tmp_path: Path) -> None:
    """Nothing is remembered that nobody asked for, and no file appears."""
    send(last9, tmp_path, "--event-state", "start")
    send(last9, tmp_path)
    start, stop = _ids(last9)
    assert start
    assert stop is None
    assert list(tmp_path.iterdir()) == []


def test_a_held_back_stop_tells_of_the_open_window(last9: StandIn, tmp_path: Path) -> None:
    """A stop that the switches hold back leaves an alert firing at Last9: that is said, with the remedy, and a later stop still pairs."""
    send(last9, tmp_path, "--state", "state.json", "--event-state", "start")
    done = send(last9, tmp_path, "--state", "state.json", "--result", "FAILURE")
    assert "WARNING: this window stays open" in done.stderr
    assert "--on-failure --on-unstable --on-aborted" in done.stderr
    send(last9, tmp_path, "--state", "state.json", "--result", "FAILURE", "--on-failure")
    start, stop = _ids(last9)
    assert start == stop


@pytest.mark.parametrize("words", [["--event-state", "start"], []])
def test_a_refused_marker_changes_no_window(last9: StandIn, tmp_path: Path, words: list[str]) -> None:
    """What makes no marker neither opens nor closes a window, and nothing of it is kept."""
    send(last9, tmp_path, "--state", "state.json", "--event-state", "start")
    send(last9, tmp_path, "--state", "state.json", *words, "--routing-profile", "nowhere")
    state = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert state["pending"] == []
    assert len(state["openWindows"]) == 1
    send(last9, tmp_path, "--state", "state.json")
    start, stop = _ids(last9)
    assert start == stop


def test_a_dry_run_remembers_nothing(last9: StandIn, tmp_path: Path) -> None:
    """It shows the open window's id on the stop, opens and closes none, and leaves the file as it was."""
    send(last9, tmp_path, "--state", "state.json", "--event-state", "start")
    before = (tmp_path / "state.json").read_bytes()
    done = send(last9, tmp_path, "--state", "state.json", "--dry-run", "--json")
    send(last9, tmp_path, "--state", "state.json", "--dry-run", "--event-state", "start")
    assert json.loads(done.stdout)["dryRun"]["event"]["attributes"]["deployment.id"] == _ids(last9)[0]
    assert (tmp_path / "state.json").read_bytes() == before


# -- undelivered markers -------------------------------------------------------------------------------------------------------


def test_an_outage_that_ends(last9: StandIn, tmp_path: Path) -> None:
    """What Last9 did not get goes out with the next marker, first, with its own time, body and id; and it is said."""
    last9.order({"on": "any", "status": 403})
    kept = [send(last9, tmp_path, "--state", "state.json", *words) for words in (["--event-state", "start"], ["--event-name", "scale"])]
    assert all("The marker is kept and goes out with the next one." in done.stderr for done in kept)
    assert last9.received() == []
    last9.faults.cancel()
    done = send(last9, tmp_path, "--state", "state.json")
    assert "Sent first: 2 deployment markers" in done.stderr
    start, scale, stop = last9.received()
    assert [start["event_state"], scale["event_name"], stop["event_state"]] == ["start", "scale", "stop"]
    assert start["attributes"]["deployment.id"] == stop["attributes"]["deployment.id"]
    assert start["timestamp"] < scale["timestamp"] < stop["timestamp"]
    assert json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))["pending"] == []


def test_without_a_state_file_nothing_is_said_to_be_kept(last9: StandIn, tmp_path: Path) -> None:
    """A promise that nobody keeps is not made."""
    last9.order({"on": "any", "status": 403})
    assert "kept" not in send(last9, tmp_path).stderr


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_send_is_not_lost(last9: StandIn, tmp_path: Path, end: signal.Signals) -> None:
    """A marker is written down before it is tried: whoever ends the process loses neither it nor what it took along."""
    last9.order({"on": "exchange", "delay": 30})
    process = subprocess.Popen(
        [sys.executable, "-m", "last9_markers", *STATE, "--event-state", "start", "--timeout-seconds", "20"],
        env={**BARE, "PYTHONPATH": str(ROOT / "python"), "LAST9_REFRESH_TOKEN": last9.refresh_token},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    process.stderr.readline()  # Sending …
    process.send_signal(end)
    _, said = process.communicate(timeout=30)
    assert process.returncode == (130 if end == signal.SIGINT else -end)
    assert b"Traceback" not in said
    last9.faults.cancel()
    # Its claim ends by itself; a test does not wait for it.
    path = tmp_path / "state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    assert len(state["pending"]) == 1
    for entry in state["pending"]:
        entry.pop("claimedUntilMs", None)
    path.write_text(json.dumps(state), encoding="utf-8")
    send(last9, tmp_path, "--state", "state.json")
    start, stop = last9.received()
    assert (start["event_state"], stop["event_state"]) == ("start", "stop")
    assert start["attributes"]["deployment.id"] == stop["attributes"]["deployment.id"]


def test_the_time_limit_ends_with_everything_written_down(last9: StandIn, tmp_path: Path) -> None:
    """Where the watchdog has the last word, it remembers and tells as well."""
    last9.order({"on": "exchange", "drip": 0.2})
    done = send(last9, tmp_path, "--state", "state.json", "--timeout-seconds", "1", "--json")
    assert done.code == 0
    assert json.loads(done.stdout)["kept"] == 1
    (entry,) = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))["pending"]
    assert "claimedUntilMs" not in entry


def test_ten_at_once(last9: StandIn, tmp_path: Path) -> None:
    """Ten processes with one state file: each marker arrives once, the one kept from before too, and no window is mixed up."""
    last9.order({"on": "any", "status": 403})
    send(last9, tmp_path, "--state", "state.json", "--event-name", "kept")
    last9.faults.cancel()
    for state in ("start", "stop"):
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "last9_markers", *STATE, "--event-state", state, "--timeout-seconds", "60"],
                env={**BARE, "PYTHONPATH": str(ROOT / "python"), "LAST9_REFRESH_TOKEN": last9.refresh_token},
                cwd=tmp_path,
                stderr=subprocess.PIPE,
            )
            for _ in range(10)
        ]
        said = [process.communicate(timeout=90)[1].decode() for process in processes]
        assert not [text for text in said if "WARNING" in text]
    events = last9.received()
    assert [event["event_name"] for event in events].count("kept") == 1
    assert len(events) == 21
    starts = {event["attributes"]["deployment.id"] for event in events if event["event_state"] == "start"}
    stops = {event["attributes"]["deployment.id"] for event in events if event["event_state"] == "stop" and event["event_name"] != "kept"}
    assert len(starts) == 10
    assert starts == stops
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json", "state.json.lock"]


def test_other_organizations_keep_theirs(last9: StandIn, tmp_path: Path) -> None:
    """A marker never goes out with another credential: it waits in the file for one of its own."""
    last9.order({"on": "any", "status": 403})
    send(last9, tmp_path, "--state", "state.json")
    last9.faults.cancel()
    send(last9, tmp_path, "--state", "state.json", "--credential-id", "another")
    assert len(last9.received()) == 1
    send(last9, tmp_path, "--state", "state.json")
    assert len(last9.received()) == 3


# -- what it shows -------------------------------------------------------------------------------------------------------------


def test_json(last9: StandIn, tmp_path: Path) -> None:
    """One object on stdout says what a script needs to know."""
    done = send(last9, tmp_path, "--json", "--state", "state.json", "--event-state", "start")
    said = json.loads(done.stdout)
    assert said == {
        "command": "send",
        "delivered": True,
        "accepted": True,
        "skipped": False,
        "deploymentId": _ids(last9)[0],
        "kept": 0,
        "warnings": [],
        "exitCode": 0,
    }
    held_back = json.loads(send(last9, tmp_path, "--json", "--result", "FAILURE").stdout)
    assert (held_back["skipped"], held_back["delivered"], held_back["exitCode"]) == (True, False, 0)
    last9.order({"on": "any", "status": 403})
    failed = json.loads(send(last9, tmp_path, "--json", "--fail-on-error").stdout)
    assert (failed["delivered"], failed["exitCode"], len(failed["warnings"])) == (False, 1, 1)


def test_stdout_that_nobody_reads(last9: StandIn, tmp_path: Path) -> None:
    """A reader that has gone away costs the object, not the marker."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "last9_markers", *SEND, "--json"],
        env={**BARE, "PYTHONPATH": str(ROOT / "python"), "LAST9_REFRESH_TOKEN": last9.refresh_token},
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=40,
        check=False,
    )
    os.close(write)
    assert done.returncode == 0
    assert len(last9.received()) == 1
    assert b"Traceback" not in done.stderr


def test_a_dry_run_as_a_script(last9: StandIn, tmp_path: Path) -> None:
    """The ``curl`` it shows is no picture: a plain shell runs it, and Last9 receives the very marker that ``send`` would send."""
    words = ["--attribute", 'note=it\'s "so" $HOME `x` \\ 100% Zürich\n🚀', "--event-name", "it's\nb", "--data-source-name", "main"]
    done = send(last9, tmp_path, *words, "--dry-run")
    assert last9.requests() == []
    assert last9.refresh_token not in done.stdout + done.stderr
    shown = json.loads(done.stderr.splitlines()[1].removeprefix("[Last9] "))
    ran = subprocess.run(
        ["sh", "-eu", "-c", done.stdout],
        env={**BARE, "LAST9_REFRESH_TOKEN": last9.refresh_token},
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    (event,) = last9.received()
    assert {key: event[key] for key in shown} == shown
    assert json.loads(ran.stdout) == {"message": "success"}


def test_a_dry_run_without_anything(tmp_path: Path) -> None:
    """Without token and organization the script asks for both, and the marker is shown all the same."""
    done = engine([*SEND, "--dry-run"], cwd=tmp_path)
    assert done.code == 0
    assert "WARNING" not in done.stderr
    assert '"https://app.last9.io/api/v4/organizations/$LAST9_ORG_SLUG/change_events"' in done.stdout
    with_organization = engine([*SEND, "--dry-run", "--org-slug", "globex"], cwd=tmp_path)
    assert "https://app.last9.io/api/v4/organizations/globex/change_events" in with_organization.stdout
    assert "to organization 'globex' at https://app.last9.io" in with_organization.stderr


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_dry_run_hides_secrets(tmp_path: Path, form: list[str]) -> None:
    """What looks like a secret among the attributes is hidden in everything shown, and what is shown stays well-formed."""
    secrets = ["eyJhbGciOiJIUzI1NiJ9.eyJvcmciOiJhIn0.c2ln", 'Bearer abcdefgh\\"x', "https://user:hunter22@example.com/"]
    words = [word for number, secret in enumerate(secrets) for word in ("--attribute", f"k{number}={secret}")]
    environ = {"LAST9_REFRESH_TOKEN": "some-refresh-token"}
    done = engine([*SEND, *words, "--attribute", "t=some-refresh-token", "--dry-run", *form], cwd=tmp_path, environ=environ)
    for secret in ("eyJ", "abcdefgh", "hunter22", "some-refresh-token"):
        assert secret not in done.stdout + done.stderr
    text = json.loads(done.stdout)["dryRun"]["curl"] if form else done.stdout
    found = re.search(r"--data-binary '(\{\"event_name\".*\})'", text)
    assert found
    attributes: dict[str, Any] = json.loads(found[1])["attributes"]
    assert attributes["k0"] == attributes["t"] == "****"
