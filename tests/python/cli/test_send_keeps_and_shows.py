"""``send``: pending markers across calls, and what it shows of itself."""

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
from last9_markers.cli.commands import send as send_command
from last9_markers.fake_server import FakeLast9
from support import MINIMAL_ENV, ROOT, SEND, engine, send, wait_until

STATE = [*SEND, "--state", "state.json"]
#: An outage that costs no time: the delay is longer than any wait.
QUIET = {"on": "any", "status": 503, "headers": {"Retry-After": "60"}}
ALL_OFF = ["--no-on-success", "--no-on-failure", "--no-on-unstable", "--no-on-aborted"]


# -- pending markers -------------------------------------------------------------------------------------------------------


def test_an_outage_that_ends(last9: FakeLast9, tmp_path: Path) -> None:
    """What Last9 did not get goes out with the next marker, with its own time, body and id: the start of its window first."""
    last9.order(QUIET)
    kept = [send(last9, tmp_path, "--state", "state.json", *words) for words in (["--event-state", "start"], ["--event-name", "scale"])]
    assert all("The marker is queued and will be sent with the next one." in done.stderr for done in kept)
    assert last9.received() == []
    last9.faults.cancel()
    done = send(last9, tmp_path, "--state", "state.json")
    assert "Also sent: 2 queued deployment markers" in done.stderr
    start, stop, scale = last9.received()
    assert [start["event_state"], scale["event_name"], stop["event_state"]] == ["start", "scale", "stop"]
    assert start["attributes"]["deployment.id"] == stop["attributes"]["deployment.id"]
    assert start["timestamp"] < scale["timestamp"] < stop["timestamp"]
    assert json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))["pending"] == []


def test_without_a_state_file_nothing_is_said_to_be_kept(last9: FakeLast9, tmp_path: Path) -> None:
    """The log promises no later delivery if nothing is queued."""
    last9.order(QUIET)
    assert "kept" not in send(last9, tmp_path).stderr


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_send_is_not_lost(last9: FakeLast9, tmp_path: Path, end: signal.Signals) -> None:
    """A marker is written down before it is tried: the end of the process loses neither it nor the others with it."""
    last9.order({"on": "exchange", "delay": 30})
    process = subprocess.Popen(
        [sys.executable, "-m", "last9_markers", *STATE, "--event-state", "start", "--timeout-seconds", "20"],
        env={**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), "LAST9_REFRESH_TOKEN": last9.refresh_token},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    wait_until(lambda: last9.requests() and last9.requests()[-1]["status"] is None)  # the exchange hangs
    process.send_signal(end)
    _, said = process.communicate(timeout=60)
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


def test_the_time_limit_ends_with_everything_written_down(last9: FakeLast9, tmp_path: Path) -> None:
    """If the watchdog answers, it queues and logs as well."""
    last9.order({"on": "exchange", "drip": 0.2})
    done = send(last9, tmp_path, "--state", "state.json", "--timeout-seconds", "1", "--json")
    assert done.code == 0
    assert json.loads(done.stdout)["kept"] == 1
    (entry,) = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))["pending"]
    assert "claimedUntilMs" not in entry


def test_ten_at_once(last9: FakeLast9, tmp_path: Path) -> None:
    """Ten processes with one state file: each marker arrives once, the queued one, too, and no window is mixed up."""
    last9.order(QUIET)
    send(last9, tmp_path, "--state", "state.json", "--event-name", "kept")
    last9.faults.cancel()
    for state in ("start", "stop"):
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "last9_markers", *STATE, "--event-state", state, "--timeout-seconds", "60"],
                env={**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), "LAST9_REFRESH_TOKEN": last9.refresh_token},
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


def test_other_organizations_keep_theirs(last9: FakeLast9, tmp_path: Path) -> None:
    """A marker never goes out with another credential: it waits in the file for one of its own."""
    last9.order(QUIET)
    send(last9, tmp_path, "--state", "state.json")
    last9.faults.cancel()
    send(last9, tmp_path, "--state", "state.json", "--credential-id", "another")
    assert len(last9.received()) == 1
    send(last9, tmp_path, "--state", "state.json")
    assert len(last9.received()) == 3


# -- what it shows -------------------------------------------------------------------------------------------------------------


def test_json(last9: FakeLast9, tmp_path: Path) -> None:
    """One object on stdout says what a script needs to know."""
    done = send(last9, tmp_path, "--json", "--state", "state.json", "--event-state", "start")
    said = json.loads(done.stdout)
    assert said == {
        "command": "send",
        "delivered": True,
        "accepted": True,
        "skipped": False,
        "deploymentId": last9.received()[0]["attributes"]["deployment.id"],
        "kept": 0,
        "warnings": [],
        "exitCode": 0,
    }
    held_back = json.loads(send(last9, tmp_path, "--json", "--result", "FAILURE").stdout)
    assert (held_back["skipped"], held_back["delivered"], held_back["exitCode"]) == (True, False, 0)
    last9.order({"on": "any", "status": 403})
    failed = json.loads(send(last9, tmp_path, "--json", "--fail-on-error").stdout)
    assert (failed["delivered"], failed["exitCode"], len(failed["warnings"])) == (False, 1, 1)


def test_stdout_that_nobody_reads(last9: FakeLast9, tmp_path: Path) -> None:
    """A reader that has gone away costs the object, not the marker."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "last9_markers", *SEND, "--json"],
        env={**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), "LAST9_REFRESH_TOKEN": last9.refresh_token},
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


@pytest.mark.needs("curl")
def test_a_dry_run_as_a_script(last9: FakeLast9, tmp_path: Path) -> None:
    """The ``curl`` that it shows works: a plain shell runs it, and Last9 receives the marker that ``send`` would send."""
    words = ["--attribute", 'note=it\'s "so" $HOME `x` \\ 100% Zürich\n🚀', "--event-name", "it's\nb", "--data-source-name", "main"]
    done = send(last9, tmp_path, *words, "--dry-run")
    assert last9.requests() == []
    assert last9.refresh_token not in done.stdout + done.stderr
    shown = json.loads(done.stderr.splitlines()[1].removeprefix("[Last9] "))
    ran = subprocess.run(
        ["sh", "-eu", "-c", done.stdout],
        env={**MINIMAL_ENV, "LAST9_REFRESH_TOKEN": last9.refresh_token},
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


@pytest.mark.parametrize(("words", "code"), [([], 0), (["--fail-on-error"], 1)])
def test_a_defect_before_the_marker_fails_no_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    """An exception that no one expected, before anything is sent, is a warning and no traceback; the state file keeps the marker."""

    def defect(*_: object) -> None:
        raise RecursionError("deeper than anybody thought")

    monkeypatch.setattr(send_command, "MarkerHandler", defect)
    state = tmp_path / "state.json"
    assert send_command.main(["--service-name", "payments-api", "--state", str(state), *words]) == code
    assert "[Last9] WARNING: " in (said := capsys.readouterr().err)
    assert "deeper than anybody thought" in said
    assert "Traceback" not in said
    assert len(json.loads(state.read_text("utf-8"))["pending"]) == 1
