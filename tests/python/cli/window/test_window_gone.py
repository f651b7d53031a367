"""A window whose process was killed is closed by the next user of the state file; one whose process still runs is not."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from last9_markers.cli.shared import gone
from last9_markers.cli.shared.state import StateFile
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from shell_support import state_of, until, window
from support import engine

WINDOWS = "runningWindows"


def _read(state: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(state.read_text(encoding="utf-8"))
    return found


CLOSED = "Closed the deployment of payments-api, whose process was killed; its outcome is unknown"


def _send(last9: FakeLast9, state: Path, *words: str, **environ: str) -> str:
    done = engine(
        ["send", "--service-name", "billing", "--state", str(state), *words],
        environ={"LAST9_REFRESH_TOKEN": last9.refresh_token, **environ},
        cwd=state.parent,
    )
    assert done.code == 0, done
    return done.stderr


def _killed(last9: FakeLast9, state: Path, **environ: str) -> None:
    """A window whose process is killed while its command runs; nothing of its own group is left."""
    with window(last9, state.parent, ["--state", str(state)], ["sh", "-c", "echo ran; exec sleep 60"], **environ) as running:
        running.until("ran")
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()


def _stops(last9: FakeLast9, service: str = "payments-api") -> list[dict[str, Any]]:
    return [e for e in last9.received() if e["event_state"] == "stop" and e["attributes"]["service_name"] == service]


def test_the_next_send_closes_it(last9: FakeLast9, tmp_path: Path) -> None:
    """Its stop has its id, its build, and no outcome but unknown; it goes out once, after the marker of the call, and leaves no file."""
    state = tmp_path / "state.json"
    _killed(last9, state, JOB_NAME="deploy", BUILD_NUMBER="41", BUILD_URL="https://ci/41/")
    log = _send(last9, state, JOB_NAME="other", BUILD_NUMBER="7")
    start, billing, stop = last9.received()
    assert billing["attributes"]["service_name"] == "billing"
    for same in ("deployment.id", "jenkins.job_name", "jenkins.build_number", "jenkins.build_url", "deployment_environment"):
        assert stop["attributes"][same] == start["attributes"][same], same
    assert stop["attributes"]["deployment.outcome"] == "unknown"
    assert int(stop["attributes"]["deployment.window_duration_ms"]) > 0
    assert f"[Last9] {CLOSED}" in log.splitlines()
    # It was never tried before, and its time is that of this call.
    assert "Also sent" not in log
    assert WINDOWS not in _read(state)
    assert CLOSED not in _send(last9, state)
    assert len(_stops(last9)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json", "state.json.lock"]


def test_a_deployment_that_goes_on_is_not_closed(last9: FakeLast9, tmp_path: Path) -> None:
    """If only `window` is killed and its command still runs, the window stays open; the first call after the command's end closes it."""
    state = tmp_path / "state.json"
    with window(last9, tmp_path, ["--state", str(state)], ["sh", "-c", "echo ran $$; exec sleep 60"]) as running:
        running.until("ran")
        until(lambda: any(path.read_bytes() for path in tmp_path.glob("state.json.window-*")))
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()
        assert CLOSED not in _send(last9, state)
        assert _stops(last9) == []
    assert CLOSED in _send(last9, state)
    assert len(_stops(last9)) == 1


def test_another_process_of_the_commands_number(last9: FakeLast9, tmp_path: Path) -> None:
    """A process that has got the number of the command since is not the command."""
    state = tmp_path / "state.json"
    _killed(last9, state)
    (lock,) = tmp_path.glob("state.json.window-*")
    lock.write_text(f"{os.getpid()} 1\n", "utf-8")
    assert CLOSED in _send(last9, state)


