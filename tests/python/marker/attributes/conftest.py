"""A git that is given its time: what it says is looked at, and a loaded machine must not turn that into nothing."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def patient_with_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git may take half of a marker's budget, 7.5 s; the tests of the limit set their own."""
    monkeypatch.setattr("last9_markers.marker.attributes.git.LIMIT_SECONDS", 60.0)
