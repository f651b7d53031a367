"""The committed bundle on each interpreter at hand: those that serve, those that do not, and hostile surroundings."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from agents import BUNDLE, REQUESTS, Agent, Last9, answer_of, newest, too_old, usable

HOSTILE = ("json.py", "ssl.py", "httpx/__init__.py", "last9_markers/__init__.py", "last9_unpacking.py")
BEFORE_ANY_PROGRAM = ("sitecustomize.py", "usercustomize.py", "startup.py")
# An old Python, or one without ssl, where none is installed: the guard sees what these lines set.
PRETEND = {
    "3.6": "sys.version_info = (3, 6, 15, 'final', 0)",
    "2.7": "sys.version_info = (2, 7, 18, 'final', 0)",
    "3.11 without ssl": "sys.modules['_ssl'] = None",
    "3.11 without zlib": "sys.modules['zlib'] = None",
}


def test_there_is_a_python_to_test_with() -> None:
    """A run that found no interpreter has shown nothing and must not be green."""
    assert usable()


@pytest.mark.parametrize("version", usable())
def test_a_window_travels(version: str, tmp_path: Path) -> None:
    """A start and a stop arrive whole on every promised Python, with the stand-in on that Python as well."""
    python = usable()[version]
    standin = Last9(python)
    try:
        assert set(standin.first_line) == {"url", "refreshToken", "orgSlug"}
        agent = Agent(tmp_path, standin, python)
        answers = [answer_of(agent.engine(agent.request(name))) for name in ("block-start.json", "block-stop.json")]
        events = standin.received()
    finally:
        standin.close()
    assert [(answer["delivered"], answer["failBuild"], answer["pending"]) for answer in answers] == [(True, None, None)] * 2 or [
        (answer["delivered"], answer["failBuild"], answer["pending"]) for answer in answers
    ] == [(True, None, [])] * 2
    assert [event["event_state"] for event in events] == ["start", "stop"]
    assert [event["attributes"]["deployment.id"] for event in events] == [answer["deploymentId"] for answer in answers]
    assert events[0]["attributes"]["unicode"] == "Zürich ✓ 🚀"
    assert events[0]["attributes"]["quote"] == "it's \"quoted\" $HOME %PATH% \\ back"
    assert events[0]["attributes"]["jenkins.job_name"] == "shop/payments"
    assert events[1]["attributes"]["deployment.outcome"] == "failure"
    assert all(standin.token not in answer["log"] and "Traceback" not in answer["log"] for answer in answers)


@pytest.mark.parametrize("pretence", PRETEND)
def test_the_guard_names_what_it_needs(pretence: str, tmp_path: Path) -> None:
    """Whoever runs the bundle by hand on an unfit Python reads one line with the remedy, and no traceback."""
    program = f"import runpy, sys; {PRETEND[pretence]}; sys.argv = ['x', '--version']; runpy.run_path({str(BUNDLE)!r}, run_name='__main__')"
    done = subprocess.run([newest(), "-I", "-S", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 97
    assert done.stdout == ""
    assert done.stderr.startswith("[Last9] last9-markers needs Python 3.9 or newer with its ssl and zlib modules; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("version", ["promised", *too_old()])
def test_old_interpreters_can_read_the_first_file(version: str, tmp_path: Path) -> None:
    """An old interpreter gets to the guard instead of ending in a SyntaxError, and a promised one passes it."""
    python = too_old().get(version, newest())
    done = subprocess.run([python, str(BUNDLE), "--version"], capture_output=True, text=True, cwd=tmp_path, check=False)
    expected = (0, 0) if version == "promised" else (97, 1)
    assert (done.returncode, done.stderr.count("\n")) == expected, done.stderr
    assert "SyntaxError" not in done.stderr


@pytest.mark.parametrize("flags", [("-I", "-S"), ("-B",)], ids=["as the launcher", "by hand"])
def test_hostile_surroundings_change_nothing(flags: tuple[str, ...], agent: Agent, last9: Last9) -> None:
    """Modules of the build's own that are called like ours or Python's, and its PYTHON variables, are never loaded."""
    isolated = "-I" in flags
    hostile = agent.workspace
    for name in HOSTILE + (BEFORE_ANY_PROGRAM if isolated else ()):
        path = hostile / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"open({str(hostile / 'loaded')!r}, 'a').write({name!r})\nraise RuntimeError({name!r})\n", "utf-8")
    variables = {"PYTHONPATH": str(hostile), "PYTHONSTARTUP": str(hostile / "startup.py"), "PYTHONWARNINGS": "error"}
    if isolated:  # without -I the interpreter does not come up at all, whatever it is to run
        variables.update(PYTHONHOME="/nonexistent", PYTHONUSERBASE=str(hostile), PYTHONINSPECT="1", PYTHONVERBOSE="1")
    before = sorted(path.name for path in hostile.rglob("*"))
    answer = answer_of(agent.engine(agent.request(), *flags, environment=variables))
    assert answer["delivered"] is True
    assert len(last9.received()) == 1
    assert sorted(path.name for path in hostile.rglob("*")) == before, "something was loaded or left in the workspace"


def test_it_has_nothing_to_write_to(agent: Agent, last9: Last9) -> None:
    """Without a cache folder the engine runs from the zip and leaves no file behind, neither there nor in the temporary folder."""
    scratch = agent.home / "tmp"
    scratch.mkdir()
    answer = answer_of(agent.engine(agent.request(), environment={"LAST9_CACHE_DIR": "", "TMPDIR": str(scratch)}))
    assert answer["delivered"] is True
    assert len(last9.received()) == 1
    assert (agent.caches(), agent.files(), list(scratch.iterdir()), list(agent.workspace.iterdir())) == ([], [], [], [])


def test_the_contract_examples_are_there() -> None:
    """The requests sent here are the ones that both halves are held to."""
    assert {"block-start.json", "block-stop.json"} <= {path.name for path in REQUESTS.iterdir()}
