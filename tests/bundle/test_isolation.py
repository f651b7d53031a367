"""Nothing of the agent's own Python set-up gets into the engine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from agents import BUNDLE, Agent, promised, pythons

HOSTILE = "open({trace!r}, 'a').write(__name__ + chr(10)); raise RuntimeError('a stranger was imported')\n"
MODULES = ("json", "ssl", "typing", "httpx/__init__", "sitecustomize", "usercustomize", "last9_markers/__init__", "last9_keeping", "anyio")


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder of modules that leave a trace when they are imported."""
    folder = tmp_path / "hostile"
    for module in MODULES:
        path = folder / f"{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(HOSTILE.format(trace=str(tmp_path / "trace")), encoding="utf-8")
    return folder


@pytest.mark.parametrize("version", promised())
def test_the_launchers_way_imports_no_stranger(version: str, agent: Agent, hostile: Path, tmp_path: Path) -> None:
    """With -I -S, modules in the working directory, PYTHONPATH, a start-up file and a wrong PYTHONHOME change nothing."""
    agent.environment = {
        "PYTHONPATH": str(hostile),
        "PYTHONSTARTUP": str(hostile / "json.py"),
        "PYTHONHOME": str(hostile),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "elsewhere"),
        "PYTHONWARNINGS": "error",
    }
    for path in sorted(hostile.rglob("*.py")):
        target = agent.slot / path.relative_to(hostile)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)
    assert agent.step(pythons()[version]).delivered
    assert agent.step(pythons()[version], "stop").delivered  # from the code file
    assert not (tmp_path / "trace").exists()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("version", promised())
def test_without_the_flags_the_bundle_sets_them_itself(version: str, agent: Agent, hostile: Path, tmp_path: Path) -> None:
    """A person who types `python3 last9-markers.pyz` gets no stranger's httpx either; only Python's own start-up can be fooled."""
    for name in ("json.py", "ssl.py", "typing.py", "sitecustomize.py", "usercustomize.py"):
        (hostile / name).unlink()  # Python itself would trip over these before it reads the bundle
    done = _typed(pythons()[version], agent, hostile, PYTHONPATH=str(hostile))
    assert done.returncode == 0, done.stderr
    assert len(agent.last9.received()) == 1
    assert not (tmp_path / "trace").exists()


def _typed(python: str, agent: Agent, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Send a marker as a person does: `python3 last9-markers.pyz send …`."""
    words = ["send", "--service-name", "payments-api", "--api-base-url", agent.last9.url]
    environment = agent.environ(environ)
    return subprocess.run([python, str(BUNDLE), *words], capture_output=True, text=True, env=environment, cwd=folder, check=False)


def test_the_command_line_writes_nothing(agent: Agent, tmp_path: Path) -> None:
    """Started from the zip the engine keeps no code, and leaves no file behind."""
    before = sorted(tmp_path.rglob("*"))
    assert _typed(pythons()[promised()[0]], agent, tmp_path).returncode == 0
    assert len(agent.last9.received()) == 1
    assert sorted(tmp_path.rglob("*")) == before
