"""``step --request FILE``: what the library runs on the agent for each marker. One request in, one answer file out."""

from __future__ import annotations

import contextlib
import os
import sys

from last9_markers.core import safe_files
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.runner.serve import serve

#: Bytes of a request file that are read.
_LARGEST_REQUEST = 64 << 20


def main(arguments: list[str]) -> int:
    """``step --request FILE --answer FILE``: do what the request file asks, within its budget. It is deleted as soon as it is read."""
    if len(arguments) != 4 or arguments[::2] != ["--request", "--answer"]:
        print("usage: last9-markers step --request FILE --answer FILE", file=sys.stderr)
        return 2
    request, answer = arguments[1], os.path.abspath(arguments[3])
    # 0644: a root in a container must not hide it from the agent.
    return serve(lambda: _read(request), BuildLog(sys.stderr, Redactor()), lambda line: safe_files.create(answer, line, 0o644))


def _read(path: str) -> str:
    text = safe_files.read(path, _LARGEST_REQUEST).decode("utf-8", "replace")
    # If it cannot be removed it stays: it holds no secret, and a later marker tidies the folder up.
    with contextlib.suppress(OSError):
        os.remove(path)
    return text
