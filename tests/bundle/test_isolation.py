"""Nothing of the agent's own Python set-up gets into the engine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from agents import BUNDLE, Agent, promised, pythons

HOSTILE = "open({trace!r}, 'a').write(__name__ + chr(10)); raise RuntimeError('a stranger was imported')\n"
MODULES = ("json", "ssl", "typing", "httpx/__init__", "sitecustomize", "usercustomize", "last9_markers/__init__", "last9_content", "anyio")


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
@pytest.mark.parametrize("cached", [True, False], ids=["unpacked", "zip"])
def test_the_launchers_way_imports_no_stranger(version: str, cached: bool, agent: Agent, hostile: Path, tmp_path: Path) -> None:
    """With -I -S, modules in the working directory, PYTHONPATH, a start-up file and a wrong PYTHONHOME change nothing."""
    agent.environment = {
        "PYTHONPATH": str(hostile),
        "PYTHONSTARTUP": str(hostile / "json.py"),
        "PYTHONHOME": str(hostile),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "elsewhere"),
        "PYTHONWARNINGS": "error",
    }
    assert agent.step(pythons()[version], cached=cached, cwd=hostile).answer["delivered"] is True
    assert not (tmp_path / "trace").exists()
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("version", promised())
def test_without_the_flags_the_bundle_sets_them_itself(version: str, agent: Agent, hostile: Path, tmp_path: Path) -> None:
    """A person who types `python3 last9-markers.pyz` gets no stranger's httpx either; only Python's own start-up can be fooled."""
    for name in ("json.py", "ssl.py", "typing.py", "sitecustomize.py", "usercustomize.py"):
        (hostile / name).unlink()  # Python itself would trip over these before it reads the bundle
    command = [pythons()[version], str(BUNDLE), "step", "--request", str(agent.request())]
    environ = agent.environ({"PYTHONPATH": str(hostile)})
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=hostile, check=False)
    assert '"delivered":true' in done.stdout
    assert not (tmp_path / "trace").exists()


def test_nothing_is_written_where_nobody_named_a_folder(agent: Agent, tmp_path: Path) -> None:
    """Without LAST9_CACHE_DIR the engine runs from the zip and leaves no file behind."""
    python = pythons()[promised()[0]]
    agent.place_bundle()
    before = sorted(tmp_path.rglob("*"))
    assert agent.step(python, cached=False, cwd=tmp_path).answer["delivered"] is True
    assert sorted(tmp_path.rglob("*")) == before
