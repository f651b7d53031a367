"""``background``: the process that ``step`` leaves behind for ``startInBackground``. Nobody else calls it."""

from __future__ import annotations

import json
import os
import sys

from last9_markers.background.child import Child
from last9_markers.background.launching import Order
from last9_markers.background.statefile import StateFile


def main(arguments: list[str]) -> int:
    """``background --descriptor N`` with the locked state file inherited, or ``background FILE``; the order comes on stdin."""
    state = _state(arguments)
    if state is None:
        print("usage: last9-markers background FILE", file=sys.stderr)
        return 2
    try:
        order = Order(**json.loads(sys.stdin.buffer.read()))
    except (ValueError, TypeError):
        # Whoever started this was ended before it had said what to do: the marker's fate is unknown, and it is sent again.
        return 1
    Child(state, order, os.environ).run()
    return 0


def _state(arguments: list[str]) -> StateFile | None:
    if len(arguments) == 2 and arguments[0] == "--descriptor" and arguments[1].isdigit():
        return StateFile("", int(arguments[1]))
    state = StateFile.open(arguments[0]) if len(arguments) == 1 else None
    if state is None or not state.try_lock():
        return None
    # Said when the lock is held and not before: until then the start's engine answers for the marker.
    sys.stdout.buffer.write(b".")
    sys.stdout.buffer.flush()
    sys.stdout.close()
    return state