def test_it_is_closed_later_where_last9_is_away(last9: FakeLast9, tmp_path: Path) -> None:
    """Only what has arrived is said to be closed; the marker that was tried before has its own line, and the two are not mixed up."""
    state = tmp_path / "state.json"
    _killed(last9, state)
    last9.order({"on": "any", "status": 503, "headers": {"Retry-After": "60"}})
    assert "Closed" not in _send(last9, state)
    last9.faults.cancel()
    lines = _send(last9, state).splitlines()
    assert f"[Last9] {CLOSED}" in lines
    assert "[Last9] Also sent: 1 queued deployment marker (original timestamps)" in lines
    assert len(_stops(last9)) == 1


def test_a_delivery_that_nobody_waits_for(last9: FakeLast9, tmp_path: Path) -> None:
    """Killed before its command began: the start arrives all the same, and the warning speaks of the window, not of a build."""
    state = tmp_path / "state.json"
    last9.order({"on": "event", "times": 1, "delay": 2})
    with window(last9, tmp_path, ["--state", str(state)], ["sh", "-c", "touch ran"]) as running:
        until(lambda: bool(last9.requests()))
        os.kill(running.process.pid, signal.SIGKILL)
        running.wait()  # its delivery process has the same stderr, and ends later
        log = running.log
    assert "[Last9] WARNING: the window process of this marker is gone (Broken pipe)" in log
    assert "build" not in log
    assert not (tmp_path / "ran").exists()
    assert CLOSED in _send(last9, state)


def test_the_next_window_closes_it(last9: FakeLast9, tmp_path: Path) -> None:
    """A window does as send does, and its own start and stop are those of another window."""
    state = tmp_path / "state.json"
    _killed(last9, state)
    with window(last9, tmp_path, ["--state", str(state)], ["true"]) as running:
        assert running.wait() == 0
    outcomes = [stop["attributes"]["deployment.outcome"] for stop in _stops(last9)]
    assert sorted(outcomes) == ["success", "unknown"]
    assert WINDOWS not in _read(state)


def test_a_window_that_is_open_stays_open(last9: FakeLast9, tmp_path: Path) -> None:
    """While its process runs it is not closed, not even after days, and its own stop is the only one."""
    state = tmp_path / "state.json"
    with window(last9, tmp_path, ["--state", str(state)], ["sh", "-c", "echo ran; while [ ! -e go ]; do sleep 0.1; done"]) as running:
        running.until("ran")
        found = _read(state)
        found[WINDOWS][0]["startedAtMs"] -= 2 * gone.LONGEST_MS
        state.write_text(json.dumps(found), encoding="utf-8")
        assert CLOSED not in _send(last9, state)
        (tmp_path / "go").touch()
        assert running.wait() == 0
    assert [stop["attributes"]["deployment.outcome"] for stop in _stops(last9)] == ["success"]
    assert WINDOWS not in _read(state)


@pytest.mark.parametrize("changed", ["host", "boot"])
def test_another_machine_or_a_reboot(last9: FakeLast9, tmp_path: Path, changed: str) -> None:
    """There a free lock says nothing: its window is closed after a day, and not before."""
    state = tmp_path / "state.json"
    _killed(last9, state)
    found = _read(state)
    found[WINDOWS][0][changed] = "another"
    state.write_text(json.dumps(found), encoding="utf-8")
    assert CLOSED not in _send(last9, state)
    assert _stops(last9) == []
    found = _read(state)
    found[WINDOWS][0]["startedAtMs"] -= gone.LONGEST_MS
    state.write_text(json.dumps(found), encoding="utf-8")
    assert CLOSED in _send(last9, state)
    assert len(_stops(last9)) == 1


def test_a_lock_that_somebody_removed_says_nothing(last9: FakeLast9, tmp_path: Path) -> None:
    """Cleaning up a folder does not close a running deployment."""
    state = tmp_path / "state.json"
    _killed(last9, state)
    for path in tmp_path.glob("state.json.window-*"):
        path.unlink()
    assert CLOSED not in _send(last9, state)
    assert _stops(last9) == []


