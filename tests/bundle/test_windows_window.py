"""`window` and `send` on Windows, as far as Wine is Windows: a command's own exit code, both markers, a state file with its lock."""

from __future__ import annotations

import subprocess

import pytest
from agents import Done, Last9
from windows import WindowsAgent, environment, python, windows_path, wine

pytestmark = pytest.mark.needs("wine")

OPTIONS = ["--service-name", "payments-api", "--state", "state.json"]


@pytest.fixture
def agent(tmp_path_factory: pytest.TempPathFactory, last9: Last9) -> WindowsAgent:
    """A Windows agent with the bundle in its place."""
    agent = WindowsAgent(tmp_path_factory.mktemp("agent"), last9, "node")
    agent.place_bundle()
    return agent


def _run(agent: WindowsAgent, *words: str) -> Done:
    done = subprocess.run(
        [wine(), str(python() / "python.exe"), windows_path(agent.bundle), *words],
        env={**agent.environ({}), **environment()},
        cwd=agent.workspace,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=120,
    )
    return Done(done.returncode, done.stdout.decode().replace("\r\n", "\n"), done.stderr.decode("cp1252", "replace"))


def test_a_window(agent: WindowsAgent) -> None:
    """Start, command, stop, the command's exit code; the delivery process finds the bundle, and nothing is lost of an outage."""
    agent.last9.order(status=503, times=1000)
    agent.environment["LAST9_TIMEOUT_SECONDS"] = "3"
    failed = _run(agent, "window", *OPTIONS, "--", "cmd", "/c", "echo out& exit 5")
    assert (failed.code, failed.stdout) == (5, "out\n"), failed.stderr
    assert agent.last9.received() == []
    agent.last9.start_afresh()
    agent.environment["LAST9_TIMEOUT_SECONDS"] = "60"
    ran = _run(agent, "window", *OPTIONS, "--", "cmd", "/c", "exit 0")
    assert ran.code == 0, ran.stderr
    assert "WARNING" not in ran.stderr
    outcomes = [(event["event_state"], event["attributes"].get("deployment.outcome")) for event in agent.last9.received()]
    assert outcomes == [("start", None), ("start", None), ("stop", "failure"), ("stop", "success")], "its own marker first, then kept ones"


@pytest.mark.endurance
def test_a_command_that_is_not_there(agent: WindowsAgent) -> None:
    """What cannot be started exits with 127, and its window is closed."""
    done = _run(agent, "window", *OPTIONS, "--", "nowhere.exe")
    assert done.code == 127, done.stderr
    assert [event["event_state"] for event in agent.last9.received()] == ["start", "stop"]


@pytest.mark.endurance
def test_a_window_of_two_markers(agent: WindowsAgent) -> None:
    """A start and a stop by `send` share an id through the state file, which Windows replaces while its lock is held."""
    for words in (["--event-state", "start"], []):
        sent = _run(agent, "send", *OPTIONS, *words)
        assert (sent.code, "WARNING" in sent.stderr) == (0, False), sent.stderr
    start, stop = agent.last9.received()
    assert start["attributes"]["deployment.id"] == stop["attributes"]["deployment.id"]
