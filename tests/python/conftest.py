"""Fixtures of the engine's tests."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from last9_markers.fake_server import FakeLast9
from support import FOREIGN, FOREIGN_NAMES, ManualClock


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of a build, a proxy or a CA reaches a test, and its working directory is not a repository."""
    for name in list(os.environ):
        if name.upper().startswith(FOREIGN) or name.upper() in FOREIGN_NAMES:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def last9() -> Iterator[FakeLast9]:
    """A fake Last9 on a loopback port, which knows the organization ``acme``."""
    fake_last9 = FakeLast9()
    fake_last9.start()
    yield fake_last9
    # On the side: it takes up to 50 ms, and no test waits for the port of another.
    threading.Thread(target=fake_last9.stop, daemon=True).start()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    """A clock turned by hand; the pauses between retries pass on it and not on the machine's."""
    hand = ManualClock()
    monkeypatch.setattr("backoff._sync.time", SimpleNamespace(sleep=hand.sleep))
    return hand
