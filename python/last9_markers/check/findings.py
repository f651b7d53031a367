"""The findings of a connection test: one line for each check."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.messages import check as check_messages

OK, WARNING, FAILED = "ok", "warning", "failed"


class Finding(NamedTuple):
    """``check`` is what was looked at, ``state`` one of :data:`OK`, :data:`WARNING`, :data:`FAILED`; ``text`` ends with the remedy."""

    check: str
    state: str
    text: str


class Findings:
    """Says each finding as it is made, so that a test that hangs has told how far it came, and keeps it, redacted."""

    def __init__(self, log: BuildLog, phrase: Callable[[str], str] = str) -> None:
        """``phrase`` puts a text into the terms of its reader."""
        self._log = log
        self._phrase = phrase
        self.all: list[Finding] = []

    def add(self, check: str, state: str, text: str) -> None:
        """Keep and say one finding."""
        found = Finding(check, state, self._log.redactor.clean(self._phrase(text)))
        self.all.append(found)
        self._log.info(check_messages.line(found.state, found.check, found.text))

    def ok(self, check: str, text: str) -> None:
        """Good."""
        self.add(check, OK, text)

    def warn(self, check: str, text: str) -> None:
        """Not shown to be good, or good but odd: markers may get through."""
        self.add(check, WARNING, text)

    def fail(self, check: str, text: str) -> None:
        """Markers will not get through."""
        self.add(check, FAILED, text)

    def count(self, state: str) -> int:
        """How many are in that state."""
        return sum(found.state == state for found in self.all)

    def has(self, check: str) -> bool:
        """Whether that was looked at."""
        return any(found.check == check for found in self.all)

    def failed(self, check: str | None = None) -> bool:
        """Whether anything, or that, is wrong."""
        return any(found.state == FAILED and check in (None, found.check) for found in self.all)


class CapturedLog(BuildLog):
    """A log without a reader: its warnings become findings."""

    def __init__(self, redactor: Redactor, debug: BuildLog | None = None) -> None:
        """``debug`` gets the lines that only a search for a fault needs."""
        super().__init__(io.StringIO(), redactor)
        self._debug = debug

    def debug(self, text: str) -> None:
        """Handed on: no finding is made of it."""
        if self._debug is not None:
            self._debug.debug(text)
