"""A stand-in for Last9 and an agent for each test; the run's end says which Pythons it cannot speak for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import PROMISED, TOO_OLD, Agent, Last9, promised, pythons


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the versions that these tests cover and those that they do not: they are no skipped tests, as there are none for them."""
    old = [version for version in TOO_OLD if version in pythons()]
    groups = {"found": promised(), "not found": [version for version in PROMISED if version not in promised()], "to pass over": old}
    told = "bundle: " + "; ".join(f"CPython {what}: {', '.join(versions) or 'none'}" for what, versions in groups.items())
    terminalreporter.write_line(told)


@pytest.fixture(scope="session")
def standin() -> Iterator[Last9]:
    """One stand-in for all tests."""
    server = Last9(pythons()[promised()[-1]])
    yield server
    server.close()


@pytest.fixture
def last9(standin: Last9) -> Iterator[Last9]:
    """The stand-in, well and without memories."""
    standin.start_afresh()
    yield standin
    standin.start_afresh()


@pytest.fixture
def agent(tmp_path: Path, last9: Last9) -> Agent:
    """An agent without a marker yet."""
    return Agent(tmp_path, last9)
