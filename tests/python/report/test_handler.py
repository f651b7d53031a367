"""``last9DeploymentReport`` in the engine: files where the library looks for them, and a warning if there are none."""

from __future__ import annotations

import importlib
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from last9_markers.core.errors import DeadlineExceeded
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.report import templating
from last9_markers.report.handler import ReportHandler
from last9_markers.request.context import Context
from last9_markers.request.contract import CONTRACT, Answer, parse
from report.builds import NOON_MS, five, one
from support import ManualClock, run_step

ID = "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0007"
JENKINS = {"JOB_NAME": "payments-api/main", "BUILD_NUMBER": "42", "BUILD_URL": "https://jenkins.example.com/job/payments-api/job/main/42/"}


def _request(records: list[Any], options: dict[str, str] | None = None, **report: Any) -> dict[str, Any]:
    return {
        "contract": CONTRACT,
        "step": "last9DeploymentReport",
        "timestampMs": NOON_MS + 90_000,
        "options": options or {},
        "report": {"id": ID, "records": records, **report},
    }


def _handler(request: dict[str, Any], folder: Path | None) -> ReportHandler:
    place = {"LAST9_CACHE_DIR": str(folder)} if folder else {}
    context = Context({**JENKINS, **place}, None, ManualClock(), BuildLog(io.StringIO(), Redactor()))
    return ReportHandler(parse(json.dumps(request)), context)


def _run(request: dict[str, Any], folder: Path | None) -> Answer:
    return _handler(request, folder).run()


def test_an_unclear_yes_or_no_is_said(tmp_path: Path) -> None:
    """Unclear ``archive`` and ``summary``: the default is used, and the log says so; the report is written."""
    answer = _run(_request(one(), {"archive": "maybe", "summary": "perhaps"}), tmp_path)
    assert answer.warnings == [
        "archive must be true or false, not 'maybe'; using true.",
        "summary must be true or false, not 'perhaps'; using false.",
    ]
    assert answer.more["directory"] is not None
    assert _run(_request(one(), {"archive": "no", "summary": "ON"}), tmp_path).warnings == []


def test_the_files_and_the_answer(tmp_path: Path) -> None:
    """Four files in the folder of this step, whose name is in the answer with the headline."""
    answer = _run(_request(one()), tmp_path)
    assert answer.warnings == []
    assert answer.more["headline"] == "1 deployment: 1 succeeded"
    folder = Path(answer.more["directory"])
    assert folder == tmp_path / f"report-{ID}"
    assert sorted(path.name for path in folder.iterdir()) == sorted(answer.more["files"])
    found = json.loads((folder / "last9-deployments.json").read_text(encoding="utf-8"))
    assert found["build"] == {"name": "payments-api/main #42", "url": JENKINS["BUILD_URL"]}
    (deployment,) = found["deployments"]
    assert (deployment["start"], deployment["stop"]) == ("2026-11-24T14:02:10.000Z", "2026-11-24T14:03:13.400Z")
    assert (deployment["durationMs"], deployment["outcome"], deployment["startMarker"]) == (63_400, "success", "sent")
    assert deployment["labels"] == {"team": "payments", "change_ticket": "CHG-4711"}


def test_a_process_of_its_own(tmp_path: Path) -> None:
    """The ``step`` command finds the handler by its name, without a token, and says what it wrote."""
    done = run_step(_request(five()), None, tmp_path, environ={"LAST9_CACHE_DIR": str(tmp_path)})
    assert done.answer["directory"] == str(tmp_path / f"report-{ID}")
    assert "[Last9] Deployment report: 5 deployments: 1 succeeded" in done.stderr


def test_an_empty_build(tmp_path: Path) -> None:
    """A build without a marker gets a page that says so."""
    answer = _run(_request([]), tmp_path)
    assert answer.more["headline"] == "no deployments"
    page = (tmp_path / f"report-{ID}" / "last9-deployments.html").read_text(encoding="utf-8")
    assert "No deployment was marked" in page
    assert "No deployments" in page


