"""Run the examples through the library to a stand-in Last9: each build's log, then what Last9 received (`make demo`)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Show every example; 1 if one of them gave no markers or the runner could not do its job."""
    failed = [name.name for name in sorted((ROOT / "examples").glob("[0-9]*.Jenkinsfile")) if not _show(name)]
    if failed:
        print(f"\nNot as they should be: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _show(jenkinsfile: Path) -> bool:
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
    return bool(summary["received"])


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
