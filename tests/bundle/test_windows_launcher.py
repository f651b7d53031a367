"""run.bat under Wine's cmd, with the Windows build of CPython: windows.py says how far that is from a Windows agent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import SHA256, Done, Last9
from windows import LAUNCHER, SERVICE, WindowsAgent, batch_file, program, python, windows_path

pytestmark = pytest.mark.needs("wine")

HARD = "a & b (x86) ^ !v! it's ; , = zürich ✓ 🚀"
#: What cmd does by itself, without a program of Windows'.
INTERNAL = {"call", "del", "echo", "exit", "for", "goto", "if", "rem", "ren", "set", "setlocal"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, fake_last9: Last9) -> WindowsAgent:
    """A Windows agent with a hard path that has had a first marker: unpacking takes Wine eight seconds."""
    node = WindowsAgent(tmp_path_factory.mktemp("node"), fake_last9, HARD)
    done = node.batch(path=(python(),))
    assert done.answer["delivered"] is True, done
    return node


@pytest.fixture
def agent(node: WindowsAgent, last9: Last9) -> Iterator[WindowsAgent]:
    """The same agent, with nothing received and nothing left over from other tests."""
    assert node.left_over() == []
    yield node
    assert node.left_over() == []


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder on PATH, empty at first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def refused(done: Done) -> str:
    """Check the launcher's own answer and return its one warning."""
    assert done.code == 0
    (warning,) = done.answer["warnings"]
    expected = {"delivered": False, "accepted": True, "deploymentId": None, "failBuild": None, "noEngine": True}
    assert done.answer == {"last9Answer": 1, **expected, "warnings": [warning]}
    assert done.stderr == f"[Last9] WARNING: {warning}\n"
    assert "Install Python 3.9 or newer" in warning
    return str(warning)


def test_a_window_arrives_through_the_launcher(agent: WindowsAgent) -> None:
    """With any character in the path that Windows allows both markers arrive, from the unpacked engine; only bundle and cache stay."""
    first = agent.batch("start", bring=False, path=(python(),))
    second = agent.batch("stop", bring=False, path=(python(),))
    assert [first.answer["delivered"], second.answer["delivered"]] == [True, True]
    assert [first.code, second.code] == [0, 0]
    events = agent.last9.received()
    assert [(event["event_state"], event["attributes"]["service"]) for event in events] == [("start", SERVICE), ("stop", SERVICE)]
    assert first.stderr.splitlines() == [
        f"[Last9] Sending deployment marker: deployment (start) for {SERVICE}",
        "[Last9] Deployment marker sent successfully",
    ]
    assert sorted(item.name for item in agent.folder.iterdir()) == sorted([agent.bundle.name, *(cache.name for cache in agent.caches())])
    assert len(agent.caches()) == 1
    assert list(agent.caches()[0].rglob("*.pyc")) != []


def test_no_python_at_all(agent: WindowsAgent) -> None:
    """Without any interpreter there is one warning that names what was tried and the remedy, a whole answer, and nothing left behind."""
    assert "Tried: python3, python, py -3. " in refused(agent.batch(bring=True))
    assert agent.last9.requests() == []


def test_candidates_that_do_not_serve_are_passed_over_quietly(agent: WindowsAgent, path: Path) -> None:
    """Python 2.7's usage text, the Store's stub and a program that crashes leave no trace; the next one serves, here a batch file."""
    program(path / "crash.exe", "import os; print('Fatal Python error', flush=True); os._exit(-1073741819)")
    batch_file(path / "python3.bat", "echo Unknown option: -I>&2", "exit /b 2")
    batch_file(
        path / "python.bat", "echo Python was not found; run without arguments to install from the Microsoft Store>&2", "exit /b 9009"
    )
    batch_file(path / "py.bat", 'if not "%1"=="-3" exit /b 7', f'"{windows_path(python())}\\python.exe" %2 %3 %4 %5 %6 %7 %8 %9')
    done = agent.batch(path=(path,), LAST9_PYTHON=windows_path(path / "crash.exe"))
    assert done.answer["delivered"] is True
    assert all(line.startswith("[Last9] ") for line in done.stderr.splitlines()), done
    assert len(agent.last9.received()) == 1


def test_last9_python_is_data(agent: WindowsAgent, path: Path, tmp_path: Path) -> None:
    """LAST9_PYTHON may hold blanks, ampersands, exclamation marks and whatever else a path may, also with quotes around it."""
    folder = tmp_path / HARD.replace(";", "")  # Wine's search for a program's libraries stops at semicolons
    folder.symlink_to(python())
    batch_file(path / "python3.bat", f'echo ran>"{windows_path(tmp_path)}\\trace"', "exit /b 1")
    name = windows_path(folder / "python.exe")
    done = agent.batch(path=(path,), LAST9_PYTHON=f'"{name}"')
    assert done.answer["delivered"] is True
    assert not (tmp_path / "trace").exists(), "another candidate was asked"


