"""`pip install .`: the same program under the name `last9-markers`."""

from __future__ import annotations

import os
import shutil
import site
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import ROOT
from last9_markers import __version__
from last9_markers.fake_server import FakeLast9


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, installed without a network: a wheel built by this environment's setuptools, its packages for the dependencies."""
    folder = tmp_path_factory.mktemp("installed")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "python", source / "python", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    environment = folder / "environment"
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    offline = ["--no-deps", "--no-index", "--disable-pip-version-check", "--quiet"]
    wheels = folder / "wheels"
    built = ["wheel", *offline, "--no-build-isolation", "--wheel-dir", str(wheels), str(source)]
    subprocess.run([sys.executable, "-m", "pip", *built], check=True, timeout=300)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", *offline, *map(str, wheels.iterdir())], check=True, timeout=300
    )
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()) + "\n", encoding="utf-8")
    return environment / "bin" / "last9-markers"


@pytest.fixture
def last9() -> Iterator[FakeLast9]:
    """A fake Last9."""
    with FakeLast9() as fake_last9:
        yield fake_last9


def _run(program: Path, words: list[str], folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    surroundings = {"PATH": os.environ["PATH"], **environ}
    return subprocess.run([str(program), *words], env=surroundings, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_it_is_the_same_program(program: Path, last9: FakeLast9, tmp_path: Path) -> None:
    """Version, help, a marker, a window that starts the program again, a report with its template: all from the package."""
    # What happens to lie in the working directory is not taken for ours.
    (tmp_path / "last9_markers").mkdir()
    (tmp_path / "last9_markers" / "__init__.py").write_text("raise SystemExit('the wrong one')", encoding="utf-8")
    token = {"LAST9_REFRESH_TOKEN": last9.refresh_token}
    assert _run(program, ["--version"], tmp_path).stdout == f"last9-markers {__version__}\n"
    assert "usage: last9-markers window" in _run(program, ["window", "--help"], tmp_path).stdout
    marker = ["--service-name", "payments-api", "--state", "state.json"]
    sent = _run(program, ["send", *marker], tmp_path, **token)
    assert (sent.returncode, "WARNING" in sent.stderr) == (0, False), sent.stderr
    ran = _run(program, ["window", *marker, "--", "sh", "-c", "echo ran; exit 3"], tmp_path, **token)
    assert (ran.returncode, ran.stdout) == (3, "ran\n"), ran.stderr
    assert [event["event_state"] for event in last9.received()] == ["stop", "start", "stop"]
    reported = _run(program, ["report", "--state", "state.json", "--output", "page"], tmp_path)
    assert reported.returncode == 0, reported.stderr
    assert "payments-api" in (tmp_path / "page" / "last9-deployments.html").read_text(encoding="utf-8")
