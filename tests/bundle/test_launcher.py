"""run.sh: finds an interpreter that serves, says what it tried, and leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import signal
import stat
import time
from pathlib import Path

import pytest
from agents import ROOT, SHA256, Agent, Done, processes, program, promised, pythons

SHELLS = [shell for shell in (["sh"], ["dash"], ["bash"], ["bash", "--posix"], ["busybox", "sh"]) if shutil.which(shell[0])]
PYTHON = pythons()[promised()[0]]
LIKE_27 = 'echo "Unknown option: -I" >&2; echo "usage: python [option] ..." >&2; exit 2'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A PATH of its own, empty at first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


def launch(agent: Agent, path: Path, **environ: str) -> Done:
    """Run the launcher with nothing on PATH but that folder."""
    return agent.launch([str(shutil.which("sh"))], PATH=str(path), **environ)


def refused(done: Done) -> str:
    """Check the launcher's own answer and return its one warning."""
    assert done.code == 0
    (warning,) = done.answer["warnings"]
    assert {**done.answer, "warnings": []} == {
        "last9Answer": 1,
        "delivered": False,
        "accepted": True,
        "deploymentId": None,
        "warnings": [],
        "failBuild": None,
        "noEngine": True,
    }
    assert done.stderr == f"[Last9] WARNING: {warning}\n"
    assert "Install Python 3.9 or newer" in warning
    assert "LAST9_PYTHON" in warning
    return str(warning)


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_window_arrives_through_the_launcher(shell: list[str], agent: Agent) -> None:
    """In each shell, with any character in the path and no HOME, both markers arrive, and only bundle and cache stay, closed to others."""
    first = agent.launch(shell)
    second = agent.launch(shell, "stop", bring=False)
    assert [first.answer["delivered"], second.answer["delivered"]] == [True, True]
    assert [first.code, second.code] == [0, 0]
    assert [event["event_state"] for event in agent.last9.received()] == ["start", "stop"]
    assert first.stdout.count("\n") == 1
    assert all(line.startswith("[Last9] ") for line in (first.stderr + second.stderr).splitlines())
    assert sorted(path.name for path in agent.folder.iterdir()) == sorted([agent.bundle.name, *(cache.name for cache in agent.caches())])
    assert len(agent.caches()) == 1
    assert all(stat.S_IMODE(file.stat().st_mode) & 0o077 == 0 for file in agent.caches()[0].rglob("*"))


def test_an_incoming_bundle_that_nobody_needs_goes_away(agent: Agent) -> None:
    """A copy that came while another branch's was put in place is removed, not kept beside it."""
    agent.place_bundle()
    assert agent.launch(["sh"]).answer["delivered"] is True
    assert agent.left_over() == []


def test_no_python_at_all(agent: Agent, path: Path) -> None:
    """Without any interpreter there is one warning that names what was tried and the remedy, a whole answer, and nothing left behind."""
    assert "Tried: python3 (not found), python (not found)" in refused(launch(agent, path))
    assert agent.left_over() == []
    assert agent.last9.received() == []


def test_interpreters_that_are_too_old_are_passed_over_quietly(agent: Agent, path: Path) -> None:
    """Python 2.7's usage text and the guard's own code are hidden, and the next interpreter serves."""
    program(path / "python3", LIKE_27)
    program(path / "python", "exit 97")
    (path / "python3.9").symlink_to(PYTHON)
    done = launch(agent, path)
    assert done.answer["delivered"] is True
    assert all(line.startswith("[Last9] ") for line in done.stderr.splitlines())


def test_only_interpreters_that_are_too_old(agent: Agent, path: Path) -> None:
    """Where no candidate serves, the warning says of each why not."""
    program(path / "python3", "exit 97")
    program(path / "python", LIKE_27)
    warning = refused(launch(agent, path))
    assert "python3 (too old, or without its ssl module), python (too old, or without its ssl module)." in warning


OLD = [version for version in pythons() if version in ("2.7", "3.6")]
if OLD:  # else no such test, instead of one that is skipped

    @pytest.mark.parametrize("version", OLD)
    def test_real_old_interpreters(version: str, agent: Agent, path: Path) -> None:
        """What real old Pythons print and return is taken for "next candidate", too."""
        (path / "python3").symlink_to(pythons()[version])
        assert "python3 (too old" in refused(launch(agent, path))
        (path / "python").symlink_to(PYTHON)
        assert launch(agent, path).answer["delivered"] is True


def test_an_interpreter_that_breaks_before_it_reads_the_request(agent: Agent, path: Path) -> None:
    """A broken installation is passed over, whatever its exit code: the request was not read, so nothing can be sent twice."""
    program(path / "python3", "echo 'Fatal Python error' >&2; exit 1")
    assert "python3 (exit code 1)" in refused(launch(agent, path))
    (path / "python").symlink_to(PYTHON)
    assert launch(agent, path).answer["delivered"] is True
    assert len(agent.last9.received()) == 1


def test_an_engine_that_breaks_later_is_not_run_again(agent: Agent, path: Path) -> None:
    """Once the request was read, a marker may be on its way: no other interpreter is tried, and the log says what ended the engine."""
    trace = path.parent / "trace"
    program(path / "python3", f'echo ran >>"{trace}"; while [ $# -gt 1 ]; do shift; done; /bin/rm "$1"; exit 7')
    program(path / "python", f'echo ran >>"{trace}"')
    done = launch(agent, path)
    assert (done.code, done.stdout, done.stderr) == (0, "", "[Last9] The engine ended with exit code 7.\n")
    assert trace.read_text("utf-8") == "ran\n"