def test_last9_is_down_at_the_closing(last9: FakeLast9, tmp_path: Path) -> None:
    """The stop is kept like every other marker, with its time, and goes out as soon as one gets through."""
    state = tmp_path / "state.json"
    _killed(last9, state)
    last9.order({"status": 429, "headers": {"Retry-After": "60"}, "times": 1})
    _send(last9, state)
    _send(last9, state)
    assert [stop["attributes"]["deployment.outcome"] for stop in _stops(last9)] == ["unknown"]


def test_a_dry_run_leaves_no_window(last9: FakeLast9, tmp_path: Path) -> None:
    """A killed window that sent no start has no stop."""
    state = tmp_path / "state.json"
    with window(last9, tmp_path, ["--state", str(state), "--dry-run"], ["sh", "-c", "echo ran; exec sleep 60"]) as running:
        running.until("ran\n")
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()
    _send(last9, state)
    assert _stops(last9) == []


@pytest.mark.parametrize(
    "broken",
    [
        7,
        {"id": "../../x"},
        {"id": "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0001", "startedAtMs": 1, "request": "no request"},
        {"id": "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0001", "startedAtMs": 1, "request": '{"contract": 2}', "build": 7},
    ],
)
def test_a_broken_entry(last9: FakeLast9, tmp_path: Path, broken: Any) -> None:
    """An entry that is not a window is dropped, with a warning at most, and costs no marker."""
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"last9State": 1, WINDOWS: [broken]}), encoding="utf-8")
    assert _send(last9, state).count("WARNING") <= 1
    assert len(last9.received()) == 1
    assert WINDOWS not in _read(state)


def test_the_token_is_not_in_the_file(last9: FakeLast9, tmp_path: Path) -> None:
    """What is noted of a window has its options, but no secret."""
    state = tmp_path / "state.json"
    with window(
        last9, tmp_path, ["--state", str(state), "--attribute", f"x={last9.refresh_token}"], ["sh", "-c", "echo ran; exec sleep 60"]
    ) as running:
        running.until("ran")
        until(lambda: WINDOWS in state.read_text(encoding="utf-8"))
        assert last9.refresh_token not in state.read_text(encoding="utf-8")
        os.kill(running.process.pid, signal.SIGKILL)
        running.process.wait()


def test_a_lock_without_a_window_is_removed(last9: FakeLast9, tmp_path: Path) -> None:
    """A process that is killed before it could write its window down leaves nothing behind for ever; one that is there keeps its lock."""
    state = tmp_path / "state.json"
    orphan = tmp_path / "state.json.window-0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0001"
    orphan.touch()
    held = gone.Presence(str(state), "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0002")
    _send(last9, state)
    assert sorted(path.name for path in tmp_path.glob("*.window-*")) == ["state.json.window-0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0002"]
    held.end()


def test_a_copy_of_the_folder_says_nothing(last9: FakeLast9, tmp_path: Path) -> None:
    """A copy of a workspace, made while a deployment goes on, has a lock that no process holds: the window stays open."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    script = "echo ran; while [ ! -e go ]; do sleep 0.1; done"
    with window(last9, folder, ["--state", str(folder / "state.json")], ["sh", "-c", script]) as running:
        running.until("ran")
        shutil.copytree(folder, tmp_path / "copy")
        assert "gone" not in _send(last9, tmp_path / "copy" / "state.json")
        assert _stops(last9) == []
        (folder / "go").touch()
        assert running.wait() == 0
    assert [stop["attributes"]["deployment.outcome"] for stop in _stops(last9)] == ["success"]


def test_somebody_looks_just_when_the_lock_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of which the state file does not know yet gets its lock, though another one has just removed it as unheld."""
    state, window_id, create, looked = str(tmp_path / "state.json"), str(uuid.uuid4()), gone.safe_files.descriptor, []

    def looked_at(path: str, *limit: Any, **more: Any) -> int:
        descriptor = create(path, *limit, **more)
        if more.get("flags", 0) & os.O_CREAT and not looked:
            looked.append(path)
            gone.sweep(state, [])
        return descriptor

    monkeypatch.setattr(gone.safe_files, "descriptor", looked_at)
    held = gone.Presence(state, window_id)
    assert not gone.is_gone({"id": window_id, "startedAtMs": 0}, state, gone.LONGEST_MS)
    held.end()
    assert looked
    assert list(tmp_path.iterdir()) == []


