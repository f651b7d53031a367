"""What the commands print, where perhaps nobody reads it."""

from __future__ import annotations

import contextlib
from typing import TextIO


def write_line(line: str, stream: TextIO | None) -> None:
    """Print one line. Where nobody reads any more (``| head -1``, a full disk, a closed stream) the exit code still tells."""
    with contextlib.suppress(OSError, ValueError):
        if stream is not None:
            print(line, file=stream, flush=True)
