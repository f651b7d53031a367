"""The engine on Windows' own terms: no execv, other sockets, files that stay while they are open (windows.py says how real)."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from agents import BUNDLE, NO_BUNDLE, Agent, Done, Last9
from windows import SERVICE, WindowsAgent, batch_file, environment, program, python, windows_path, wine

pytestmark = pytest.mark.needs("wine")

HOSTILE = "open(r'{trace}', 'a').write(__name__); raise RuntimeError('a stranger was imported')\n"


@pytest.fixture
def agent(tmp_path: Path, last9: Last9) -> WindowsAgent:
    """A Windows agent with a plain path and the bundle in its place."""
    agent = WindowsAgent(tmp_path, last9, "node")
    agent.place_bundle()
    return agent


def run(agent: Agent, **environ: str) -> Done:
    """Run the engine on one request as the launcher does."""
    request = agent.request()
    command = agent.command(str(python() / "python.exe"), request, "60.0", agent.code)
    done = subprocess.run(
        [wine(), *command],
        env={**agent.environ(environ), **environment()},
        cwd=agent.slot,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=240,
    )
    return agent.done(done.returncode, done.stdout.decode(), done.stderr.decode("cp1252", "replace").replace("\r\n", "\n"), request)


def test_without_the_flags_no_stranger_gets_in(agent: WindowsAgent, tmp_path: Path) -> None:
    """Without -I -S, and although the process cannot replace itself, the agent's own modules stay out."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    for name in ("httpx", "httpcore", "certifi", "anyio", "last9_keeping", "backoff", "h11"):
        for where in (folder, agent.workspace):
            (where / f"{name}.py").write_text(HOSTILE.format(trace=windows_path(tmp_path / "trace")), "utf-8")
    words = ["send", "--service-name", "payments-api", "--api-base-url", agent.last9.url]
    done = subprocess.run(
        [wine(), str(python() / "python.exe"), windows_path(agent.bundle), *words],
        env={**agent.environ({"PYTHONPATH": windows_path(folder)}), **environment()},
        cwd=agent.workspace,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert len(agent.last9.received()) == 1
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
    """If Windows' sockets wait for anything, the watchdog answers when the budget is over, and the marker is kept."""
    agent.last9.order(delay=300)
    begun = time.monotonic()
    answer = run(agent, LAST9_TIMEOUT_SECONDS="2").answer
    assert time.monotonic() - begun < 200
    assert (answer["delivered"], answer["pending"]["own"] is None) == (False, False)


def test_a_closed_port_is_told_as_such(agent: WindowsAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows' own numbers for a refused connection mean the same warning."""
    monkeypatch.setattr(agent.last9, "url", "http://127.0.0.1:9")
    (warning,) = run(agent, LAST9_TIMEOUT_SECONDS="30").answer["warnings"]
    assert "127.0.0.1 refused the connection" in warning


@pytest.mark.parametrize("kind", ["folder", "garbage"])
def test_what_lies_in_the_bundles_place(kind: str, agent: WindowsAgent) -> None:
    """On Windows, too, it is not run, and the bundle that is brought takes its place."""
    agent.bundle.unlink()
    if kind == "folder":
        agent.bundle.mkdir()
        (agent.bundle / "inside").touch()
    else:
        agent.bundle.write_bytes(b"PK")
    assert run(agent).code == NO_BUNDLE
    shutil.copyfile(BUNDLE, agent.slot / "incoming.pyz")
    assert run(agent).delivered
    assert agent.bundle.read_bytes() == BUNDLE.read_bytes()
    assert agent.asides() == []


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
