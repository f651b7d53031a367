"""How the window's markers travel: as requests, by messengers, within their time."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from last9_markers import contract
from last9_markers.commandline import curl
from last9_markers.commandline.invocation import Invocation, Window
from last9_markers.journal import Journal
from last9_markers.options import read_settings
from last9_markers.redaction import Redactor
from last9_markers.shell.abort import Abort
from last9_markers.shell.messenger import Messenger, Program
from last9_markers.shell.signals import Signals
from last9_markers.wording import commandline as wording

#: What starting and loading may take beyond a marker's own time limit; and in the time of an abort, where every second counts.
_LOADING_SECONDS = 5.0
_HASTY_LOADING_SECONDS = 1.0
_SHORTEST_SECONDS = 0.5


class Marker(NamedTuple):
    """What became of a marker, as the answer says; ``kept`` is what nobody has delivered yet, itself last."""

    answer: Mapping[str, Any] | None = None
    kept: tuple[str, ...] = ()

    @property
    def delivered(self) -> bool:
        """Whether Last9 has it."""
        return self.answer is not None and self.answer.get("delivered") is True

    @property
    def refused(self) -> bool:
        """Whether the options made no marker."""
        return self.answer is not None and self.answer.get("accepted") is False

    @property
    def records(self) -> list[str]:
        """What has happened, for the report. A request that got no answer is itself a record."""
        found = self.answer.get("records") if self.answer is not None else self.kept[-1:]
        return list(found or [])

    def get(self, name: str) -> Any:
        """A field of the answer."""
        return None if self.answer is None else self.answer.get(name)


class Delivering:
    """Sends the markers of one window."""

    def __init__(self, call: Invocation, window: Window, signals: Signals, abort: Abort) -> None:
        self._call = call
        self._window = window
        self._signals = signals
        self._abort = abort
        self._program = Program()

    def request(self, state: str, at_ms: int, outcome: str | None = None, pending: list[str] | None = None, *, keeps: bool = True) -> str:
        """The request for one of the window's markers. ``pending`` goes along; ``keeps``: what is not delivered will be kept."""
        return self._call.request(
            "window",
            timestamp_ms=at_ms,
            options={"eventState": state} if outcome is None else {"eventState": state, "outcome": outcome},
            window=self._window,
            limit_seconds=round(self.time_limit(), 1) if self._abort.ends_at is not None else None,
            after_abort=self._abort.ends_at is not None,
            pending=pending,
            keeps_pending=keeps,
        )

    def time_limit(self) -> float:
        """Seconds for one marker: as configured; after an abort what is left of its last ones."""
        if self._abort.ends_at is not None:
            return max(_SHORTEST_SECONDS, self._abort.ends_at - time.monotonic() - _HASTY_LOADING_SECONDS)
        silent = Journal(io.StringIO(), Redactor())  # the messenger says what there is to say
        request = contract.parse(self._call.request("window", timestamp_ms=0))
        return read_settings(request, self._call.environ, silent).timeout_seconds

    def begin(self) -> Messenger | None:
        """A messenger that begins to load; ``None``, after a warning, where there can be none.

        After an abort it is deaf: what it carries is the last word, and we are the ones who end it.
        """
        call = self._call
        try:
            deaf = self._abort.ends_at is not None
            return Messenger(self._program, call.environ, call.token, self._signals, quiet=bool(call.given.get("quiet")), deaf=deaf)
        except OSError as error:
            call.journal.warn(wording.messenger_failed(error.strerror or str(error)))
            return None

    def finish(self, messenger: Messenger | None, request: str, tried: list[str], *, until_abort: bool = False) -> Marker:
        """What becomes of a request that was handed over. ``until_abort``: not worth waiting for once somebody aborts."""
        undelivered = (*tried, contract.parse(request).text)
        if messenger is None:
            return Marker(kept=undelivered)
        until = time.monotonic() + self.time_limit() + _LOADING_SECONDS
        while messenger.process.poll() is None:
            left = min(until, self._abort.ends_at or until) - time.monotonic()
            if left <= 0 or self._abort.given_up or (until_abort and self._abort.number is not None):
                messenger.end()
                break
            self._abort.wait(messenger.process, left)
        answer = messenger.answer()
        pending = contract.still_pending(answer.get("pending")) if answer else None
        shown = curl.shown(answer.get("dryRun") if answer else None, self._call.journal.redactor)
        if shown is not None and not self._call.given.get("json"):
            self._call.journal.show(shown["curl"])
        return Marker(
            answer, undelivered if pending is None else tuple(kept.text for kept in pending.of([contract.Kept(text) for text in tried]))
        )

    def tidy(self) -> None:
        """Nothing is left behind."""
        self._program.tidy()
