"""``deliver``: what ``window`` starts for each of its markers. A request on stdin, one answer line on stdout, the log on stderr."""

from __future__ import annotations

import sys

from last9_markers.cli.shared.invocation import CliLog
from last9_markers.runner.serve import serve


def main(arguments: list[str]) -> int:
    """Deliver one marker, as ``step`` does, but say it in a shell's terms; ``--quiet`` says warnings alone."""
    serve(lambda: sys.stdin.buffer.read().decode("utf-8", "replace"), CliLog(quiet="--quiet" in arguments))
    return 0
