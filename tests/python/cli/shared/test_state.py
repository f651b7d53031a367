"""The state file: what is in it, what happens if it cannot be used, and that other files are not harmed."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from last9_markers.cli.shared import locking
from last9_markers.cli.shared.invocation import Window
from last9_markers.cli.shared.state import LONGEST_CLAIM_MS, LONGEST_FILE, MOST_PENDING, MOST_RECORDS, MOST_WINDOWS, Content, StateFile
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from last9_markers.request.contract import Kept
from support import engine

KEY = ("payments-api", "production", "deployment")
SEND = ["send", "--service-name", "payments-api", "--state", "state.json"]


@pytest.fixture
def build_log() -> BuildLog:
    """A log that only remembers its warnings."""
    return BuildLog(StringIO(), Redactor())


def _fresh() -> Content:
    return Content({}, is_new=True)


def test_what_a_run_has_forgotten_is_removed() -> None:
    """What the engine handed back is replaced as a whole; what another process has noted meanwhile stays."""
    content = _fresh()
    content.note_outages({}, {"commitOf:w1": "a" * 40, "acme": 5})
    told = content.outages
    content.note_outages({}, {"commitOf:w2": "b" * 40})
    content.note_outages(told, {"acme": 5})
    assert content.outages == {"commitOf:w2": "b" * 40, "acme": 5}


# -- the content ---------------------------------------------------------------------------------------------------------------


def test_what_is_written_can_be_read_again(tmp_path: Path, build_log: BuildLog) -> None:
    """Markers so large that the file would be refused by the next call make the oldest give way, and not the file useless."""
    state = StateFile(str(tmp_path / "state.json"), build_log)
    for number in range(5):
        with state.changing() as content:
            assert content is not None
            content.add(str(number) * (LONGEST_FILE // 3), number)
    assert [text[0] for text in state.read().pending] == ["3", "4"]
    assert "it holds the 2 newest queued markers; 1 older ones were dropped" in build_log.warnings[-1]


def test_names_of_any_length_pair(tmp_path: Path, build_log: BuildLog) -> None:
    """A service's name of megabytes pairs as any other, and takes no more room in the file than its marker's label."""
    state = StateFile(str(tmp_path / "state.json"), build_log)
    key = ("x" * 1_000_000, "y" * 1_000_000, "deployment")
    with state.changing() as content:
        assert content is not None
        content.open(key, Window("id-1", 5))
    assert (tmp_path / "state.json").stat().st_size < 5000
    assert state.read().newest(key) == Window("id-1", 5)


def test_what_is_written_is_read(tmp_path: Path, build_log: BuildLog) -> None:
    """Windows, pending markers and records come back as they were; no other user may read the file."""
    state = StateFile(str(tmp_path / "state.json"), build_log)
    with state.changing() as content:
        assert content is not None
        assert content.is_new
        content.open(KEY, Window("id-1", 5))
        content.add("text", 7)
        content.record(["a", 1, "b"])
    assert state.saved
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
    found = state.read()
    assert not found.is_new
    assert found.newest(KEY) == Window("id-1", 5)
    assert (found.pending, found.records) == (["text"], ["a", "b"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state.json", "state.json.lock"]


def test_claims() -> None:
    """What one process tries no other tries, until it has settled it or its claim has ended; an absurd claim is none."""
    content = _fresh()
    content.add("second", 2)
    content.add("first", 1)
    assert content.claim(1000, 2000) == [Kept("first"), Kept("second")]
    assert content.claim(1000, 2000) == []
    assert content.claim(2000, 3000) == [Kept("first"), Kept("second")]
    content.settle(["first", "second", "own"], 3, [Kept("second", 2), Kept("own, composed")])
    assert content.pending == ["second", "own, composed"]
    assert content.claim(1000, 1000 + LONGEST_CLAIM_MS + 1) == [Kept("second", 2), Kept("own, composed")]
    assert content.claim(1000, 2000) == [Kept("second", 2), Kept("own, composed")]


def test_bounds(tmp_path: Path, build_log: BuildLog) -> None:
    """A state file that lives for years stays small: the oldest gives way, and what is lost by that is said."""
    state = StateFile(str(tmp_path / "state.json"), build_log)
    with state.changing() as content:
        assert content is not None
        for number in range(MOST_WINDOWS + 5):
            content.open(KEY, Window(f"id-{number}", number))
        for number in range(MOST_PENDING + 3):
            content.add(str(number), number)
        content.record([str(number) for number in range(MOST_RECORDS + 5)])
    found = json.loads((tmp_path / "state.json").read_text(encoding="utf-8"))
    assert len(found["openWindows"]) == MOST_WINDOWS
    assert found["openWindows"][-1]["id"] == f"id-{MOST_WINDOWS + 4}"
    assert [entry["text"] for entry in found["pending"]] == [str(number) for number in range(3, MOST_PENDING + 3)]
    assert found["records"][-1] == str(MOST_RECORDS + 4)
    (warning,) = build_log.warnings
    assert "3 older ones were dropped" in warning


def test_odd_entries_are_left_out() -> None:
    """A file that someone has edited costs the odd entries and nothing else."""
    found = {
        "openWindows": [1, {"id": 5}, {"id": "x", "startedAtMs": "1", "key": []}, {"id": "good", "startedAtMs": 1, "key": list(KEY)}],
        "pending": ["text", {"text": 5}, {"text": "good", "sinceMs": "x", "claimedUntilMs": True, "failures": "y"}],
        "records": {"a": 1},
        "outages": [1],
    }
    content = Content(found, is_new=False)
    assert content.newest(KEY) == Window("good", 1)
    assert content.claim(0, 1) == [Kept("good")]
    assert content.outages == {}
    assert content.records == []


# -- files that are none -------------------------------------------------------------------------------------------------------

FOREIGN: list[tuple[bytes, str]] = [
    (b"{", "it is no JSON, or was cut off"),
    (b'{"last9State": 1, "pending": [{"te', "it is no JSON, or was cut off"),
    (b"PATH=/usr/bin\n", "it is no JSON, or was cut off"),
    (b"[" * 100_000, "it is no JSON, or was cut off"),
    (b"{}", "it was not written by last9-markers"),
    (b"[1]", "it was not written by last9-markers"),
    (b'{"last9State": 2}', "is of version 2"),
    (b'{"last9State": "1"}', "is of version '1'"),
    (b"\xff\xfe\x00\x01", "it is no text"),
]


@pytest.mark.parametrize(("content", "said"), FOREIGN)
def test_a_file_that_is_none_of_ours(tmp_path: Path, build_log: BuildLog, content: bytes, said: str) -> None:
    """A broken, foreign, older or newer file is named with the remedy, never changed, and nothing is said to be kept in it."""
    path = tmp_path / "state.json"
    path.write_bytes(content)
    state = StateFile(str(path), build_log)
    with state.changing() as found:
        assert found is None
    assert not state.saved
    (warning,) = build_log.warnings
    assert said in warning
    assert "--state" in warning
    assert path.read_bytes() == content


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.with_name("real.json").write_text('{"last9State": 1, "pending": [{"text": "theirs"}]}', encoding="utf-8")
    path.symlink_to("real.json")


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'{"last9State": 1, "pending": [')
        file.truncate(6 << 30)


def _foreign(path: Path) -> None:
    path.write_text('{"last9State": 1, "pending": [{"text": "theirs"}]}', encoding="utf-8")
    os.chown(path, 4711, 4711)


TRAPS: list[tuple[Callable[[Path], None], str]] = [
    (_folder, "not a regular file"),
    (_pipe, "not a regular file"),
    (_link, "a symbolic link"),
    (_device, "a symbolic link"),
    (_huge, "larger than 8388608 bytes"),
]
if os.geteuid() == 0:  # no one else can make a file of another user's
    TRAPS.append((_foreign, "belongs to user 4711"))


@pytest.mark.parametrize(("make", "reason"), TRAPS, ids=[make.__name__ for make, _ in TRAPS])
def test_a_trap_in_its_place(last9: FakeLast9, tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    """Anything else in its place causes no wait and is neither used nor changed: the marker goes without it, and the warning says why."""
    make(tmp_path / "state.json")
    before = os.lstat(tmp_path / "state.json")
    done = engine([*SEND, "--json"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == 0
    assert [event["attributes"]["service"] for event in last9.received()] == ["payments-api"]
    (warning,) = json.loads(done.stdout)["warnings"]
    assert f"state.json cannot be read ({reason}) and is ignored" in warning
    after = os.lstat(tmp_path / "state.json")
    assert (before.st_ino, before.st_size, before.st_mtime_ns) == (after.st_ino, after.st_size, after.st_mtime_ns)


@pytest.mark.parametrize("make", [_pipe, _link, _folder], ids=["pipe", "link", "folder"])
def test_a_trap_in_the_place_of_the_lock(last9: FakeLast9, tmp_path: Path, make: Callable[[Path], None]) -> None:
    """The same for the lock's file."""
    make(tmp_path / "state.json.lock")
    done = engine(SEND, environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == 0
    assert len(last9.received()) == 1
    assert "state file state.json cannot be written" in done.stderr


def test_secrets_stay_out_of_it(last9: FakeLast9, tmp_path: Path) -> None:
    """Neither the token nor what looks like a secret is in the file, though options hold them, and its windows are found all the same."""
    words = ["--event-name", last9.refresh_token, "--attribute", "header=Bearer abcdefgh", "--state", "state.json"]
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token}
    last9.order({"on": "any", "drop": "before"})
    # Broken off and written down as it was asked for; then composed; then delivered.
    for state in ("start", "stop"):
        engine([*SEND[:-2], *words, "--event-state", state, "--timeout-seconds", "1"], environ=environ, cwd=tmp_path)
        text = (tmp_path / "state.json").read_text(encoding="utf-8")
        assert text.count("payments-api")
        for secret in (last9.refresh_token, last9.refresh_token.split(".")[1], "abcdefgh"):
            assert secret not in text
    assert json.loads(text)["openWindows"] == []
    assert len(json.loads(text)["pending"]) == 2


