"""What lies where a file of ours should: a pipe, a folder, a device, a link, a stranger's file. Nothing hangs, nothing is believed."""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from last9_markers.core import safe_files
from last9_markers.fake_server import FakeLast9
from last9_markers.runner.serve import ANSWERED
from support import SEND, engine, make_request, patience, run_step

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX's kinds of files")

ROOT_ONLY = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root makes files of another user")


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(6 << 30)


def _of_another_user(path: Path) -> None:
    path.write_text("another-users-refresh-token", encoding="utf-8")
    os.chown(path, 12345, 12345)


TRAPS = [_fifo, _folder, _zeros, _huge, pytest.param(_of_another_user, marks=ROOT_ONLY)]


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("command", ["send", "window", "check"])
def test_a_trap_as_a_token_file(last9: FakeLast9, tmp_path: Path, trap: Callable[[Path], None], command: str) -> None:
    """The command of a window runs, nothing is sent, and a warning says what is wrong with the file."""
    trap(tmp_path / "token")
    words = {
        "send": [*SEND, "--token-file", "token"],
        "window": ["window", *SEND[1:], "--token-file", "token", "--", "echo", "ran"],
        "check": ["check", "--token-file", "token"],
    }[command]
    done = engine(words, environ={"LAST9_API_BASE_URL": last9.url, "LAST9_ORG_SLUG": "acme"}, cwd=tmp_path, timeout=60)
    assert done.code == (1 if command == "check" else 0)
    assert "the token file token cannot be read (" in done.stderr
    assert command != "window" or done.stdout == "ran\n"
    assert last9.received() == []
    assert not [request for request in last9.requests() if request["method"] == "POST"]


def test_a_token_file_behind_a_link(last9: FakeLast9, tmp_path: Path) -> None:
    """Secrets that are mounted into containers are links to files of root's: they are read."""
    (tmp_path / "real").write_text(last9.refresh_token + "\n", encoding="utf-8")
    (tmp_path / "token").symlink_to("real")
    done = engine([*SEND, "--token-file", "token"], environ={"LAST9_API_BASE_URL": last9.url}, cwd=tmp_path)
    assert done.code == 0
    assert len(last9.received()) == 1


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("name", ["state.json", "state.json.lock"])
@pytest.mark.parametrize("command", ["send", "window"])
def test_a_trap_as_a_state_file(last9: FakeLast9, tmp_path: Path, trap: Callable[[Path], None], name: str, command: str) -> None:
    """The markers are sent without the file's memory, the window's command runs, and the file is left as it is."""
    trap(tmp_path / name)
    before = os.lstat(tmp_path / name)
    words = [*SEND, "--state", "state.json"] if command == "send" else ["window", *SEND[1:], "--state", "state.json", "--", "echo", "ran"]
    done = engine(words, environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path, timeout=60)
    assert done.code == 0
    assert len(last9.received()) == (1 if command == "send" else 2)
    assert command != "window" or done.stdout == "ran\n"
    after = os.lstat(tmp_path / name)
    assert (after.st_ino, after.st_mode, after.st_size) == (before.st_ino, before.st_mode, before.st_size)
    # A lock that is large or another user's is a lock all the same: nothing is read from it.
    if name == "state.json":
        assert "state file state.json cannot be read" in done.stderr


def test_a_state_file_chooses_no_environment(last9: FakeLast9, tmp_path: Path) -> None:
    """A link to someone's state file is not followed: what stands in it names variables that would be sent."""
    planted = make_request(options={"envAllowlist": "SECRET_OF_THE_BUILD"})
    state = {"last9State": 1, "openWindows": [], "records": [], "pending": [{"text": json.dumps(planted), "sinceMs": 1}]}
    (tmp_path / "elsewhere").write_text(json.dumps(state), encoding="utf-8")
    (tmp_path / "state.json").symlink_to("elsewhere")
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token, "SECRET_OF_THE_BUILD": "s3cret"}
    engine([*SEND, "--state", "state.json"], environ=environ, cwd=tmp_path)
    assert len(last9.received()) == 1
    assert "s3cret" not in str(last9.received())


