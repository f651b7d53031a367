"""`window` out of the bundle: small while the command runs, and with a stop, even if the command changes the bundle."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from agents import BUNDLE, MINIMAL_ENV, Last9, promised, pythons

OPTIONS = ["window", "--service-name", "payments-api", "--"]


def _window(python: str, bundle: Path, script: str, last9: Last9, folder: Path) -> subprocess.Popen[str]:
    environ = {**MINIMAL_ENV, "LAST9_REFRESH_TOKEN": last9.token, "LAST9_TIMEOUT_SECONDS": "60", "TMPDIR": str(folder)}
    return subprocess.Popen(
        [python, str(bundle), *OPTIONS, "sh", "-c", script],
        env=environ,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _states(last9: Last9) -> list[str]:
    return [event["event_state"] for event in last9.received()]


@pytest.mark.parametrize("version", promised())
def test_an_idle_window_is_small(version: str, last9: Last9, tmp_path: Path) -> None:
    """While the command runs it takes less than 30 MB, out of the zip file and started without -I -S as people do."""
    process = _window(pythons()[version], BUNDLE, "grep VmRSS /proc/$PPID/status; exit 3", last9, tmp_path)
    said, log = process.communicate(timeout=240)
    assert process.returncode == 3, log
    assert int(said.split()[1]) < 30_000
    assert _states(last9) == ["start", "stop"]


@pytest.mark.parametrize(
    "harm",
    [
        "rm bundle.pyz",
        "echo another > bundle.pyz",
        "rm bundle.pyz && mkdir bundle.pyz",
        "cp bundle.pyz new && echo >> new && mv new bundle.pyz",
    ],
)
def test_a_bundle_that_the_command_harms(harm: str, last9: Last9, tmp_path: Path) -> None:
    """A deploy that cleans the workspace or updates the bundle does not cost the stop, and no copy is left behind."""
    bundle = tmp_path / "bundle.pyz"
    shutil.copy(BUNDLE, bundle)
    process = _window(pythons()[promised()[-1]], bundle, f"{harm}; exit 4", last9, tmp_path)
    _, log = process.communicate(timeout=240)
    assert process.returncode == 4, log
    assert _states(last9) == ["start", "stop"]
    assert "WARNING" not in log
    assert {path.name for path in tmp_path.iterdir()} <= {"bundle.pyz"}
