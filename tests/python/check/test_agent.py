"""The agent's side: the bundle that runs."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from last9_markers.check import agent
from last9_markers.check.findings import CapturedLog, Findings
from last9_markers.core.redaction import Redactor


def test_a_damaged_bundle(tmp_path: Path) -> None:
    """A bundle whose bytes are not those that its name promises is failed with the file to delete; a whole one is not."""
    content = b"PK bundle"
    good = tmp_path / f"last9-markers-{hashlib.sha256(content).hexdigest()}.pyz"
    good.write_bytes(content)
    bad = tmp_path / f"last9-markers-{'0' * 64}.pyz"
    shutil.copy(good, bad)
    findings = Findings(CapturedLog(Redactor()))
    agent.look_at_bundle(findings, {}, str(good))
    agent.look_at_bundle(findings, {}, str(bad))
    agent.look_at_bundle(findings, {}, str(tmp_path / f"last9-markers-{'1' * 64}.pyz"))
    assert [each.state for each in findings.all] == ["ok", "failed", "ok"]
    assert str(bad) in findings.all[1].text


def test_a_bundle_that_cannot_unpack(monkeypatch: pytest.MonkeyPatch) -> None:
    """On an agent whose temporary workspace is read only, the slower way is told; nobody is told where no cache was wanted."""
    monkeypatch.setattr("last9_markers.__file__", "/tmp/bundle.pyz/last9_markers/__init__.py")
    findings = Findings(CapturedLog(Redactor()))
    agent.look_at_bundle(findings, {"LAST9_CACHE_DIR": "/read/only"}, "bundle.pyz")
    agent.look_at_bundle(findings, {}, "bundle.pyz")
    assert [each.state for each in findings.all] == ["warning", "ok"]
    assert "/read/only" in findings.all[0].text