@pytest.mark.parametrize("trap", TRAPS[:4])
def test_a_trap_as_a_request(last9: FakeLast9, tmp_path: Path, trap: Callable[[Path], None]) -> None:
    """A request that is not a file ends in an answer at once, and nothing is sent."""
    trap(tmp_path / "request-1.json")
    words = ["step", "--request", "request-1.json", "--answer", "answer-1.json"]
    done = engine(words, environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path, timeout=60)
    assert done.code == ANSWERED
    answer = json.loads((tmp_path / "answer-1.json").read_text("ascii"))
    assert (answer["delivered"], "pending" in answer) == (False, False)
    assert last9.requests() == []


def test_an_answer_follows_no_link(last9: FakeLast9, tmp_path: Path) -> None:
    """A link that waits under the answer's name is not followed: a root in a container would overwrite any file."""
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    (tmp_path / "answer-1.json").symlink_to(victim)
    (tmp_path / "request-1.json").write_text(json.dumps(make_request()), encoding="utf-8")
    words = ["step", "--request", "request-1.json", "--answer", "answer-1.json"]
    done = engine(words, environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code not in (0, ANSWERED)
    assert victim.read_text("utf-8") == "precious"


@pytest.mark.parametrize("name", ["last9-deployments.html", "last9-deployments.css", "last9-deployments.json", "last9-deployments.md"])
def test_a_report_follows_no_link(tmp_path: Path, name: str) -> None:
    """A link under the name of one of the report's files is replaced; what it leads to stays as it is."""
    (tmp_path / "state.json").write_text('{"last9State": 1}', encoding="utf-8")
    victim, out = tmp_path / "victim", tmp_path / "out"
    victim.write_text("precious", encoding="utf-8")
    out.mkdir()
    (out / name).symlink_to(victim)
    done = engine(["report", "--state", "state.json", "--output", "out"], cwd=tmp_path)
    assert done.code == 0
    assert victim.read_text("utf-8") == "precious"
    assert not (out / name).is_symlink()
    assert (out / name).stat().st_size


def test_a_reports_folder_follows_no_link(tmp_path: Path) -> None:
    """An attacker who knows the report's id in time cannot have it written elsewhere."""
    number, elsewhere = str(uuid.uuid4()), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"report-{number}").symlink_to(elsewhere)
    request = make_request(step="last9DeploymentReport", window=None, report={"id": number, "records": []}, options={"serviceName": None})
    done = run_step(request, None, tmp_path, environ={"LAST9_CACHE_DIR": str(tmp_path)})
    assert done.answer["delivered"] is False
    assert done.answer["directory"] is None
    assert list(elsewhere.iterdir()) == []


def test_replacing_leaves_nothing_aside(tmp_path: Path) -> None:
    """A file that cannot be put in its place (a folder has its name) leaves no other behind."""
    (tmp_path / "name").mkdir()
    with pytest.raises(OSError, match="name"):
        safe_files.replace(str(tmp_path / "name"), b"content")
    assert [path.name for path in tmp_path.iterdir()] == ["name"]


@pytest.mark.parametrize("command", ["send", "window"])
def test_waiting_for_the_lock_is_part_of_the_limit(last9: FakeLast9, tmp_path: Path, command: str) -> None:
    """A held lock of the state file and a Last9 that hangs cost a marker its time limit, and not the wait for the lock in addition."""
    import fcntl

    last9.order({"delay": 60})
    words = [*SEND] if command == "send" else ["window", *SEND[1:]]
    words += ["--state", "state.json", "--timeout-seconds", "6", *([] if command == "send" else ["--", "sh", "-c", "date +%s.%N"])]
    with (tmp_path / "state.json.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        began = time.time()
        done = engine(words, environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path, timeout=120)
        took = (float(done.stdout) if command == "window" else time.time()) - began
    assert done.code == 0
    assert "is locked by another process" in done.stderr
    # Before and after: each time a quarter of the limit and no less than 0.2 s; with the whole patience it would be 16.
    assert took < 6 + 1 + patience()
