"""``demo``: sends a start and a stop through the engine to a fake Last9, all on this machine."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import uuid
from typing import Any

from last9_markers.core.clock import SystemClock
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from last9_markers.report import files, handler
from last9_markers.request.context import Context
from last9_markers.request.contract import CONTRACT, parse
from last9_markers.runner.send_marker import MarkerHandler

#: What Jenkins would have put into the environment.
_BUILD = {
    "JOB_NAME": "payments-api/main",
    "BUILD_NUMBER": "42",
    "BUILD_URL": "https://jenkins.example.com/job/payments-api/job/main/42/",
    "NODE_NAME": "agent-1",
    "GIT_COMMIT": "6f1d2c3b4a5968778695a4b3c2d1e0f102132435",
    "GIT_BRANCH": "main",
    "GIT_URL": "https://github.com/acme/payments-api.git",
    "GIT_AUTHOR_NAME": "Alice Example",
    # The current folder is not what is deployed: git finds no repository.
    "GIT_DIR": os.devnull,
}


def main(arguments: list[str]) -> int:
    """Show it. Takes no arguments; exit code 0 when both markers arrived. The page of it is left in the system's temporary folder."""
    if arguments:
        asked = arguments[0] in ("-h", "--help")
        print("usage: last9-markers demo: no options, no token, no network", file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    with FakeLast9() as last9:
        print(f"A fake Last9 listens on {last9.url}.\n\nThe build log:\n", flush=True)
        log = BuildLog(sys.stdout, Redactor())
        started, window = _now_ms(), str(uuid.uuid4())
        happened: list[str] = []
        body: dict[str, Any] = {"ended": "returned", "resultBefore": None, "resultAfter": None}
        for state, outcome in (("start", {}), ("stop", {"body": body})):
            request = _request(state, window, started) | outcome
            answer = MarkerHandler(parse(json.dumps(request)), Context(_BUILD, last9.refresh_token, SystemClock(), log)).run()
            happened += answer.more.get("records", [])
            if state == "start":
                print("… the deploy takes a second …", flush=True)
                time.sleep(1)
        print("\nWhat Last9 received:\n")
        for event in last9.received():
            print(json.dumps(event, indent=2))
        _report(happened, log)
        return 0 if len(last9.received()) == 2 else 1


def _report(happened: list[str], log: BuildLog) -> None:
    try:
        folder = tempfile.mkdtemp(prefix="last9-demo-")
        files.write(handler.compose(happened, {}, _BUILD, _now_ms(), log), folder)
    except OSError:  # nowhere to write: the demo has shown what it is about
        return
    print(f"\nThe same as a page: {os.path.join(folder, files.NAMES['html'])}")


def _request(state: str, window: str, started_ms: int) -> dict[str, Any]:
    return {
        "contract": CONTRACT,
        "step": "withLast9Deployment",
        "timestampMs": _now_ms(),
        "window": {"id": window, "startedAtMs": started_ms},
        "options": {"serviceName": "payments-api", "environment": "production", "eventState": state},
        "build": {"currentResult": "SUCCESS", "startTimeMs": started_ms - 5000, "durationMs": _now_ms() - started_ms + 5000},
    }


def _now_ms() -> int:
    return int(time.time() * 1000)
