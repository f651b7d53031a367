"""The way to Last9: what time it is there."""

from __future__ import annotations

import pytest
from last9_markers.check import network
from last9_markers.check.findings import CapturedLog, Findings
from last9_markers.client.transport import ProbeResult
from last9_markers.core.redaction import Redactor
from support import ManualClock


def _greeting(date: str | None) -> ProbeResult:
    return ProbeResult(200, {"Date": date} if date else {}, None, None)


@pytest.mark.parametrize(
    ("date", "called_ms", "expected"),
    [
        # The hand clock's wall is at 1790001000 s: Mon, 21 Sep 2026 14:30:00 GMT.
        ("Mon, 21 Sep 2026 14:30:00 GMT", 1790001000_000, [("ok", "0 s apart")]),
        ("Mon, 21 Sep 2026 14:30:29 GMT", None, [("ok", "29 s apart")]),
        ("Mon, 21 Sep 2026 14:31:15 GMT", None, [("warning", "the agent's clock is 75 s behind the server's")]),
        ("Mon, 21 Sep 2026 14:28:00 GMT", None, [("warning", "the agent's clock is 120 s ahead of the server's")]),
        ("Mon, 21 Sep 2026 14:30:00 GMT", 1790001090_000, [("warning", "the controller's clock is 92 s ahead of the server's.")]),
        ("Mon, 21 Sep 2026 14:30:00 GMT", 1790000800_000, [("ok", "0 s apart")]),
        ("Mon, 21 Sep 2026 14:30:00 GMT", 1790000000_000, [("warning", "unless this step waited that long")]),
        (None, None, [("warning", "not proven: the server's answer has no Date")]),
        ("yesterday", None, [("warning", "not proven")]),
    ],
)
def test_clocks(date: str | None, called_ms: int | None, expected: list[tuple[str, str]]) -> None:
    """The agent's and the controller's clock are held against the server's; how long a step waits for an agent is not held against one."""
    findings = Findings(CapturedLog(Redactor()))
    clock = ManualClock()
    network.look_at_clocks(findings, _greeting(date), clock, called_ms, 2.0)
    assert [each.state for each in findings.all] == [state for state, _ in expected]
    for each, (_, words) in zip(findings.all, expected):
        assert words in each.text
