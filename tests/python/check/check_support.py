"""What the connection test's tests share: a request for one, and its findings."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from last9_markers.fake_server import FakeLast9
from last9_markers.runner.serve import ANSWERED
from support import StepResult, make_request, run_step

#: All that is looked at, in order.
EVERYTHING = [
    "interpreter",
    "bundle",
    "token",
    "host",
    "proxy",
    "dns",
    "connection",
    "tls",
    "clock",
    "exchange",
    "scope",
    "organization",
    "write",
]


def request_for(**changes: Any) -> dict[str, Any]:
    """A connection test's request as the library writes it."""
    options = {"serviceName": None, "environment": None, "eventState": None, **changes.pop("options", {})}
    request = make_request(step="last9TestConnection", window=None, timestampMs=int(time.time() * 1000), **changes)
    request["options"] = {name: value for name, value in {**request["options"], **options}.items() if value is not None}
    return request


def check(
    last9: FakeLast9 | None, folder: Path, *, token: str | None = "", environ: dict[str, str] | None = None, **changes: Any
) -> StepResult:
    """Test a connection through a real process; by default with the fake Last9's good token."""
    given = last9.refresh_token if last9 and token == "" else token
    done = run_step(request_for(**changes), given, folder, environ=environ)
    assert done.code == ANSWERED
    assert "Traceback" not in done.stderr
    if given:
        assert given not in done.stdout + done.stderr
    return done


def found(done: StepResult) -> dict[str, tuple[str, str]]:
    """Findings by name: state and text; the log says the same, line by line."""
    findings = done.answer["findings"]
    lines = [line for line in done.stderr.splitlines() if line.split()[1] in ("ok", "warning", "failed")]
    assert lines == [f"[Last9] {each['state']:<7} {each['check']:<12} {each['text']}" for each in findings]
    return {each["check"]: (each["state"], each["text"]) for each in findings}


def states(done: StepResult) -> dict[str, str]:
    """Findings by name: the states that are not ok."""
    return {name: state for name, (state, _) in found(done).items() if state != "ok"}
