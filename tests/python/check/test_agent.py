"""The agent's side: the bundle that runs."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from last9_markers.check import agent
from last9_markers.check.findings import CapturedLog, Findings
from last9_markers.core.redaction import Redactor


@pytest.mark.parametrize(("folder", "state"), [("kept", "ok"), ("", "ok"), ("nowhere", "warning")])
def test_where_code_can_be_kept(folder: str, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary workspace that cannot be written is reported, because each marker then compiles; not if nothing is stored there."""
    (tmp_path / "kept").mkdir()
    loading = ModuleType("last9_loading")
    bundle = SimpleNamespace(path=str(tmp_path / "bundle.pyz"), folder=str(tmp_path / folder) if folder else "")
    monkeypatch.setattr(loading, "BUNDLE", bundle, raising=False)
    monkeypatch.setitem(sys.modules, "last9_loading", loading)
    findings = Findings(CapturedLog(Redactor()))
    agent.look_at_bundle(findings)
    (found,) = findings.all
    assert found.state == state
    assert (str(tmp_path / "nowhere") in found.text) is (state == "warning")


def test_a_checkout() -> None:
    """Without a bundle the folder of the code is reported."""
    findings = Findings(CapturedLog(Redactor()))
    agent.look_at_bundle(findings)
    assert findings.all[0].state == "ok"
    assert findings.all[0].text.endswith("/python")
