"""The administrators' smoke test (examples/08), where the library does not work; where it does, the table has it."""

from __future__ import annotations

import os
import subprocess

from controller.rows import ROOT


def test_it_ends_in_ten_lines_where_nothing_works() -> None:
    """The last ten lines say what failed and why, no stack trace behind them, and the build fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LAST9_", "PIPELINE_"))}
    environment.update({"PIPELINE_LIBRARY_SANDBOXED": "1", "PIPELINE_PARAMS": '{"SEND": true}', "LAST9_API_BASE_URL": "http://127.0.0.1:9"})
    command = [str(ROOT / "tests" / "pipeline" / "run-pipeline"), str(ROOT / "examples" / "08-smoke-test.Jenkinsfile")]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    told = [line for line in ran.stdout.splitlines() if not line.startswith(("[Pipeline]", "{"))]
    assert told[-1] == "Finished: FAILURE"
    first, *checks, passed, verdict = told[-11:-1]
    assert first == "Last9 smoke test, with markers sent"
    assert len(checks) == 7
    assert all("FAILED: " in check and "there is no credential 'last9-refresh-token'" in check for check in checks)
    assert passed == "0 of 7 checks passed"
    assert verdict == "Last9 smoke test: FAILED"
