"""The later marker's side: what became of the starts that were left to the background, before anything else is sent.

The rule is that Last9 gets a window's start before its stop, and no start is lost. So a stop waits for its own window's start, for half
of its budget; then the start is recalled and sent by the stop. Every other marker that a kept text is handed to settles it only where
that takes no time: it must not hold another deployment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from last9_markers import pending
from last9_markers.background import state_path
from last9_markers.background.statefile import Fate, StateFile
from last9_markers.clock import Budget
from last9_markers.contract import Request
from last9_markers.errors import RequestUnreadable
from last9_markers.event import encode
from last9_markers.journal import Journal
from last9_markers.pending import InBackground, Outbox, Outgoing
from last9_markers.wording import background as wording

#: How long a process that was recalled may take to end; it looks ten times a second.
RECALL_SECONDS = 1.0


class Settlement:
    """Settles the kept starts of one run. ``refused`` is why this window's own start will never arrive, if so."""

    def __init__(self, outbox: Outbox, request: Request, environ: Mapping[str, str], budget: Budget, journal: Journal) -> None:
        self._outbox = outbox
        self._request = request
        self._environ = environ
        self._budget = budget
        self._journal = journal
        self._open: dict[Outgoing, StateFile] = {}
        self._found_by_name: StateFile | None = None
        self._own: list[Outgoing] = []
        self.refused: str | None = None

    def run(self) -> None:
        """Learn the fate of each start that is in the background, and of this window's own in any case."""
        kept = [(outgoing, _read(outgoing.text)) for outgoing in list(self._outbox.kept)]
        own = self._request.window_id
        # A window of which another marker is kept has ended: that marker must not overtake its start.
        ended = {own} | {pending.window_of(found) for _, found in kept if pending.in_background(found) is None}
        for outgoing, found in kept:
            left = pending.in_background(found)
            if left is None and _is_start_without_answer(found):
                found, left = self._adopt(outgoing, found)
            if left is not None:
                if pending.window_of(found) == own:
                    self._own.append(outgoing)
                self._settle(outgoing, found, left, mine=pending.window_of(found) in ended)
        if not self._own:
            self._settle_by_name()

    def delivered(self, outgoing: Outgoing) -> None:
        """The marker has been sent again and has arrived: whoever else asks shall know."""
        if outgoing in self._open:
            self._open[outgoing].tell(Fate(delivered=True))

    def refused_now(self, outgoing: Outgoing, reason: str) -> None:
        """The marker has been sent again, and Last9 will never take it."""
        if outgoing in self._open:
            self._open[outgoing].tell(Fate(delivered=False, refused=True, reason=reason))
        if outgoing in self._own:
            self.refused = reason

    def finish(self) -> None:
        """The run is over: remove the state files that nobody needs any more."""
        for state in self._open.values():
            if state is self._found_by_name:
                # Another marker may be holding the kept text at this moment: to it, a missing file would mean an unknown fate.
                state.close()
            else:
                state.remove()
        self._open = {}

    # -- one start -------------------------------------------------------------------------------------------------------------

    def _settle(self, outgoing: Outgoing, found: dict[str, Any], left: InBackground, *, mine: bool) -> None:
        label = _label(found)
        state = StateFile.open(left.state)
        if state is None or state.text() != outgoing.text:
            if not mine and self._may_run_elsewhere(left):
                outgoing.later = True
            else:
                self._send_again(outgoing, wording.unknown(label))
            return
        if not state.lock_within(self._patience() if mine else 0):
            if not mine:
                outgoing.later = True
                state.close()
                return
            state.recall()
            state.lock_within(min(RECALL_SECONDS, self._budget.remaining() / 2))
            self._judge(outgoing, state, wording.recalled(label), label)
        else:
            self._judge(outgoing, state, wording.unknown(label), label)

    def _judge(self, outgoing: Outgoing, state: StateFile, otherwise: str, label: str) -> None:
        self._open[outgoing] = state
        fate = state.fate()
        event = _read(outgoing.text).get("event")
        if isinstance(event, dict):
            # For the report's record; what is sent again is encoded once more when it is claimed.
            outgoing.event = encode(event)
        for warning in fate.warnings if fate else ():
            self._journal.warn(warning)
        if fate is None:
            self._send_again(outgoing, otherwise)
        elif fate.delivered:
            outgoing.in_background = outgoing.delivered = True
            self._journal.say(wording.delivered(label))
        elif fate.refused:
            outgoing.dropped = True
            reason = wording.refused(fate.reason or label)
            self._journal.warn(reason)
            if outgoing in self._own:
                self.refused = reason
        else:
            self._journal.warn(wording.failed(fate.reason or label))
            self._send_again(outgoing, None)

    def _send_again(self, outgoing: Outgoing, line: str | None) -> None:
        """From here on it is kept like any other marker: should it fail again, nobody asks its state file a second time."""
        outgoing.text = pending.no_longer_in_background(outgoing.text)
        if line:
            self._journal.say(line)

    def _patience(self) -> float:
        """Seconds until half of the budget is gone: the rest is for sending start and stop."""
        return max(0.0, self._budget.remaining() - self._budget.seconds / 2)

    def _may_run_elsewhere(self, left: InBackground) -> bool:
        now = self._request.timestamp_ms
        return left.node != self._environ.get("NODE_NAME") and now is not None and now < left.over_ms

    # -- starts without a text -------------------------------------------------------------------------------------------------

    def _adopt(self, outgoing: Outgoing, found: dict[str, Any]) -> tuple[dict[str, Any], InBackground | None]:
        """A start that got no answer, since an abort or a kill struck: where it had been left to the background, that marker counts."""
        text = self._text_by_name(pending.window_of(found))
        if text is None:
            return found, None
        outgoing.text = text
        return _read(text), pending.in_background(_read(text))

    def _settle_by_name(self) -> None:
        """This window's start without its kept text: a restart of the controller lost it, or a marker in parallel has it right now."""
        text = self._text_by_name(self._request.window_id)
        left = pending.in_background(_read(text)) if text else None
        if text is None or left is None:
            return
        outgoing = Outgoing(text)
        self._own.append(outgoing)
        self._outbox.kept.append(outgoing)
        self._settle(outgoing, _read(text), left, mine=True)
        self._found_by_name = self._open.get(outgoing)

    def _text_by_name(self, window_id: str | None) -> str | None:
        path = state_path(self._environ, window_id)
        state = StateFile.open(path) if path and os.path.exists(path) else None
        if state is None:
            return None
        text = state.text()
        state.close()
        return text if pending.window_of(_read(text)) == window_id else None


def _is_start_without_answer(found: dict[str, Any]) -> bool:
    options = found.get("options")
    state = options.get("eventState") if isinstance(options, dict) else None
    return "contract" in found and isinstance(state, str) and state.strip().lower() == "start"


def _label(found: dict[str, Any]) -> str:
    event = found.get("event")
    attributes = event.get("attributes") if isinstance(event, dict) else None
    if not isinstance(event, dict) or not isinstance(attributes, dict):
        return "the start"
    return f"{event.get('event_name')} ({event.get('event_state')}) for {attributes.get('service_name') or attributes.get('service')}"


def _read(text: str) -> dict[str, Any]:
    try:
        return pending.read(text)
    except RequestUnreadable:
        return {}
