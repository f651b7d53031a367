"""Add up what test runs reported, in one closing line; fail if a test failed, was skipped, or none ran.

`make test` and `make endurance` name the reports: a file of pytest's, a folder of Maven's.
If this machine lacks a tool (build/missing-tools), a line before the closing one names it: the tests that need it did not run.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

MISSING = Path(__file__).resolve().parent.parent / "build" / "missing-tools"


def main(reports: list[str]) -> int:
    """Print `N passed, N failed`; a run that reported nothing is one failure."""
    passed = failed = skipped = 0
    for name in reports:
        path = Path(name)
        files = list(path.glob("TEST-*.xml")) if path.is_dir() else [path] if path.exists() else []
        if not files:
            print(f"{name}: no report was found, so no test ran", file=sys.stderr)
            failed += 1
        for file in files:
            for suite in ET.parse(file).getroot().iter("testsuite"):  # noqa: S314 - written by our own test run
                bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
                left = int(suite.get("skipped", 0))
                passed += int(suite.get("tests", 0)) - bad - left
                failed += bad
                skipped += left
    if skipped:
        print(f"{skipped} tests were skipped; none may be", file=sys.stderr)
    missing = MISSING.read_text("utf-8").split() if MISSING.exists() else []
    if missing:
        print(f"Not run: the tests that need {', '.join(missing)}. Install {'it' if len(missing) == 1 else 'them'} to run every test.")
    print(f"{passed} passed, {failed + skipped} failed")
    return 1 if failed or skipped or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