def test_an_empty_file_is_a_new_one(tmp_path: Path, build_log: BuildLog) -> None:
    """``--state "$(mktemp)"`` just works."""
    (tmp_path / "state.json").write_bytes(b"")
    with StateFile(str(tmp_path / "state.json"), build_log).changing() as content:
        assert content is not None
        assert content.is_new
    assert build_log.warnings == []


@pytest.mark.parametrize("path", ["nowhere/state.json", "file/state.json", "x" * 300, "/sys/state.json"])
def test_a_path_where_nothing_can_be_written(last9: FakeLast9, tmp_path: Path, path: str) -> None:
    """The marker goes all the same, and the warning says what to do."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    words = ["send", "--service-name", "payments-api", "--state", path]
    done = engine(words, environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    assert done.code == 0
    assert len(last9.received()) == 1
    assert done.stderr.count("WARNING") == 1
    assert "that the build's user may write" in done.stderr


def test_a_full_disk(last9: FakeLast9, tmp_path: Path) -> None:
    """A write that fails half-way leaves the old content, no debris, and a marker that goes without being remembered."""
    engine([*SEND, "--event-state", "start"], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token}, cwd=tmp_path)
    before = (tmp_path / "state.json").read_bytes()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text(
        "import os\ndef fsync(descriptor):\n    raise OSError(28, 'No space left on device')\nos.fsync = fsync\n", encoding="utf-8"
    )
    root = str(Path(__file__).parents[4] / "python")
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token, "PYTHONPATH": os.pathsep.join([str(broken), root])}
    done = engine([*SEND, "--json"], environ=environ, cwd=tmp_path)
    assert "cannot be written (No space left on device)" in done.stderr
    assert json.loads(done.stdout)["kept"] == 0
    start, stop = last9.received()
    assert start["attributes"]["deployment.id"] == stop["attributes"]["deployment.id"]
    assert (tmp_path / "state.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken", "state.json", "state.json.lock"]


# -- the lock ------------------------------------------------------------------------------------------------------------------


def test_a_lock_that_is_not_given_back(tmp_path: Path, build_log: BuildLog) -> None:
    """A process that hangs with the lock causes no long wait; the content is left alone."""
    state = StateFile(str(tmp_path / "state.json"), build_log)
    state.patience_seconds = 0.05
    with locking.Lock(str(tmp_path / "state.json.lock"), 1), state.changing() as content:
        assert content is None
    (warning,) = build_log.warnings
    assert "is locked by another process" in warning
    with state.changing() as content:
        assert content is not None


def test_no_change_is_lost(tmp_path: Path, build_log: BuildLog) -> None:
    """Everybody who changes the file sees what was there: twenty writers, twenty markers."""

    def add(number: int) -> None:
        state = StateFile(str(tmp_path / "state.json"), build_log)
        state.patience_seconds = 60
        with state.changing() as content:
            assert content is not None
            content.add(str(number), number)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert StateFile(str(tmp_path / "state.json"), build_log).read().pending == [str(number) for number in range(20)]
