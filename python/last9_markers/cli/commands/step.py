"""``step --request FILE``: what the library runs on the agent for each marker. One request in, one answer line out, exit code 0."""

from __future__ import annotations

import contextlib
import os
import sys

from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.runner.serve import serve


def main(arguments: list[str]) -> int:
    """``step --request FILE``: do what the request file asks, within its budget. The file is deleted as soon as it is read."""
    if len(arguments) != 2 or arguments[0] != "--request":
        print("usage: last9-markers step --request FILE", file=sys.stderr)
        return 2
    serve(lambda: _read(arguments[1]), BuildLog(sys.stderr, Redactor()))
    return 0


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    # Where it cannot be removed it stays: it holds no secret, and the library tidies its folder up.
    with contextlib.suppress(OSError):
        os.remove(path)
    return text
