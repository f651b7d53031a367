"""run.bat under Wine's cmd, with the Windows build of CPython: windows.py says how far that is from a Windows agent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import ANSWERED, BUNDLE, NO_BUNDLE, NO_INTERPRETER, Done, Last9
from windows import LAUNCHER, SERVICE, WindowsAgent, batch_file, program, python, windows_path

pytestmark = pytest.mark.needs("wine")

HARD = "a & b (x86) ^ !v! it's ; , = zürich ✓ 🚀"
#: What cmd does by itself, without a program of Windows'.
INTERNAL = {"call", "del", "echo", "exit", "for", "goto", "if", "rem", "ren", "set", "setlocal", "endlocal"}


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, fake_last9: Last9) -> WindowsAgent:
    """A Windows agent with a hard path that has had a first marker."""
    node = WindowsAgent(tmp_path_factory.mktemp("node"), fake_last9, HARD)
    assert node.batch(path=(python(),)).delivered
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
    assert done.code == NO_INTERPRETER, done
    (warning,) = done.answer["warnings"]
    expected = {"delivered": False, "accepted": True, "deploymentId": None, "failBuild": None, "noEngine": True}
    assert done.answer == {"last9Answer": 2, **expected, "warnings": [warning]}
    assert done.stderr == "", "the library says it, as it knows the marker"
    assert "Install Python 3.9 or newer" in warning
    return str(warning)


def passing_on(path: Path, name: str, taken: int = 1) -> None:
    """A program that is Python under another name, after some arguments of its own."""
    real = windows_path(python() / "python.exe")
    program(path / name, f"import subprocess, sys\nsys.exit(subprocess.call([r'{real}', *sys.argv[{taken}:]]))")


def test_a_window_arrives_through_the_launcher(agent: WindowsAgent) -> None:
    """With any character in the path that Windows allows both markers arrive, the second from the code file; nothing else stays."""
    first = agent.batch("start", bring=False, path=(python(),))
    second = agent.batch("stop", bring=False, path=(python(),))
    assert [first.code, second.code] == [ANSWERED, ANSWERED]
    assert [first.delivered, second.delivered] == [True, True]
    events = agent.last9.received()
    assert [(event["event_state"], event["attributes"]["service"]) for event in events] == [("start", SERVICE), ("stop", SERVICE)]
    assert first.stderr.splitlines() == [
        f"[Last9] Sending deployment marker: deployment (start) for {SERVICE}",
        "[Last9] Deployment marker sent successfully",
    ]
    assert agent.code != "-"
    assert f"code-{agent.code}.bin" in [path.name for path in agent.codes()]
    assert {item.name[:5] for item in agent.folder.iterdir()} == {"last9", "code-", "run-0"}


def test_no_python_at_all(agent: WindowsAgent) -> None:
    """Without any interpreter there is one warning that names what was tried and the remedy, a whole answer, and nothing left behind."""
    assert "Tried: python3 (not found), python (not found), py -3 (not found). " in refused(agent.batch())
    assert agent.last9.requests() == []


def test_candidates_that_do_not_serve_are_passed_over_quietly(agent: WindowsAgent, path: Path) -> None:
    """Python 2.7, the Store's stub and a program that crashes leave no trace; one that LAST9_PYTHON names is reported."""
    program(path / "crash.exe", "import os; print('Fatal Python error', flush=True); os._exit(-1073741819)")
    program(path / "python3.exe", "import sys; print('Unknown option: -I', file=sys.stderr); sys.exit(2)")
    program(
        path / "python.exe", "import sys; print('Python was not found; install from the Microsoft Store', file=sys.stderr); sys.exit(9009)"
    )
    passing_on(path, "py.exe", taken=2)
    done = agent.batch(path=(path,), LAST9_PYTHON=windows_path(path / "crash.exe"))
    assert done.answer["delivered"] is True
    named = "[Last9] WARNING: LAST9_PYTHON is ignored: it does not serve (exit code -1073741819)."
    assert [line for line in done.stderr.splitlines() if not line.startswith("[Last9] ") or "WARNING" in line] == [named]
    assert len(agent.last9.received()) == 1


def test_each_candidate_is_told_with_its_reason(agent: WindowsAgent, path: Path) -> None:
    """If none serves, the warning says of each why not; what one says of itself can do no harm to the answer."""
    program(
        path / "python3.exe",
        "import os; os.write(1, b'it lacks the module \"json\" & C:' + bytes([92]) + b'x.' + bytes([13, 10])); os._exit(97)",
    )
    program(path / "python.exe", "import os; os._exit(2)")
    warning = refused(agent.batch(path=(path,)))
    assert "Tried: python3 (it lacks the module json & C:/x.), python (too old), py -3 (not found). " in warning


def test_a_batch_file_that_stands_for_python(agent: WindowsAgent, path: Path) -> None:
    """A candidate like pyenv's is used if no program is found; of Wine's `call`, and not of Windows', 1 comes back for every code but 0."""
    batch_file(path / "python3.bat", f'"{windows_path(python())}\\python.exe" %*')
    done = agent.batch(path=(path,))
    assert done.code in (ANSWERED, 1)
    assert done.written is not None
    assert json.loads(done.written)["delivered"] is True
    assert len(agent.last9.received()) == 1


def test_last9_python_is_data(agent: WindowsAgent, path: Path, tmp_path: Path) -> None:
    """LAST9_PYTHON may hold blanks, ampersands, exclamation marks and all other characters of a path, also with quotes around it."""
    folder = tmp_path / HARD.replace(";", "")  # Wine's search for a program's libraries stops at semicolons
    folder.symlink_to(python())
    program(path / "python3.exe", f"open(r'{windows_path(tmp_path / 'trace')}', 'a')")
    name = windows_path(folder / "python.exe")
    assert agent.batch(path=(path,), LAST9_PYTHON=f'"{name}"').delivered
    assert not (tmp_path / "trace").exists(), "another candidate was asked"