@pytest.mark.parametrize(
    "value", ["Z:\\no where\\python.exe", 'Z:\\a" & echo pwned & "b', "& echo pwned", '"', "python & echo pwned", "nothing"]
)
def test_last9_python_that_names_nothing(value: str, agent: WindowsAgent) -> None:
    """A value that is no program is said to have been tried, and nothing in it is run or repeated."""
    warning = refused(agent.batch(LAST9_PYTHON=value))
    assert ("the program that LAST9_PYTHON names, python3" in warning) is (value != '"')
    assert "pwned" not in warning


def test_an_engine_that_breaks_later_is_not_run_again(agent: WindowsAgent, path: Path) -> None:
    """Once the request was read, a marker may be on its way: no other interpreter is tried, and the log says what ended the engine."""
    program(path / "broken.exe", "import os, sys\nif 'step' in sys.argv:\n    os.remove(sys.argv[-1])\n    sys.exit(7)")
    batch_file(path / "python3.bat", f'echo ran>"{windows_path(path)}\\trace"')
    done = agent.batch(path=(path,), LAST9_PYTHON=windows_path(path / "broken.exe"))
    assert (done.code, done.stdout, done.stderr) == (0, "", "[Last9] The engine ended with exit code 7.\n")
    assert not (path / "trace").exists()
    assert agent.bundle.exists()


def test_ten_at_once_with_a_bundle_each(agent: WindowsAgent, path: Path) -> None:
    """Ten branches on a node's first marker put one bundle in place, each finds it there and comes back; no copy stays."""
    batch_file(
        path / "python.bat",
        'if "%~3"=="-c" exit /b 0',  # the launcher's question
        'if not exist "%~5" exit /b 3',
        'if exist "%~8" echo {"last9Answer":1,"placed":true}',
    )
    whole = agent.bundle.read_bytes()
    agent.bundle.unlink()
    started = [agent.start_batch(path=(path,)) for _ in range(10)]
    for process, control in started:
        assert agent.finish(process, control).answer["placed"] is True
    assert agent.bundle.read_bytes() == whole


def test_a_bundle_that_was_cut_short(agent: WindowsAgent) -> None:
    """A bundle that no interpreter can run goes away, so that the next marker brings a whole one."""
    whole = agent.bundle.read_bytes()
    try:
        agent.bundle.write_bytes(whole[:1000])
        done = agent.batch(bring=False, path=(python(),))
        assert (done.code, done.stdout) == (0, "")
        assert done.stderr.splitlines()[-1].startswith("[Last9] The engine ended with exit code ")
        assert not agent.bundle.exists()
    finally:
        agent.bundle.write_bytes(whole)


def test_a_jenkins_without_workspace_tmp(agent: WindowsAgent, path: Path) -> None:
    """Before 2.222 there is no WORKSPACE_TMP: launcher and library then agree on the folder beside the workspace."""
    batch_file(path / "python.bat", 'if "%~3"=="-c" exit /b 0', 'if exist "%~8" echo {"last9Answer":1,"read":true}')
    assert agent.batch(path=(path,), WORKSPACE_TMP="UNSET").answer["read"] is True


def test_a_root_folder_with_slashes(agent: WindowsAgent, path: Path) -> None:
    """Where an administrator has entered the agent's folder with slashes, the same files are meant."""
    batch_file(path / "python.bat", 'if "%~3"=="-c" exit /b 0', 'if exist "%~8" echo {"last9Answer":1,"read":true}')
    agent.bundle.rename(agent.folder / "aside")
    tmp = windows_path(agent.folder.parent).replace("\\", "/")
    try:
        assert agent.batch(path=(path,), WORKSPACE_TMP=tmp).answer["read"] is True
        assert agent.bundle.exists()
    finally:
        (agent.folder / "aside").replace(agent.bundle)


def test_it_needs_no_program_of_windows() -> None:
    """A PATH that lacks even Windows' own folders does no harm: cmd itself does all there is to do."""
    words = set()
    for line in LAUNCHER.read_text("ascii").splitlines():
        words |= {word.lower() for word in line.lstrip("@").split()[:1] if not word.startswith((":", "%"))}
    assert words <= INTERNAL


def test_the_answer_is_json_whatever_was_tried() -> None:
    """Nothing that cmd would read as its own is in the one text that it puts together for the answer."""
    lines = LAUNCHER.read_text("ascii").splitlines()
    tried = [line.split("=", 1)[1].rstrip('"') for line in lines if line.startswith('set "LAST9_TRIED=')]
    (warning,) = [line.split("=", 1)[1].rstrip('"') for line in lines if line.startswith('set "LAST9_WARNING=')]
    assert len(tried) == 2
    for text in (*tried, warning.replace("%LAST9_TRIED%", "")):
        assert not set(text) & set('&|<>^%!"\\')
        json.loads(f'"{text}"')


def test_the_launcher_asks_for_the_committed_bundle(node: WindowsAgent) -> None:
    """The name that run.bat puts together is the one that the library gave the bundle."""
    assert node.bundle.name == f"last9-markers-{SHA256}.pyz"
    assert node.bundle.exists()
