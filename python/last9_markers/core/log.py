"""The lines of the build log, and the warnings that the answer repeats."""

from __future__ import annotations

from typing import TextIO

from last9_markers.core.redaction import Redactor


class BuildLog:
    """Writes ``[Last9]`` lines, live and redacted, and remembers the warnings. The same warning is written once."""

    def __init__(self, stream: TextIO, redactor: Redactor) -> None:
        self._stream = stream
        self.redactor = redactor
        self.warnings: list[str] = []
        #: Whether :meth:`debug` is heard.
        self.debugging = False

    def info(self, text: str) -> None:
        """Write one line. A log that cannot be written to (closed, disk full) costs the line only."""
        try:
            self._stream.write(f"[Last9] {self.redactor.clean(text)}\n")
            self._stream.flush()
        except (OSError, ValueError):
            pass

    def warning(self, text: str) -> None:
        """Write one ``WARNING`` line, unless it has been written before."""
        text = self.redactor.clean(text)
        if text not in self.warnings:
            self.warnings.append(text)
            self.info(f"WARNING: {text}")

    def debug(self, text: str) -> None:
        """Write details that only a search for a fault needs, a line of the log for each line of it, as redacted as any other."""
        if self.debugging:
            # Secrets first: one may be spread over two lines.
            for line in self.redactor.without_secrets(text).splitlines():
                self.info(f"debug: {line}")
