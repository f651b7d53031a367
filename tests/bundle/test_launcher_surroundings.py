"""The launcher where a node lacks something, and where an abort finds it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import Agent, processes, program, promised, pythons

PYTHON = pythons()[promised()[-1]]


def moments(seconds: float) -> Iterator[None]:
    """Look again and again for some time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.01)


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_an_abort_leaves_no_process(shell: str, agent: Agent) -> None:
    """SIGTERM to the shell alone ends engine and launcher at once though Last9 hangs; no arguments ever show the token."""
    agent.last9.order(delay=60)
    process, identity = agent.start_launcher([shell], LAST9_PYTHON=PYTHON)
    assert any(agent.last9.requests() for _ in moments(60))
    assert any(" -I -S " in arguments for arguments in processes(identity))
    assert processes(agent.last9.token) == []
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    assert stdout == ""
    assert all(line.startswith("[Last9] ") for line in stderr.splitlines()), stderr
    assert any(not processes(identity) for _ in moments(60))
    assert agent.left_over() == []


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_two_aborts_in_a_row(shell: str, agent: Agent, tmp_path: Path) -> None:
    """A second SIGTERM while the engine is still ending does not make the launcher leave it behind."""
    slow = tmp_path / "slow"
    program(slow, f"trap 'sleep 0.5; exit 3' TERM\n: >'{tmp_path}/ready'\nwhile :; do sleep 0.05; done")
    process, identity = agent.start_launcher([shell], LAST9_PYTHON=str(slow))
    assert any((tmp_path / "ready").exists() for _ in moments(60))
    for _ in range(2):
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert any(not processes(identity) for _ in moments(60))
    assert agent.last9.requests() == []


def test_an_abort_while_it_looks_for_an_interpreter(agent: Agent, tmp_path: Path) -> None:
    """An abort ends the search as well: no later candidate sends a marker for a step that is over."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program(folder / "python3", f"trap 'exit 97' TERM\n: >'{tmp_path}/ready'\nwhile :; do /bin/sleep 0.05; done")
    (folder / "python").symlink_to(PYTHON)
    process, _ = agent.start_launcher(["/bin/sh"], PATH=str(folder))
    assert any((tmp_path / "ready").exists() for _ in moments(60))
    process.send_signal(signal.SIGTERM)
    stdout, _ = process.communicate(timeout=60)
    assert (stdout, process.returncode) == ("", 143)
    assert agent.last9.requests() == []
    assert agent.left_over() == []


@pytest.mark.parametrize("workspace_tmp", ["", "UNSET"])
def test_a_jenkins_without_workspace_tmp(workspace_tmp: str, agent: Agent) -> None:
    """Before 2.222 there is no WORKSPACE_TMP: launcher and library then agree on the folder beside the workspace."""
    process, _ = agent.start_launcher(
        ["env", "-u", "WORKSPACE_TMP", "sh"] if workspace_tmp else ["sh"], WORKSPACE_TMP="", LAST9_PYTHON=PYTHON
    )
    assert '"delivered":true' in process.communicate(timeout=240)[0]
    assert len(agent.caches()) == 1
    assert agent.left_over() == []


@pytest.mark.parametrize("umask", ["000", "077"])
def test_any_umask(umask: str, agent: Agent) -> None:
    """Under an open umask as under a closed one the cache is its owner's alone and serves the next marker."""
    shell = ["sh", "-c", f'umask {umask}; exec sh "$1"', "sh"]
    assert agent.launch(shell, LAST9_PYTHON=PYTHON).answer["delivered"] is True
    [cache] = agent.caches()
    listing = (cache / "complete").stat()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert agent.launch(shell, "stop", bring=False, LAST9_PYTHON=PYTHON).answer["delivered"] is True
    assert (cache / "complete").stat().st_ino == listing.st_ino, "it was unpacked again"
    assert len(agent.last9.received()) == 2


def test_a_folder_that_may_only_be_read(agent: Agent) -> None:
    """A user who may not write there gets his marker delivered from the zip, without a word about it."""
    agent.place_bundle()
    # root writes where nobody may: without its capabilities it is like any other user
    through = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"] if os.geteuid() == 0 else []
    request = agent.request()
    command = [*through, PYTHON, "-I", "-S", str(agent.bundle), "step", "--request", str(request)]
    agent.folder.chmod(0o500)
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=agent.environ({"LAST9_CACHE_DIR": str(agent.folder)}), check=False
        )
    finally:
        agent.folder.chmod(0o700)
    assert '"delivered":true' in done.stdout, done.stderr
    assert "WARNING" not in done.stderr
    assert sorted(path.name for path in agent.folder.iterdir()) == sorted([agent.bundle.name, request.name])
    assert len(agent.last9.received()) == 1
