"""The committed bundle on every Python at hand."""

from __future__ import annotations

import subprocess
import zipfile

import pytest
from agents import BUNDLE, FIRST, MINIMAL_ENV, TOO_OLD, WINDOW, Agent, promised, pythons

ATTRIBUTES = {"service_name": "payments-api", "deployment_environment": "production", "deployment.id": WINDOW}


def test_there_is_a_python_to_try() -> None:
    """Without an interpreter the tests of this file would pass by being none."""
    assert promised()


@pytest.mark.parametrize("version", promised())
@pytest.mark.parametrize("kept", [True, False], ids=["code kept", "nothing kept"])
def test_a_window_arrives(version: str, kept: bool, agent: Agent) -> None:
    """A start and a stop reach Last9 with the window's id; the stop runs the code that the start has kept, or compiles it."""
    done = [agent.step(pythons()[version], state, code=None if kept else "-") for state in ("start", "stop")]
    assert [one.delivered for one in done] == [True, True]
    received = agent.last9.received()
    assert [event["event_state"] for event in received] == ["start", "stop"]
    for event in received:
        assert {name: event["attributes"][name] for name in ATTRIBUTES} == ATTRIBUTES
    assert len(agent.codes()) in (1, 2), "a stop that needs more code than a start writes it to a file of its own"
    assert agent.left_over() == []


@pytest.mark.parametrize("version", promised())
def test_every_module_of_the_bundle_can_be_imported(version: str) -> None:
    """No file that was left out is missed by one that was not; httpx and jinja2 are loaded as the engine loads them."""
    with zipfile.ZipFile(BUNDLE) as archive:
        names = [name[:-3].replace("/", ".") for name in archive.namelist() if name.endswith(".py")]
    loading = ["last9_markers.client.lean_httpx", "last9_markers.report.templating"]
    modules = [*loading, *(name.removesuffix(".__init__") for name in names if not name.endswith("__main__"))]
    code = f"import sys, importlib\nsys.path.insert(0, {str(BUNDLE)!r})\nfor name in {modules!r}: importlib.import_module(name)"
    done = subprocess.run([pythons()[version], "-I", "-S", "-c", code], capture_output=True, text=True, env=MINIMAL_ENV, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


OLD = [version for version in pythons() if version in TOO_OLD]
if OLD:  # a machine without old Pythons says so at the end of the run; it has no such test, instead of one that is skipped

    @pytest.mark.parametrize("version", OLD)
    def test_an_old_python_is_told_what_is_needed(version: str, agent: Agent) -> None:
        """Under a Python that is too old the bundle says so in one line and leaves with 97; the launchers' program gives the reason."""
        command = [pythons()[version], str(BUNDLE), "check"]
        done = subprocess.run(command, capture_output=True, text=True, env=MINIMAL_ENV, check=False)
        assert done.returncode == 97
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) == 1
        assert "needs Python 3.9 or newer" in done.stderr
        flags = ["-E", "-S"] if version == "2.7" else ["-I", "-S"]
        asked = subprocess.run([pythons()[version], *flags, "-c", FIRST], capture_output=True, text=True, env=MINIMAL_ENV, check=False)
        assert (asked.returncode, asked.stdout, asked.stderr) == (97, f"Python {version} is too old", "")
        assert agent.last9.requests() == []


@pytest.mark.parametrize("missing", ["_ssl", "zlib"])
def test_a_python_without_ssl_or_zlib_is_told_what_it_lacks(missing: str) -> None:
    """A Python that was built without ssl or zlib gets the same line and code, not a traceback."""
    code = f"import sys, runpy; sys.modules[{missing!r}] = None; sys.argv = ['x']; runpy.run_path({str(BUNDLE)!r}, run_name='__main__')"
    done = subprocess.run([pythons()[promised()[0]], "-I", "-S", "-c", code], capture_output=True, text=True, env=MINIMAL_ENV, check=False)
    assert done.returncode == 97
    assert len(done.stderr.splitlines()) == 1
    assert missing in done.stderr
