"""Run the examples through the library to a fake Last9: each build's log, then what Last9 received (`make demo`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "python"))

from last9_markers.check.sent_event import EVENT_NAME as CONNECTION_TEST  # noqa: E402 - the engine of this checkout, needs no installation
from last9_markers.marker import records  # noqa: E402 - as above

BUNDLE = ROOT / "resources" / "last9" / "last9-markers.pyz"
REPORT = ROOT / "build" / "demo"


def main() -> int:
    """Show every example; 1 if one of them gave no markers or the runner could not do its job."""
    events: list[dict[str, Any]] = []
    failed = [name.name for name in sorted((ROOT / "examples").glob("[0-9]*.Jenkinsfile")) if not _show(name, events)]
    if not _report(events):
        failed.append("the report")
    if failed:
        print(f"\nNot as they should be: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _show(jenkinsfile: Path, events: list[dict[str, Any]]) -> bool:
    title = jenkinsfile.read_text(encoding="utf-8").splitlines()[0].lstrip("/ ")
    print(f"\n{'=' * 100}\n{jenkinsfile.relative_to(ROOT)}: {title}\n{'=' * 100}", flush=True)
    done = subprocess.run(
        [str(ROOT / "tests" / "pipeline" / "run-pipeline"), str(jenkinsfile)],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        check=False,
    )
    lines = done.stdout.splitlines()
    if done.returncode or not lines:
        print(done.stdout)
        return False
    print("\n".join(lines[:-1]))
    summary = json.loads(lines[-1])
    print(f"\nThe build ended {summary['result']}. Last9 received:")
    for event in summary["received"]:
        print(f"  {_line(event)}")
    events += summary["received"]
    dry = "[Last9] Dry run" in done.stdout
    if dry:
        print("  nothing: it was a dry run")
    return bool(summary["received"]) != dry


def _report(events: list[dict[str, Any]]) -> bool:
    """The page of everything that was just sent; each build has also made its own if its Jenkinsfile asks for it."""
    REPORT.mkdir(parents=True, exist_ok=True)
    state = REPORT / "state.json"
    happened = [records.write(event, records.SENT) for event in events if event["event_name"] != CONNECTION_TEST]
    state.write_text(json.dumps({"last9State": 1, "records": happened}), encoding="utf-8")
    print(f"\n{'=' * 100}\nEverything that was just deployed, on one page\n{'=' * 100}", flush=True)
    command = [sys.executable, str(BUNDLE), "report", "--state", str(state), "--output", str(REPORT)]
    return subprocess.run(command, env={**os.environ, "JOB_NAME": "make demo"}, check=False).returncode == 0


def _line(event: dict[str, object]) -> str:
    """One marker in one line: when, which end of which window, how it ended."""
    attributes = event["attributes"]
    assert isinstance(attributes, dict)
    told = [f"{event['timestamp']}  {event['event_name']} {event['event_state']:5}  {attributes['service_name']}"]
    for name in ("deployment_environment", "deployment.outcome", "jenkins.build_result", "deployment.window_duration_ms", "deployment.id"):
        if name in attributes:
            told.append(f"{name}={attributes[name]}")
    return "  ".join(told) + f"  ({len(attributes)} attributes)"


if __name__ == "__main__":
    sys.exit(main())
