"""Interpreters that start and lack parts of the standard library: the launcher's one probe asks for all that the engine needs.

It is a real Python with less: its program, and a folder of links to a part of its library.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from agents import BUNDLE, FIRST, MINIMAL_ENV, NO_INTERPRETER, Agent, promised, pythons

PYTHON = pythons()[promised()[-1]]
_FACTS = "import sys, sysconfig; print(sysconfig.get_path('stdlib')); print(*sys.builtin_module_names)"
_SAID = subprocess.run([PYTHON, "-I", "-c", _FACTS], capture_output=True, text=True, check=True).stdout.splitlines()
LIBRARY, BUILT_IN = Path(_SAID[0]), set(_SAID[1].split())
KNOWN = {path.name.split(".")[0] for path in (*LIBRARY.iterdir(), *(LIBRARY / "lib-dynload").iterdir())} - {"site-packages"}
_DEBIANS = (
    "__future__ _collections_abc _compat_pickle _py_abc _sitebuiltins _strptime _threading_local _weakrefset abc argparse ast "
    "base64 bisect calendar codecs collections compileall configparser contextlib copy copyreg csv datetime dis email "
    "encodings enum filecmp fnmatch functools genericpath getopt glob hashlib heapq imp importlib inspect io ipaddress "
    "keyword lib-dynload linecache locale logging opcode operator optparse os pathlib pickle pkgutil platform posixpath "
    "py_compile quopri random re reprlib runpy selectors signal site socket sre_compile sre_constants sre_parse ssl stat "
    "string stringprep struct subprocess sysconfig tempfile textwrap threading token tokenize traceback tracemalloc types "
    "typing urllib uu warnings weakref zipfile zipimport"
)
#: Debian 12's libpython3.11-minimal: what an image with python3-minimal has.
MINIMAL = set(_DEBIANS.split())
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
        lacking = set(lacking)
        there = tmp_path / "cut down" / "lib" / LIBRARY.name
        (there / "lib-dynload").mkdir(parents=True)
        for path in (*LIBRARY.iterdir(), *(LIBRARY / "lib-dynload").iterdir()):
            if path.name.split(".")[0] not in lacking | {"lib-dynload", "site-packages", "__pycache__"}:
                (there / path.relative_to(LIBRARY)).symlink_to(path)
        program = tmp_path / "cut down" / "bin" / "python3"
        program.parent.mkdir()
        shutil.copy(Path(PYTHON).resolve(), program)
        return str(program)

    return make


def told(agent: Agent, python: str) -> str:
    """The launcher's warning where that is the only Python; the bundle has stayed."""
    agent.place_bundle()
    done = agent.launch([str(shutil.which("sh"))], bring=False, PATH=str(Path(python).parent))
    assert done.code == NO_INTERPRETER, done
    (warning,) = done.answer["warnings"]
    assert done.stderr == f"[Last9] WARNING: {warning}\n"
    assert agent.last9.requests() == []
    assert agent.bundle.read_bytes() == BUNDLE.read_bytes()
    return str(warning)


def test_the_whole_library_serves(cut_down: CutDown, agent: Agent) -> None:
    """The copy as such is a Python like another, so what the tests below see comes from what they take away."""
    assert agent.launch(["sh"], LAST9_PYTHON=cut_down([])).delivered


def test_debians_python3_minimal(cut_down: CutDown, agent: Agent) -> None:
    """On an image with python3-minimal the warning names a module that is missing and the package that brings it, with no traceback."""
    warning = told(agent, cut_down({path.name.split(".")[0] for path in LIBRARY.iterdir()} - MINIMAL))
    assert re.search(r"python3 \(it lacks the module \w+\)", warning)
    assert "the package python3; python3-minimal lacks modules" in warning


@pytest.mark.parametrize("module", [name for name in (*ASKED, *EXTENSIONS) if name not in BUILT_IN])
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
    assert sorted((imported & KNOWN) - BUILT_IN - set(ASKED) - set(EXTENSIONS) - MINIMAL - elsewhere) == []
