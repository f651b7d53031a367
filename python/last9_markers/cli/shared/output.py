"""What the commands print, also if the reader is gone."""

from __future__ import annotations

import contextlib
from typing import TextIO


def write_line(line: str, stream: TextIO | None) -> None:
    """Print one line. If there is no reader (``| head -1``, a full disk, a closed stream), the exit code still has the result."""
    with contextlib.suppress(OSError, ValueError):
        if stream is not None:
            print(line, file=stream, flush=True)