def test_somebody_has_the_lock_for_a_moment(tmp_path: Path) -> None:
    """A check whether a lock is free takes it for a moment: the process that wants it waits, and is not taken for one that is gone."""
    fcntl = pytest.importorskip("fcntl")
    state, window_id = str(tmp_path / "state.json"), str(uuid.uuid4())
    descriptor = os.open(f"{state}.window-{window_id}", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    looking = threading.Timer(0.05, os.close, [descriptor])
    looking.start()
    held = gone.Presence(state, window_id)
    looking.join()
    assert not gone.is_gone({"id": window_id, "startedAtMs": 0}, state, gone.LONGEST_MS)
    held.end()


def test_the_lock_stays_until_it_is_written_down(last9: FakeLast9, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that cannot write down that a window is closed, or dies before, leaves its lock: a later call closes it."""
    path = tmp_path / "state.json"
    _killed(last9, path)
    state = StateFile(str(path), BuildLog(io.StringIO(), Redactor()))
    with monkeypatch.context() as full:
        full.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("no space left")))
        with state.changing() as content:
            assert content is not None
            state.close_gone(content, 1_900_000_000_000, {})
    assert len(list(tmp_path.glob("state.json.window-*"))) == 1
    assert CLOSED in _send(last9, path)
    assert list(tmp_path.glob("state.json.window-*")) == []


@pytest.mark.endurance
def test_killed_at_fifty_moments(last9: FakeLast9, tmp_path: Path) -> None:
    """`kill -9` at any moment: each window that Last9 has a start of gets a stop, and none two that differ; no file stays."""
    moments = random.Random(20261129)
    state = tmp_path / "state.json"
    for _ in range(50):
        with window(last9, tmp_path, ["--state", str(state)], ["sh", "-c", "sleep 0.2"]) as running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.process.wait(moments.uniform(0, 2.5))
            running.process.kill()
    until(lambda: not _of_others(tmp_path))
    for _ in range(3):  # one run tries no more than it has time for, and what was killed on the way is claimed for a while
        if state.exists():
            found = _read(state)
            for entry in found["pending"]:
                entry.pop("claimedUntilMs", None)
            state.write_text(json.dumps(found), encoding="utf-8")
        _send(last9, state, "--timeout-seconds", "60")
    ends: dict[str, dict[str, set[str]]] = {}
    for event in last9.received():
        if event["attributes"]["service_name"] == "payments-api":
            outcomes = ends.setdefault(event["attributes"]["deployment.id"], {}).setdefault(event["event_state"], set())
            outcomes.add(event["attributes"].get("deployment.outcome", ""))
    assert len(ends) > 10, "the kills did not strike while there was a window"
    assert {window_id for window_id, each in ends.items() if "start" in each} <= {
        window_id for window_id, each in ends.items() if "stop" in each
    }
    assert all(len(each.get("stop", ())) <= 1 for each in ends.values()), ends
    assert {"unknown"} in [each.get("stop") for each in ends.values()]
    assert WINDOWS not in _read(state)
    assert list(tmp_path.glob("*.window-*")) == []


def _of_others(folder: Path) -> list[int]:
    """Processes of the killed windows that still send a stop, or run their command."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        if int(path.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if os.readlink(path / "cwd") == str(folder.resolve()) and state_of(int(path.name)) not in ("", "Z"):
                found.append(int(path.name))
    return found