@pytest.mark.parametrize(
    "name", ["py thon", "it's", 'double"quote', "back\\slash", "$(touch pwned)", "`touch pwned`", "Zürich ✓", "%s%n", "-c"]
)
def test_last9_python_is_data(name: str, agent: Agent, path: Path, tmp_path: Path) -> None:
    """LAST9_PYTHON may hold any character: it names the interpreter if there is one, else it is told as it is; nothing in it is run."""
    interpreter = tmp_path / "any where" / name
    interpreter.parent.mkdir()
    assert str(interpreter) + " (not found), python3 (not found)" in refused(launch(agent, path, LAST9_PYTHON=str(interpreter)))
    interpreter.symlink_to(PYTHON)
    assert launch(agent, path, LAST9_PYTHON=str(interpreter)).answer["delivered"] is True
    assert list(tmp_path.rglob("pwned")) == []


def test_last9_python_with_control_characters_cannot_forge_log_lines(agent: Agent, path: Path) -> None:
    """A line break in the value stays within the one warning line."""
    assert "a?[Last9] WARNING: forged?b (not found)" in refused(launch(agent, path, LAST9_PYTHON="a\n[Last9] WARNING: forged\tb"))


def test_last9_python_comes_first(agent: Agent, path: Path) -> None:
    """Where LAST9_PYTHON serves, nothing else is started."""
    program(path / "python3", f'echo ran >"{path.parent}/trace"; exit 97')
    assert launch(agent, path, LAST9_PYTHON=PYTHON).answer["delivered"] is True
    assert not (path.parent / "trace").exists()


def test_the_log_is_live_and_an_abort_ends_the_engine(agent: Agent) -> None:
    """The log comes while the engine works; SIGTERM to the shell alone ends it at once, leaves no file, and no process shows the token."""
    agent.last9.order(delay=600)
    process, identity = agent.start_launcher(["sh"], LAST9_TIMEOUT_SECONDS="300")
    assert process.stderr
    first = process.stderr.readline()
    assert first.startswith("[Last9] Sending deployment marker")
    assert process.poll() is None
    assert processes(identity)
    assert processes(agent.last9.token) == []
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)  # an attempt waits for 150 s
    assert process.returncode != 0
    assert processes(identity) == []
    assert agent.left_over() == []


def test_an_engine_that_ignores_an_abort_is_killed(agent: Agent, path: Path, tmp_path: Path) -> None:
    """Whatever hangs in the engine, it does not outlive the launcher by more than seconds."""
    trace = tmp_path / "pid"
    program(path / "python3", f"trap '' TERM\necho $$ >\"{trace}\"\nwhile :; do /bin/sleep 0.2; done")
    process, _ = agent.start_launcher([str(shutil.which("sh"))], PATH=str(path))
    while not (trace.exists() and trace.read_text("utf-8").strip()):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    assert not Path(f"/proc/{trace.read_text('utf-8').strip()}").exists()
    assert agent.left_over() == []


def test_no_file_holds_the_token(agent: Agent, tmp_path: Path) -> None:
    """Neither token nor anything made of it is written anywhere, whether Last9 answers or not."""
    assert agent.launch(["sh"]).answer["delivered"] is True
    agent.last9.order(status=500, times=100)
    assert agent.launch(["sh"], "stop", LAST9_TIMEOUT_SECONDS="1").answer["delivered"] is False
    secret = agent.last9.token.encode()
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert [file for file in files if secret in file.read_bytes()] == []


def test_the_launchers_hold_their_two_places_only() -> None:
    """The library replaces two marks; each launcher has both, begins as it must, and is plain ASCII."""
    shell = (ROOT / "resources" / "last9" / "run.sh").read_bytes()
    batch = (ROOT / "resources" / "last9" / "run.bat").read_bytes()
    assert shell.startswith(b"#!/bin/sh\n")
    assert batch.startswith(b"@echo off\r\n")
    assert batch.count(b"\n") == batch.count(b"\r\n")
    for text in (shell.decode("ascii"), batch.decode("ascii")):
        marks = {part for part in text.split("@")[1:] if part.isupper()}
        assert marks == {"REQUEST", "BUNDLE"}


def test_the_batch_launchers_answer_is_json() -> None:
    """What run.bat prints without a Python is the contract's answer, once cmd has put its one variable in."""
    lines = (ROOT / "resources" / "last9" / "run.bat").read_text("ascii").splitlines()
    (answer,) = [line.removeprefix("echo ") for line in lines if line.startswith('echo {"last9Answer"')]
    (warning,) = [line.split("=", 1)[1].rstrip('"') for line in lines if line.startswith('set "LAST9_WARNING=')]
    assert not set(warning.replace("%LAST9_TRIED%", "")) & set('&|<>^%!"')
    assert json.loads(answer.replace("%LAST9_WARNING%", warning))["noEngine"] is True


def test_the_name_that_groovy_knows_is_the_bundles() -> None:
    """The library places the bundle under the hash in Bundle.groovy: it must be the committed bundle's."""
    assert f"'{SHA256}'" in (ROOT / "src" / "org" / "last9" / "Bundle.groovy").read_text("utf-8")
