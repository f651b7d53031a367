"""A fake Last9 and an agent for each test; the run's end says which Pythons it cannot speak for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import PROMISED, TOO_OLD, Agent, Last9, promised, pythons


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the versions that these tests cover, and those for which there are no tests: these do not appear as skipped tests."""
    old = [version for version in TOO_OLD if version in pythons()]
    groups = {"found": promised(), "not found": [version for version in PROMISED if version not in promised()], "to pass over": old}
    told = "bundle: " + "; ".join(f"CPython {what}: {', '.join(versions) or 'none'}" for what, versions in groups.items())
    terminalreporter.write_line(told)


@pytest.fixture(scope="session")
def fake_last9() -> Iterator[Last9]:
    """One fake Last9 for all tests."""
    server = Last9(pythons()[promised()[-1]])
    yield server
    server.close()


@pytest.fixture
def last9(fake_last9: Last9) -> Iterator[Last9]:
    """The fake Last9, well and without memories."""
    fake_last9.start_afresh()
    yield fake_last9
    fake_last9.start_afresh()


@pytest.fixture
def agent(tmp_path: Path, last9: Last9) -> Agent:
    """An agent without a marker yet."""
    return Agent(tmp_path, last9)
