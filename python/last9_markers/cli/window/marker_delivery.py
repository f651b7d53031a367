"""Delivers the window's markers: each as a request to its own process, within its time limit."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from last9_markers.cli.shared import curl
from last9_markers.cli.shared.invocation import Invocation, Window
from last9_markers.cli.shared.state_entry import StateEntry
from last9_markers.cli.window.abort import Abort
from last9_markers.cli.window.delivery_process import DeliveryProcess, SelfProgram
from last9_markers.cli.window.signals import Signals
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.messages import cli as cli_messages
from last9_markers.request import contract
from last9_markers.request.contract import Kept
from last9_markers.request.options import DEFAULT_EVENT_NAME, read_settings

#: What starting and loading may take beyond a marker's own time limit; and during an abort, when time is short.
_LOADING_SECONDS = 5.0
_HASTY_LOADING_SECONDS = 1.0
_SHORTEST_SECONDS = 0.5


class MarkerResult(NamedTuple):
    """The result of a marker, as the answer says; ``kept`` are the markers that are still pending, itself last."""

    answer: Mapping[str, Any] | None = None
    kept: tuple[Kept, ...] = ()

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
        """The records for the report. A request without an answer is itself a record."""
        found = self.answer.get("records") if self.answer is not None else [kept.text for kept in self.kept[-1:]]
        return list(found or [])

    @property
    def outages(self) -> dict[str, Any] | None:
        """Which Last9 does not answer, as the answer says; ``None`` without one."""
        return None if self.answer is None else self.answer.get("outages") or {}

    def get(self, name: str) -> Any:
        """A field of the answer."""
        return None if self.answer is None else self.answer.get(name)


class MarkerDelivery:
    """Sends the markers of one window."""

    def __init__(self, call: Invocation, window: Window, signals: Signals, abort: Abort) -> None:
        self._call = call
        self._window = window
        self._signals = signals
        self._abort = abort
        self._program = SelfProgram()

    def request(
        self,
        state: str,
        at_ms: int,
        outcome: str | None = None,
        entry: StateEntry | None = None,
        *,
        keeps: bool = True,
        spent: float = 0.0,
        learned: Mapping[str, str] | None = None,
    ) -> str:
        """The request for one of the window's markers. What ``entry`` says goes along; ``keeps``: what is not delivered will be kept.

        ``spent``: seconds of its time limit that are over, because another process had the state file. ``learned``: attributes that the
        command has found out: they win over those of the command line.
        """
        options: dict[str, Any] = {"eventState": state} if outcome is None else {"eventState": state, "outcome": outcome}
        if learned:
            options["customAttributes"] = {**self._call.given.get("customAttributes", {}), **learned}
        hurried = self._abort.ends_at is not None
        limit = self.time_limit() if hurried else max(_SHORTEST_SECONDS, self.time_limit() - spent) if spent else None
        return self._call.request(
            "window",
            timestamp_ms=at_ms,
            options=options,
            window=self._window,
            limit_seconds=None if limit is None else round(limit, 1),
            after_abort=hurried,
            pending=entry.tried if entry is not None else (),
            outages=entry.outages if entry is not None else None,
            keeps_pending=keeps,
        )

    def time_limit(self) -> float:
        """Seconds for one marker: as configured; after an abort what is left of its last ones."""
        if self._abort.ends_at is not None:
            return max(_SHORTEST_SECONDS, self._abort.ends_at - time.monotonic() - _HASTY_LOADING_SECONDS)
        silent = BuildLog(io.StringIO(), Redactor())  # the delivery process says what there is to say
        request = contract.parse(self._call.request("window", timestamp_ms=0))
        return read_settings(request, self._call.environ, silent).timeout_seconds

    def label(self, state: str) -> str:
        """What the log calls one of the window's markers, as the engine does."""
        call = self._call
        return f"{call.option('eventName', DEFAULT_EVENT_NAME)} ({state}) for {call.option('serviceName')}"

    def begin(self, state: str) -> DeliveryProcess | None:
        """A process that begins to load; ``None``, after a warning, if it cannot be started.

        After an abort it ignores signals: its marker is the last one, and only we end it.
        """
        call = self._call
        try:
            ignore_signals = self._abort.ends_at is not None
            return DeliveryProcess(
                self._program, call.environ, call.token, self._signals, quiet=bool(call.given.get("quiet")), ignore_signals=ignore_signals
            )
        except OSError as error:
            call.log.warning(cli_messages.delivery_process_failed(self.label(state), error.strerror or str(error)))
            return None

    def finish(
        self, delivery_process: DeliveryProcess | None, request: str, tried: Sequence[Kept], *, until_abort: bool = False
    ) -> MarkerResult:
        """The result of a request that was handed over. ``until_abort``: stop waiting at an abort."""
        undelivered = (*tried, Kept(contract.parse(request).text))
        if delivery_process is None:
            return MarkerResult(kept=undelivered)
        until = time.monotonic() + self.time_limit() + _LOADING_SECONDS
        while delivery_process.process.poll() is None:
            left = min(until, self._abort.ends_at or until) - time.monotonic()
            if left <= 0 or self._abort.given_up or (until_abort and self._abort.number is not None):
                delivery_process.end()
                break
            self._abort.wait(delivery_process.process, left)
        answer = delivery_process.answer()
        pending = contract.still_pending(answer.get("pending")) if answer else None
        shown = curl.shown(answer.get("dryRun") if answer else None, self._call.log.redactor)
        if shown is not None and not self._call.given.get("json"):
            self._call.log.show(shown["curl"])
        return MarkerResult(answer, undelivered if pending is None else tuple(pending.of(tried)))

    def tidy(self) -> None:
        """Nothing is left behind."""
        self._program.tidy()
