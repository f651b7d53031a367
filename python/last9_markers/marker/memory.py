"""What one run leaves for the next ones of the same build and agent, or of the same state file: one flat object, opaque to its carriers.

It is flat so that two processes that change a state file at once do not lose each other's changes. A destination's name has blanks in it,
and no other key has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from last9_markers.core.formats import as_commit
from last9_markers.marker.outages import Outages

#: Which attributes are known to find no room.
_LEFT_OUT = "leftOut"
#: With the window's id behind it: the commit that its start has named.
_COMMIT_OF = "commitOf:"
#: A build may begin windows that it never ends.
MOST_COMMITS = 20


class Memory:
    """Read from what an earlier run has left; what cannot be read is not there.

    The watchdog reads it from its own thread: so every change is a single assignment.
    """

    def __init__(self, found: Mapping[str, Any], now_ms: int) -> None:
        self.outages = Outages(found, now_ms)
        left_out = found.get(_LEFT_OUT)
        #: A sign for the set of attributes that the build's log has named; ``None`` without one.
        self.left_out = left_out if isinstance(left_out, str) else None
        commits = {name: value for name, value in found.items() if name.startswith(_COMMIT_OF) and isinstance(value, str)}
        self._commits = {name: commit for name, value in commits.items() if (commit := as_commit(value))}

    def note_start(self, window_id: str, commit: str) -> None:
        """A window has begun, and its start names that commit. The oldest gives way if there are too many."""
        commits = {**self._commits, _COMMIT_OF + window_id: commit}
        self._commits = dict(list(commits.items())[-MOST_COMMITS:])

    def take_start(self, window_id: str) -> str | None:
        """A window ends: which commit its start has named, if any. It is forgotten."""
        commit = self._commits.get(_COMMIT_OF + window_id)
        self._commits = {name: value for name, value in self._commits.items() if name != _COMMIT_OF + window_id}
        return commit

    def fields(self) -> dict[str, Any]:
        """What is handed on; empty if there is nothing."""
        left_out = {_LEFT_OUT: self.left_out} if self.left_out else {}
        return {**self.outages.fields(), **left_out, **self._commits}
