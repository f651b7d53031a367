"""Files left over in the temporary workspace: an agent went away, or a process was killed, before it could clean up."""

from __future__ import annotations

import os
import re
import time

#: No window and no build lasts that long and still counts on what it has left.
AFTER_SECONDS = 86400


def find(folder: str, name: re.Pattern[str]) -> list[str]:
    """The paths of the old entries of that name. Never fails."""
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if name.fullmatch(entry.name) and _is_old(entry)]
    except OSError:
        return []


def _is_old(entry: os.DirEntry[str]) -> bool:
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > AFTER_SECONDS
    except OSError:  # another process was faster
        return False
