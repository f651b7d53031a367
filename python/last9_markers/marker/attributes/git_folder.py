"""The repository of a folder, and the age of its checkout, from the file system alone, without git."""

from __future__ import annotations

import os
from collections.abc import Mapping

from last9_markers.core import safe_files

#: Bytes of the file that stands in a repository's place: one path.
_LONGEST_POINTER = 16 * 1024


def find(folder: str, environ: Mapping[str, str], *, named: bool) -> str | None:
    """Where the repository of a folder is, found as git finds it, but not above the build's own workspace.

    Jenkins' home may be a repository itself (backups are made so); that is not what is deployed. ``named``: the options name this
    folder, which says more than the environment's ``GIT_DIR``.
    """
    if environ.get("GIT_DIR") and not named:
        return environ["GIT_DIR"]
    workspace = environ.get("WORKSPACE")
    try:
        folder = os.path.realpath(folder)
        top = os.path.realpath(workspace) if workspace else None
        if not os.path.isdir(folder):
            return None
        while True:
            git = os.path.join(folder, ".git")
            # A worktree's and a submodule's is a file.
            if os.path.isfile(git) or os.path.lexists(os.path.join(git, "HEAD")):
                return git
            parent = os.path.dirname(folder)
            if folder in (top, parent):
                return None
            folder = parent
    except (OSError, ValueError):  # no name that a folder can have
        return None


def changed_at(folder: str, repository: str) -> float | None:
    """When something was last checked out or fetched there, in seconds of the agent's clock; ``None`` if nothing tells."""
    place = _place(folder, repository)
    times = [_changed_at(os.path.join(place, name)) for name in ("HEAD", "FETCH_HEAD")] if place is not None else []
    return max((time for time in times if time is not None), default=None)


def _place(folder: str, repository: str) -> str | None:
    """Where the repository keeps its ``HEAD``: in itself, or in the folder that a file in its place names."""
    place = os.path.join(folder, repository)
    try:
        if not os.path.isfile(place):
            return place
        kind, _, there = safe_files.read(place, _LONGEST_POINTER).decode("utf-8", "surrogateescape").partition(":")
        return os.path.join(os.path.dirname(place), there.strip()) if kind == "gitdir" else None
    except (OSError, ValueError):
        return None


def _changed_at(path: str) -> float | None:
    try:
        return os.lstat(path).st_mtime
    except (OSError, ValueError):
        return None
