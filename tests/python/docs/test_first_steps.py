"""What a newcomer to the repository types: a missing tool is named before any long work, an interrupted build does not block the next."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import wait_until

ROOT = Path(__file__).resolve().parents[3]
MAVEN = "echo '\x1b[1mApache Maven {}\x1b[m'; echo 'Java version: {}, vendor: Debian, runtime: /usr/lib/jvm'"
JAVAC = "echo 'Picked up JAVA_TOOL_OPTIONS: -Xmx1g' >&2; echo javac {}"
EVERYTHING = {
    "python3": f"exec '{sys.executable}' \"$@\"",
    "javac": JAVAC.format("21.0.1"),
    "mvn": MAVEN.format("3.9.9", "21.0.1"),
    **dict.fromkeys(("git", "curl", "jq", "chromium", "wine", "ksh", "shellcheck"), ""),
}
TOOLS = ("python", "venv", "java", "git", "curl", "jq", "chromium", "wine", "ksh", "shellcheck")


def _path(folder: Path, programs: dict[str, str]) -> str:
    """A PATH on which only those programs are, besides what the scripts themselves use."""
    folder.mkdir()
    for name in ("sh", "sed", "find", "head", "mkdir", "dirname", "flock", "mv", "cat", "cp", "sleep", "make", "id"):
        if name not in programs:
            (folder / name).symlink_to(str(shutil.which(name)))
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return str(folder)


def _needs(path: str, *tools: str, **environ: str) -> tuple[int, list[str]]:
    command = [str(ROOT / "tools" / "needs"), *tools]
    done = subprocess.run(command, env={"PATH": path, **environ}, capture_output=True, text=True, check=False)
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def test_nothing_is_missing(tmp_path: Path) -> None:
    """A machine that has everything hears nothing."""
    assert _needs(_path(tmp_path / "bin", EVERYTHING), *TOOLS) == (0, [])


def test_everything_is_missing(tmp_path: Path) -> None:
    """All that is missing is reported at once, each in one line with its remedy."""
    code, lines = _needs(_path(tmp_path / "bin", {}), *TOOLS)
    assert code == 1
    told = ("Python 3.9", "A JDK", "Maven", "git", "curl", "jq", "Chromium", "Wine", "ksh", "shellcheck")
    assert [line.startswith(start) for line, start in zip(lines, told)] == [True] * len(told), lines
    assert len(lines) == len(told)
    assert all("install" in line for line in lines)


@pytest.mark.parametrize(
    ("programs", "environ", "told"),
    [
        ({"python3": "exit 1"}, {}, "Python 3.9 or newer is missing as python3"),
        ({}, {"PYTHON": "python3.99"}, "Python 3.9 or newer is missing as python3.99"),
        ({"python3": 'case $2 in *ensurepip*) exit 1; esac'}, {}, "python3-venv"),
        ({"javac": JAVAC.format("11.0.2")}, {}, "The JDK is too old"),
        ({"javac": "echo javac 1.8.0_392 >&2"}, {}, "The JDK is too old (1.8.0)"),
        ({}, {"JAVA_HOME": "/nowhere"}, "correct JAVA_HOME"),
        ({"mvn": MAVEN.format("3.5.4", "17.0.1")}, {}, "Maven is too old"),
        ({"mvn": MAVEN.format("2.2.1", "17.0.1")}, {}, "Maven is too old"),
        ({"mvn": MAVEN.format("3.8.7", "11.0.2")}, {}, "Maven runs on Java 11"),
        ({"mvn": MAVEN.format("3.8.7", "1.8.0_392")}, {}, "Maven runs on Java 1:"),
        ({"mvn": "exit 1"}, {}, "Maven does not run"),
    ],
)  # fmt: skip
def test_what_is_there_but_does_not_serve(tmp_path: Path, programs: dict[str, str], environ: dict[str, str], told: str) -> None:
    """A tool that is too old or broken is one line as well, with any other output."""
    code, lines = _needs(_path(tmp_path / "bin", {**EVERYTHING, **programs}), *TOOLS, **environ)
    assert code == 1
    (line,) = lines
    assert told in line


def _copy_of_needs(tmp_path: Path) -> Path:
    """tools/needs in a checkout of its own, so that its list of missing tools is not that of the test run which is going on."""
    (tmp_path / "checkout" / "tools").mkdir(parents=True)
    return Path(shutil.copy(ROOT / "tools" / "needs", tmp_path / "checkout" / "tools"))


@pytest.mark.parametrize("target", ["test", "test-python", "endurance", "endurance-python", "lint", "demo"])
def test_make_names_a_missing_tool_before_it_fetches_anything(tmp_path: Path, target: str) -> None:
    """A make target that lacks a tool ends before it sets up its environment, which takes the best part of a minute."""
    path = _path(tmp_path / "bin", {name: body for name, body in EVERYTHING.items() if name not in ("git", "shellcheck")})
    checkout = _copy_of_needs(tmp_path).parents[1]
    for name in ("Makefile", "requirements-dev.txt"):
        shutil.copy(ROOT / name, checkout)
    venv = tmp_path / "venv"
    done = subprocess.run(["make", target, f"VENV={venv}"], cwd=checkout, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert ("shellcheck is missing" if target == "lint" else "git is missing") in done.stderr
    assert not venv.exists()


def test_needs_leaves_out_what_may_be_missing(tmp_path: Path) -> None:
    """A missing tool after -- fails nothing: its name goes to the list that the tests and the closing line read."""
    needs = _copy_of_needs(tmp_path)
    path = _path(tmp_path / "bin", {name: body for name, body in EVERYTHING.items() if name not in ("jq", "wine")})
    command = [str(needs), "python", "git", "--", "curl", "jq", "wine"]
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    listed = tmp_path / "checkout" / "build" / "missing-tools"
    assert listed.read_text("utf-8").split() == ["jq", "wine"]
    strict = subprocess.run(command, env={"PATH": path, "NOTHING_LEFT_OUT": "1"}, capture_output=True, text=True, check=False)
    assert strict.returncode == 1
    assert "jq is missing" in strict.stderr
    assert "Wine is missing" in strict.stderr
    assert listed.read_text("utf-8").split() == []


def test_needs_installs_what_is_missing_as_root(tmp_path: Path) -> None:
    """As root with apt-get, missing packages are installed, optional ones included, and one line says so beforehand."""
    needs = _copy_of_needs(tmp_path)
    folder = tmp_path / "bin"
    installs = f'echo "$*" >>"{tmp_path}/apt.log"; case $* in *install*) for p; do :; done; cp "{folder}/git" "{folder}/jq";; esac'
    path = _path(folder, {**{name: body for name, body in EVERYTHING.items() if name != "jq"}, "apt-get": installs, "id": "echo 0"})
    done = subprocess.run([str(needs), "git", "--", "jq"], env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == "Installing what is missing with apt-get: jq"
    calls = (tmp_path / "apt.log").read_text("utf-8").splitlines()
    assert [call.split()[:2] for call in calls] == [["-q", "update"], ["-q", "-y"]]
    assert calls[1].endswith(" jq")
    assert (tmp_path / "checkout" / "build" / "missing-tools").read_text("utf-8").split() == []


def test_needs_installs_nothing_as_somebody_else(tmp_path: Path) -> None:
    """Without the right to install, apt-get is not called: a missing tool is a line with its remedy."""
    needs = _copy_of_needs(tmp_path)
    path = _path(tmp_path / "bin", {"apt-get": f'echo "$*" >>"{tmp_path}/apt.log"', "id": "echo 1000"})
    done = subprocess.run([str(needs), "git"], env={"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("git is missing: install it")
    assert not (tmp_path / "apt.log").exists()


def test_a_build_of_the_runner_that_was_killed(tmp_path: Path) -> None:
    """Ctrl+C or kill -9 while the runner is built leaves no lock behind: the next call builds it and runs."""
    here = tmp_path / "pipeline"
    (here / "src" / "main").mkdir(parents=True)
    (here / "pom.xml").touch()
    shutil.copy(ROOT / "tests" / "pipeline" / "run-pipeline", here)
    hangs = 'case "$*" in *dependency:build-classpath*) : >"$0.begun"; exec sleep 600; esac'
    builds = 'for word; do case $word in -Dmdep.outputFile=*) echo classes >"${word#*=}"; esac; done'
    path = Path(_path(tmp_path / "bin", {"mvn": hangs, "java": "echo ran"}))
    command, environ = [str(here / "run-pipeline"), "Jenkinsfile"], {"PATH": str(path)}
    with subprocess.Popen(command, env=environ, start_new_session=True) as killed:
        wait_until((path / "mvn.begun").exists)
        os.killpg(killed.pid, signal.SIGKILL)
    (path / "mvn").write_text(f"#!/bin/sh\n{builds}\n", encoding="utf-8")
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ran\n", "")