@pytest.mark.parametrize(
    "value",
    ["Z:\\no where\\python.exe", 'Z:\\a" & echo pwned & "b', "& echo pwned", '"', "python & echo pwned", "nothing", "a\\python.exe"],
)
def test_last9_python_that_names_nothing(value: str, agent: WindowsAgent) -> None:
    """A value that is not a program is said to have been tried, and nothing in it is run or repeated."""
    warning = refused(agent.batch(bring=False, LAST9_PYTHON=value))
    assert ("the program that LAST9_PYTHON names (not found), python3" in warning) is (value != '"')
    assert "pwned" not in warning


def test_last9_python_of_a_starter_is_not_run(agent: WindowsAgent, path: Path, tmp_path: Path) -> None:
    """Where a build parameter may have set LAST9_PYTHON, it is not run, and one line says so."""
    program(path / "theirs.exe", f"open(r'{windows_path(tmp_path / 'trace')}', 'a')")
    done = agent.batch(bring=False, path=(python(),), chosen="no", LAST9_PYTHON=windows_path(path / "theirs.exe"))
    assert done.answer["delivered"] is True
    assert "[Last9] WARNING: LAST9_PYTHON is ignored: a build parameter may have set it.\n" in done.stderr
    assert not (tmp_path / "trace").exists()


def test_a_checkout_chooses_no_interpreter(agent: WindowsAgent, tmp_path: Path) -> None:
    """What lies in the workspace, below it, in the run's folder or where PATH has a relative path is not run."""
    below = agent.workspace / "tools" / "bin"
    below.mkdir(parents=True)
    for folder in (agent.workspace, below, agent.slot):
        program(folder / "python3.exe", f"open(r'{windows_path(tmp_path / 'trace')}', 'a')")
    entries = [windows_path(below), windows_path(agent.workspace), ".", "..\\..\\..\\" + agent.workspace.name]
    batch = agent.start_batch(bring=False, path=(python(),), PREPENDED=";".join(entries))
    assert agent.finish(*batch).delivered
    assert not (tmp_path / "trace").exists()
    (agent.slot / "python3.exe").unlink()


def test_an_engine_that_breaks_later_is_not_run_again(agent: WindowsAgent, path: Path) -> None:
    """Once the request was read, a marker may be on its way: no other interpreter is tried, and the log says what ended the engine."""
    program(path / "broken.exe", "import os, sys\nif 'step' in sys.argv:\n    os.remove(sys.argv[-3])\n    sys.exit(7)")
    program(path / "python3.exe", f"open(r'{windows_path(path / 'trace')}', 'a')")
    done = agent.batch(bring=False, path=(path,), LAST9_PYTHON=windows_path(path / "broken.exe"))
    assert (done.code, done.stdout, done.written) == (7, "", None)
    assert (
        done.stderr
        == "[Last9] WARNING: the engine ended with exit code 7, so it is not known whether Last9 has this marker. See the lines above.\n"
    )
    assert not (path / "trace").exists()
    assert agent.bundle.exists()


def test_an_engine_that_pretends_success_is_no_success(agent: WindowsAgent, path: Path) -> None:
    """For Jenkins 0 is success even of a step that was interrupted: the status is another."""
    program(path / "python3.exe", "")
    assert agent.batch(bring=False, path=(path,)).code == 70


def test_a_damaged_bundle_heals(agent: WindowsAgent) -> None:
    """A bundle with one other byte is not run and is called by its name; with the next try a good one takes its place."""
    whole = agent.bundle.read_bytes()
    agent.bundle.write_bytes(whole[:300_000] + b"\0" + whole[300_001:])
    done = agent.batch(bring=False, path=(python(),))
    assert (done.code, done.written) == (NO_BUNDLE, None)
    assert done.stderr.replace("\\", "/") == f"[Last9] ../{agent.bundle.name} is damaged\n"
    assert agent.last9.requests() == []
    for request in agent.slot.iterdir():
        request.unlink()
    assert agent.batch(path=(python(),)).delivered
    assert agent.bundle.read_bytes() == whole


def test_four_at_once_with_a_bundle_each(node: WindowsAgent, agent: WindowsAgent) -> None:
    """Branches on a node's first marker put one bundle in place, though Windows replaces no file that is open; no copy stays."""
    agent.bundle.unlink()
    slots = []
    for number in range(4):
        other = WindowsAgent.__new__(WindowsAgent)
        other.__dict__.update({**agent.__dict__, "slot": agent.folder / f"run-1-{number}", "code": "-"})
        other.slot.mkdir()
        slots.append(other)
    started = [(one, one.start_batch(path=(python(),))) for one in slots]
    assert [one.finish(*start).answer["delivered"] for one, start in started] == [True] * 4
    assert agent.bundle.read_bytes() == BUNDLE.read_bytes()
    assert [name for one in slots for name in one.left_over()] == []
    for one in slots:
        one.slot.rmdir()


def test_it_needs_no_program_of_windows() -> None:
    """A PATH that lacks even Windows' own folders does no harm: cmd itself does all there is to do."""
    words = set()
    for line in LAUNCHER.read_text("ascii").splitlines():
        words |= {word.lower() for word in line.lstrip("@").split()[:1] if not word.startswith((":", "%", ">", ")"))}
    assert words <= INTERNAL
