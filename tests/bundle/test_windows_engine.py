"""The engine on Windows' own terms: no execv, other sockets, files that stay while they are open (windows.py says how real)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from agents import Agent, Done, Last9
from windows import SERVICE, WindowsAgent, batch_file, environment, program, python, windows_path, wine

pytestmark = pytest.mark.needs("wine")

HOSTILE = "open(r'{trace}', 'a').write(__name__); raise RuntimeError('a stranger was imported')\n"


@pytest.fixture
def agent(tmp_path: Path, last9: Last9) -> WindowsAgent:
    """A Windows agent with a plain path and the bundle in its place."""
    agent = WindowsAgent(tmp_path, last9, "node")
    agent.place_bundle()
    return agent


def run(agent: Agent, flags: Sequence[str] = ("-I", "-S"), **environ: str) -> Done:
    """Run the engine on one request from the zip, as it is."""
    arguments = [*flags, windows_path(agent.bundle), "step", "--request", windows_path(agent.request())]
    done = subprocess.run(
        [wine(), str(python() / "python.exe"), *arguments],
        env={**agent.environ(environ), **environment()},
        cwd=agent.workspace,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=240,
    )
    return Done(done.returncode, done.stdout.decode().replace("\r\n", "\n"), done.stderr.decode("cp1252", "replace"))


def test_without_the_flags_no_stranger_gets_in(agent: WindowsAgent, tmp_path: Path) -> None:
    """Where nobody passed -I -S, and the process cannot replace itself, the agent's own modules stay out all the same."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in ("httpx", "httpcore", "certifi", "anyio", "last9_content", "backoff", "h11"):
        for where in (folder, agent.workspace):
            (where / f"{name}.py").write_text(HOSTILE.format(trace=windows_path(tmp_path / "trace")), "utf-8")
    assert run(agent, flags=(), PYTHONPATH=windows_path(folder)).answer["delivered"] is True
    assert not (tmp_path / "trace").exists()


def test_a_git_that_lies_in_the_workspace_is_not_run(agent: WindowsAgent, tmp_path: Path) -> None:
    """Windows looks for programs in the current directory first; for a marker only the git of PATH is asked, and here there is none."""
    (agent.workspace / ".git").mkdir()
    (agent.workspace / ".git" / "HEAD").write_text("ref: refs/heads/main\n", "utf-8")
    program(agent.workspace / "git.exe", f"open(r'{windows_path(tmp_path / 'trace')}', 'a'); print('a' * 40)")
    assert run(agent).answer["delivered"] is True
    assert not (tmp_path / "trace").exists()
    assert "scm.commit_sha" not in agent.last9.received()[0]["attributes"]


def test_the_budget_holds_while_last9_hangs(agent: WindowsAgent) -> None:
    """Whatever Windows' sockets wait for, the watchdog answers when the budget is over, and the marker is kept."""
    agent.last9.order(delay=300)
    begun = time.monotonic()
    answer = run(agent, LAST9_TIMEOUT_SECONDS="2").answer
    assert time.monotonic() - begun < 200
    assert (answer["delivered"], len(answer["pending"])) == (False, 1)


def test_a_closed_port_is_told_as_such(agent: WindowsAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows' own numbers for a refused connection mean the same warning."""
    monkeypatch.setattr(agent.last9, "url", "http://127.0.0.1:9")
    (warning,) = run(agent, LAST9_TIMEOUT_SECONDS="30").answer["warnings"]
    assert "127.0.0.1 refuses connections" in warning


@pytest.mark.endurance
def test_first_use_by_ten_at_once(agent: WindowsAgent) -> None:
    """Ten markers that unpack the engine at the same time all arrive, leave one cache and nothing half-made."""
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: agent.batch(bring=False, path=(python(),)).answer, range(10)))
    assert [answer["delivered"] for answer in answers] == [True] * 10
    assert len(agent.caches()) == 1
    assert agent.asides() == agent.left_over() == []


@pytest.mark.endurance
def test_a_command_as_a_window(agent: WindowsAgent, tmp_path: Path) -> None:
    """`window -- COMMAND` on Windows: start, the command with its own exit code, stop with its outcome."""
    batch_file(tmp_path / "deploy.bat", "echo deploying", "exit /b 3")
    options = ["window", "--service-name", SERVICE, "--environment", "e", "--api-base-url", agent.last9.url]
    done = subprocess.run(
        [
            wine(),
            str(python() / "python.exe"),
            "-I",
            "-S",
            windows_path(agent.bundle),
            *options,
            "--",
            windows_path(tmp_path / "deploy.bat"),
        ],
        env={**agent.environ({}), **environment()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert (done.returncode, done.stdout.strip()) == (3, b"deploying"), done
    outcomes = [(event["event_state"], event["attributes"].get("deployment.outcome")) for event in agent.last9.received()]
    assert outcomes == [("start", None), ("stop", "failure")]
