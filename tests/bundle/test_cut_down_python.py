"""Interpreters that start and lack parts of the standard library: the launcher's one probe asks for all that the engine needs."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from agents import BUNDLE, FIRST, MINIMAL_ENV, NO_INTERPRETER, ROOT, Agent, Last9, promised, pythons
from cut_down import MINIMAL, Original

PYTHON = pythons()[promised()[-1]]
ORIGINAL = Original(PYTHON)
#: What the probe looks for: whole modules, then the extensions that have to load.
ASKED = re.findall(r"[a-z_0-9]+", FIRST.split("for name in (")[1].split(").split")[0])
EXTENSIONS = ("_json", "_socket", "_ssl", "select", "zlib")

CutDown = Callable[[Iterable[str]], str]


def test_the_probe_was_read() -> None:
    """The reading of the first program has found the modules that it asks for."""
    assert len(ASKED) > 30
    assert {"json", "ssl", "zipfile"} < set(ASKED)


@pytest.fixture
def cut_down(tmp_path: Path) -> CutDown:
    """Makes a Python without some modules, and returns its path."""

    def make(lacking: Iterable[str]) -> str:
        return ORIGINAL.cut_down(tmp_path / "cut down", lacking)

    return make


def told(agent: Agent, python: str) -> str:
    """What the launcher answers where that is the only Python; the bundle has stayed."""
    agent.place_bundle()
    done = agent.launch([str(shutil.which("sh"))], bring=False, PATH=str(Path(python).parent))
    assert done.code == NO_INTERPRETER, done
    (warning,) = done.answer["warnings"]
    assert done.stderr == "", "the library says it, as it knows the marker"
    assert agent.last9.requests() == []
    assert agent.bundle.read_bytes() == BUNDLE.read_bytes()
    return str(warning)


def test_the_whole_library_serves(cut_down: CutDown, agent: Agent) -> None:
    """The copy as such is a Python like another, so what the tests below see comes from what they take away."""
    assert agent.launch(["sh"], LAST9_PYTHON=cut_down([])).delivered


def test_debians_python3_minimal(cut_down: CutDown, agent: Agent) -> None:
    """On an image with python3-minimal the warning names a module that is missing and the package that brings it, with no traceback."""
    warning = told(agent, cut_down(ORIGINAL.beyond_minimal()))
    assert re.search(r"python3 \(it lacks the module \w+\)", warning)
    assert "the package python3; python3-minimal lacks modules" in warning


@pytest.fixture
def broken(cut_down: CutDown) -> Callable[[str, str], str]:
    """Makes a Python with a module that raises something when it is imported, and returns its path."""

    def make(module: str, raised: str) -> str:
        python = Path(cut_down([module]))
        (python.parent.parent / "lib" / ORIGINAL.library.name / f"{module}.py").write_text(f"raise {raised}\n", "utf-8")
        return str(python)

    return make


@pytest.mark.parametrize("way", ["launcher", "bundle"])
@pytest.mark.parametrize("raised", ["RuntimeError('broken')", "SystemExit(0)"])
@pytest.mark.parametrize("module", ["json", "argparse", "socket", "threading", "urllib"])
def test_window_runs_its_command_on_a_broken_python(
    module: str, raised: str, way: str, broken: Callable[[str, str], str], last9: Last9
) -> None:
    """If the import of its own modules raises anything, the command runs once, with its own exit code, streams and environment."""
    python = broken(module, raised)
    program = [str(ROOT / "examples" / "freestyle" / "last9-markers")] if way == "launcher" else [python, str(BUNDLE)]
    script = 'echo "deployed ${LAST9_REFRESH_TOKEN-without the token}"; exit 7'
    environ = {**MINIMAL_ENV, "LAST9_PYTHON": python, "LAST9_REFRESH_TOKEN": last9.token, "LAST9_API_BASE_URL": last9.url}
    window = [*program, "window", "--service-name", "s", "--", "sh", "-c", script]
    done = subprocess.run(window, capture_output=True, text=True, env=environ, check=False)
    assert (done.returncode, done.stdout) == (7, "deployed without the token\n"), done
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"[Last9] WARNING: no deployment marker was sent: {python} cannot load the program (")
    assert last9.requests() == []


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["window", "--fail-on-error", "--", "true"], 1),
        (["window", "--", "sh", "-c", "kill -TERM $$"], 143),
        (["window", "--", "/no/such/command"], 127),
        (["window", "--", "/etc/passwd"], 126),
        (["window", "--service-name", "s"], 2),
        (["send", "--service-name", "s"], 0),
        (["send", "--service-name", "s", "--fail-on-error"], 1),
        (["check"], 97),
    ],
)
def test_exit_codes_on_a_broken_python(arguments: list[str], code: int, broken: Callable[[str, str], str]) -> None:
    """They are those of the launcher if there is no Python at all."""
    python = broken("json", "SystemExit(0)")
    done = subprocess.run([python, str(BUNDLE), *arguments], capture_output=True, text=True, env=MINIMAL_ENV, check=False)
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("module", ["json", "re", "enum"])
def test_a_marker_passes_over_a_broken_python(module: str, broken: Callable[[str, str], str], agent: Agent) -> None:
    """The next interpreter sends it, and a line without a traceback tells of the first one."""
    python = broken(module, "RuntimeError('broken')")
    done = agent.launch(["sh"], LAST9_PYTHON=python)
    assert done.answer["delivered"] is True
    assert f"[Last9] {python} cannot load the program (RuntimeError: broken)" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(agent.last9.received()) == 1


@pytest.mark.parametrize("module", [name for name in (*ASKED, *EXTENSIONS) if name not in ORIGINAL.built_in])
def test_each_module_is_asked_for(module: str, cut_down: CutDown) -> None:
    """If a module is missing, the probe ends with 97 and names it, or the one of which it is a part."""
    python = cut_down([module])
    done = subprocess.run([python, "-I", "-S", "-c", FIRST], capture_output=True, text=True, env=MINIMAL_ENV, check=False)
    assert done.returncode == 97, done
    assert done.stdout == f"it lacks the module {module}"
    assert done.stderr == ""


def test_the_probe_asks_for_all_that_the_engine_imports() -> None:
    """Each module of the standard library that our code imports is asked for, stands in every minimal Python, or is built in."""
    imported: set[str] = set()
    with zipfile.ZipFile(BUNDLE) as opened:
        for name in opened.namelist():
            if name.startswith("last9_markers/") and name.endswith(".py"):
                for node in ast.walk(ast.parse(opened.read(name))):
                    if isinstance(node, ast.Import):
                        imported |= {alias.name.split(".")[0] for alias in node.names}
                    elif isinstance(node, ast.ImportFrom) and not node.level:
                        imported.add(str(node.module).split(".")[0])
    assert "json" in imported
    elsewhere = {"winreg", "msvcrt", "ctypes"}  # on Windows alone
    elsewhere |= {"fcntl", "math"}  # built into Debian's program, files in other builds, and a package of their own nowhere
    assert sorted((imported & ORIGINAL.modules) - ORIGINAL.built_in - set(ASKED) - set(EXTENSIONS) - MINIMAL - elsewhere) == []
