"""One marker's place in the state file: written down before it is tried, settled afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from last9_markers.cli.shared.state import CLAIM_MARGIN_MS, Content, StateFile
from last9_markers.request import contract
from last9_markers.request.contract import Kept

Change = Callable[[Content], None]


class StateEntry:
    """A marker whose time is ``since_ms``. Without a state file it has no place, and nothing is kept of it.

    ``remembered`` are pending markers that the caller knows of by itself, and ``outages`` what it knows of those; both may be in the
    file as well.
    """

    def __init__(
        self,
        state: StateFile | None,
        since_ms: int,
        remembered: Iterable[Kept] = (),
        outages: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """``environ``: with it, windows of processes that are gone are closed along with this marker."""
        self._state = state
        self._since_ms = since_ms
        self._own = ""
        self._environ = environ
        #: The pending markers that are sent with it, oldest first.
        self.tried = list(remembered)
        #: Which Last9 did not answer a short time ago.
        self.outages: dict[str, Any] = dict(outages or {})
        #: Whether the file has it: then the next marker sends it if it is not delivered.
        self.kept = False

    def save(self, limit_seconds: float, request: Callable[[], str], change: Change | None = None, *, alone: bool = False) -> None:
        """Put it into the file, with the ``change`` that it makes, and claim the pending markers for as long as the attempts may take.

        ``request`` is asked for after the change, which may settle the window. ``alone``: nothing goes along but what is remembered.
        """
        if self._state is None:
            return
        until_ms = self._since_ms + int(limit_seconds * 1000) + CLAIM_MARGIN_MS
        tried = self.tried
        with self._state.changing() as content:
            if content is None:
                return
            if change is not None:
                change(content)
            if self._environ is not None and not alone:
                self._state.close_gone(content, self._since_ms, self._environ)
            claimed = content.claim(self._since_ms, until_ms, [kept.text for kept in self.tried] if alone else None)
            # What is remembered was in the file, unless someone has removed it; markers that another process has delivered are gone.
            tried = self.tried if alone or content.is_new else claimed
            self.outages.update(content.outages)
            self._own = content.add(contract.parse(request()).text, self._since_ms, until_ms)
        self.kept = self._state.saved
        if self.kept:
            self.tried = tried

    def settle(self, undelivered: Iterable[Kept], records: object, outages: Mapping[str, Any] | None, change: Change | None = None) -> None:
        """It was tried, with the others. ``undelivered`` are still pending; ``outages`` is from its answer, ``None`` without one."""
        if self._state is None or not self.kept:
            return
        with self._state.changing() as content:
            if content is None:
                return
            content.settle({*(kept.text for kept in self.tried), self._own}, self._since_ms, list(undelivered))
            content.record(records)
            if outages is not None:
                content.note_outages(self.outages, outages)
            if change is not None:
                change(content)
