"""What holds for every test, of the engine and of the bundle."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

MISSING = Path(__file__).resolve().parents[1] / "build" / "missing-tools"


def pytest_configure() -> None:
    """Signals that the parent of the tests ignores (`nohup`, a shell's `&`) would be ignored by every process of a test, too."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need a tool which `make test` has found missing; its closing line names it.

    Without such a list (pytest called by hand) every test runs, and fails if its tool is missing.
    """
    missing = set(MISSING.read_text("utf-8").split()) if MISSING.exists() and os.environ.get("NOTHING_LEFT_OUT") != "1" else set()
    left_out = [item for item in items if missing & {tool for mark in item.iter_markers("needs") for tool in mark.args}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