def test_what_is_missing_is_said_twice(tmp_path: Path) -> None:
    """What a restart lost, what was too much and what could not be read stands in the log and on the page."""
    answer = _run(_request([*one(), "nonsense", 7], recordsLost=True, recordsDropped=3), tmp_path)
    assert [warning.split(" ")[0] for warning in answer.warnings] == ["the", "the", "1"]
    page = (tmp_path / f"report-{ID}" / "last9-deployments.html").read_text(encoding="utf-8")
    assert "<li>The controller restarted" in page
    for words in ("controller restarted", "3 earlier ones are missing", "1 of the records cannot be read"):
        assert any(words in warning for warning in answer.warnings)
        assert words in page


def test_a_misspelt_option(tmp_path: Path) -> None:
    """The report has options of its own; one that it lacks is a warning that names the nearest."""
    (warning,) = _run(_request(one(), {"sumary": "true"}), tmp_path).warnings
    assert "'summary'" in warning


@pytest.mark.skipif(os.name == "nt", reason="a file where a folder should be")
def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A temporary workspace that cannot be written is a warning with its remedy, and no exception."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    answer = _run(_request(one()), tmp_path / "file")
    (warning,) = answer.warnings
    assert "temporary workspace" in warning
    assert (answer.delivered, answer.more["directory"], answer.more["files"]) == (False, None, [])


@pytest.mark.parametrize("identity", [None, "", "../../etc", "x" * 36, ID + "/x", 7])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, identity: Any) -> None:
    """The folder's name is a UUID or there is no report."""
    answer = _run(_request(one(), id=identity), tmp_path)
    assert answer.more["directory"] is None
    assert len(answer.warnings) == 1
    assert list(tmp_path.iterdir()) == []


def test_no_place_to_write_to() -> None:
    """Without the launcher's folder there is a warning and no file anywhere."""
    answer = _run(_request(one()), None)
    assert "folder is unknown" in answer.warnings[0]


def test_abort(tmp_path: Path) -> None:
    """Where the time is over, or a defect of ours struck, the answer says so and promises no file."""
    handler = _handler(_request(one(), {"timeoutSeconds": "3"}), tmp_path)
    answer = handler.abort(DeadlineExceeded())
    assert "3 s were not enough" in answer.warnings[0]
    assert answer.more["directory"] is None
    assert handler.budget.seconds < 3


def test_left_overs_of_lost_agents_go(tmp_path: Path) -> None:
    """A folder that could not be removed is gone with the next report of another day; today's, and what is not ours, stays."""
    old, fresh, strange = (tmp_path / name for name in (f"report-{'a' * 36}", f"report-{'b' * 36}", "report-mine"))
    for folder in (old, fresh, strange):
        folder.mkdir()
        (folder / "file").write_text("x", encoding="utf-8")
    for folder in (old, strange):
        os.utime(folder, (time.time() - 90_000,) * 2)
    _run(_request(one()), tmp_path)
    assert (old.exists(), fresh.exists(), strange.exists()) == (False, True, True)


def test_the_agent_may_read_and_remove_it(tmp_path: Path) -> None:
    """Where the engine is root in a container and the folder is the agent's, the files become the agent's; else they stay ours."""
    if os.geteuid() == 0:
        os.chown(tmp_path, 12345, 12345)
    owner = tmp_path.stat().st_uid
    folder = Path(_run(_request(one()), tmp_path).more["directory"])
    assert {path.stat().st_uid for path in (folder, *folder.iterdir())} == {owner}


def test_a_marker_does_not_load_the_report() -> None:
    """What makes pages costs a plain marker nothing."""
    load = "import sys; import last9_markers.runner.send_marker, last9_markers.cli.commands.step;"
    code = f"{load} print([name for name in sys.modules if 'report' in name or 'jinja' in name])"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True)
    assert done.stdout.decode().strip() == "[]"


@pytest.mark.parametrize("module", templating.LEFT_OUT)
def test_what_jinja2_is_loaded_without_is_there_in_earnest(module: str) -> None:
    """Each name that a fake Last9 answers for is one of the real module's: a rename upstream is noticed here."""
    real = importlib.import_module(module)
    assert [name for name in templating.LEFT_OUT[module] if not hasattr(real, name)] == []
    assert real.__spec__ is not None
