"""``startInBackground``: a start that does not hold the deployment, delivered by a process of its own.

``launching`` is the engine's side at the start, ``child`` the process that delivers, ``settling`` what every later marker does about
it: learn its fate, wait for it, send it again. They meet in one file, ``statefile``; docs/decisions/9 says why it is made so.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from last9_markers.contract import Request

#: Where state files go: the command line sets the first, the library's launcher the second (its folder for all that the engine leaves
#: on an agent from one marker to the next).
FOLDER_VARIABLE, LAUNCHERS_FOLDER_VARIABLE = "LAST9_BACKGROUND_DIR", "LAST9_CACHE_DIR"

_WINDOW_ID = re.compile(r"[0-9A-Za-z-]{8,64}")


def state_path(environ: Mapping[str, str], window_id: object) -> str | None:
    """Where the state of that window's start would be on this agent; ``None`` where there is no folder for it."""
    folder = environ.get(FOLDER_VARIABLE) or environ.get(LAUNCHERS_FOLDER_VARIABLE)
    if not folder or not isinstance(window_id, str) or not _WINDOW_ID.fullmatch(window_id):
        return None
    return os.path.join(os.path.abspath(folder), f"background-{window_id}.jsonl")


def concerns(request: Request, environ: Mapping[str, str]) -> bool:
    """Whether this marker could have to do with a start in the background: the others need not load what settles it."""
    path = state_path(environ, request.window_id)
    # A start without an answer ("contract") may have been left to the background before its engine was killed.
    return (path is not None and os.path.exists(path)) or any('"background"' in text or '"contract"' in text for text in request.pending)
