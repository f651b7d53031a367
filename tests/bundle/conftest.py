"""A stand-in for Last9 and an agent for each test; the run's head says which Pythons it cannot speak for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import PROMISED, Agent, Last9, newest, too_old, usable


def pytest_report_header() -> str:
    """Name the versions that these tests cover and those that they do not."""
    missing = [version for version in PROMISED if version not in usable()]
    covered = ", ".join(usable()) or "none"
    return f"bundle: CPython {covered} found; not found: {', '.join(missing) or 'none'}; too old ones to pass over: {', '.join(too_old()) or 'none'}"


@pytest.fixture(scope="session")
def standin() -> Iterator[Last9]:
    """One stand-in for all tests."""
    server = Last9(newest())
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
    """An agent with the newest Python found, not yet on its PATH."""
    return Agent(tmp_path, last9, newest())
