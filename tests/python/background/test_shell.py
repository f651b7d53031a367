"""Starts in the background from a shell: ``send`` with a state file, and ``window``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from last9_markers.standin import StandIn
from support import Stepped, engine

HANGS = {"delay": 600, "times": 1}


def call(last9: StandIn, folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> Stepped:
    """Run a command of the program with its temporary folder in ``folder``."""
    settings = {"LAST9_REFRESH_TOKEN": last9.refresh_token, "TMPDIR": str(folder), **(environ or {})}
    return engine(list(arguments), environ=settings, cwd=folder)


def states(last9: StandIn) -> list[str]:
    """What Last9 has, in order."""
    return [event["event_state"] for event in last9.received()]


def left(folder: Path) -> list[str]:
    """State files of starts in the background."""
    return [path.name for path in folder.rglob("background-*")]


def test_send_with_a_state_file(last9: StandIn, tmp_path: Path) -> None:
    """A start does not wait for a Last9 that hangs; its stop, hours or a moment later, brings both in order and leaves no process."""
    last9.order(HANGS)
    common = ["send", "--service-name", "s", "--state", "last9.json"]
    started = call(last9, tmp_path, *common, "--event-state", "start", "--start-in-background")
    assert started.code == 0
    assert "in the background: deployment (start) for s" in started.stderr
    assert states(last9) == []
    stopped = call(last9, tmp_path, *common, "--timeout-seconds", "8")
    assert "was still under way in the background" in stopped.stderr
    assert states(last9) == ["start", "stop"]
    assert left(tmp_path) == []


def test_send_without_a_state_file(last9: StandIn, tmp_path: Path) -> None:
    """Where nobody could ever ask what became of it, the start is sent at once, and the warning names what is missing."""
    started = call(last9, tmp_path, "send", "--service-name", "s", "--event-state", "start", "--start-in-background")
    assert "--start-in-background is left out" in started.stderr
    assert states(last9) == ["start"]


def test_window(last9: StandIn, tmp_path: Path) -> None:
    """The command begins while Last9 hangs, and the stop takes the start along."""
    last9.order(HANGS)
    done = call(
        last9, tmp_path, "window", "--service-name", "s", "--start-in-background", "--timeout-seconds", "8", "--", "sh", "-c", "exit 3"
    )
    assert done.code == 3
    assert "was still under way in the background" in done.stderr
    assert states(last9) == ["start", "stop"]
    assert left(tmp_path) == []


def test_window_with_a_healthy_last9(last9: StandIn, tmp_path: Path) -> None:
    """A start that has arrived while the command ran is not sent again."""
    command = ["--", "sleep", "1"]
    done = call(last9, tmp_path, "window", "--service-name", "s", "--start-in-background", "--timeout-seconds", "60", *command)
    assert done.code == 0
    assert "sent successfully in the background: deployment (start) for s" in done.stderr
    assert states(last9) == ["start", "stop"]
    assert left(tmp_path) == []
