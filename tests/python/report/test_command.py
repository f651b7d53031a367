"""``last9-markers report``: the page from a shell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from last9_markers.fake_server import FakeLast9
from report.builds import five
from support import StepResult, engine

FILES = ["last9-deployments.css", "last9-deployments.html", "last9-deployments.json", "last9-deployments.md"]


def _report(state: Path, output: Path, *arguments: str) -> StepResult:
    environ = {"JOB_NAME": "payments-api", "BUILD_NUMBER": "42"}
    return engine(["report", "--state", str(state), "--output", str(output), *arguments], environ=environ, cwd=state.parent)


def test_what_send_has_left(last9: FakeLast9, tmp_path: Path) -> None:
    """A start and a stop that share a state file are one bar of the page that the file makes."""
    state = tmp_path / "state.json"
    environ = {"LAST9_REFRESH_TOKEN": last9.refresh_token}
    for arguments in (["--event-state", "start"], ["--result", "SUCCESS"]):
        sent = engine(["send", "--service-name", "payments-api", "--state", str(state), *arguments], environ=environ, cwd=tmp_path)
        assert sent.code == 0, sent.stderr
    done = _report(state, tmp_path / "new" / "folder")
    assert done.code == 0
    assert "Deployment report: 1 deployment: 1 succeeded" in done.stderr
    assert str(tmp_path / "new" / "folder" / "last9-deployments.html") in done.stderr
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == FILES
    found = json.loads((tmp_path / "new" / "folder" / "last9-deployments.json").read_text(encoding="utf-8"))
    starts = [event["timestamp"] for event in last9.received()]
    assert [(one["start"], one["stop"]) for one in found["deployments"]] == [tuple(starts)]
    assert found["build"] == {"name": "payments-api #42"}


def test_for_programs(tmp_path: Path) -> None:
    """With ``--json`` stdout has one object, and with ``--quiet`` nothing else is said; twice is as good as once."""
    state = tmp_path / "state.json"
    state.write_text(json.dumps({"last9State": 1, "records": five()}), encoding="utf-8")
    for _ in range(2):
        done = _report(state, tmp_path / "out", "--json", "--quiet")
        assert (done.code, done.stderr) == (0, "")
        found = json.loads(done.stdout)
        assert (found["written"], found["directory"], sorted(found["files"])) == (True, str(tmp_path / "out"), FILES)
        assert found["headline"].startswith("5 deployments")
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is none"),
        ("no json", "no JSON"),
        ('{"other": 1}', "not written by last9-markers"),
        ('{"last9State": 99}', "99"),
    ],
)
def test_a_state_file_that_is_none(tmp_path: Path, content: str | None, words: str) -> None:
    """What is not a state file is a warning and exit code 1, and nothing is written."""
    state = tmp_path / "state.json"
    if content is not None:
        state.write_text(content, encoding="utf-8")
    done = _report(state, tmp_path / "out", "--json")
    assert done.code == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["written"] is False
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    """If nothing can be written the warning names the folder and what to do."""
    state = tmp_path / "state.json"
    state.write_text('{"last9State": 1}', encoding="utf-8")
    done = _report(state, state / "below")
    assert done.code == 1
    assert "--output" in done.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["--state", "x"], ["--output", "x"], ["--state", "x", "--outptu", "y"], ["--state", "x", "--output", "y", "z"]]
)
def test_wrong_arguments(tmp_path: Path, arguments: list[str]) -> None:
    """What cannot be read is answered with the usage, and exit code 2."""
    done = engine(["report", *arguments], cwd=tmp_path)
    assert done.code == 2
    assert "last9-markers report" in done.stderr
    assert list(tmp_path.iterdir()) == []
