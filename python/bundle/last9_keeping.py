"""What stays on a node for the next marker: the bundle in its place, a file of compiled code, and nothing that is old.

Others may do the same at the same moment, be killed, find a full disk, or have put a trap there: so files are created exclusively under a
name aside, without following links, and come into place by one rename. A failure here only makes the next marker slower.
"""

from __future__ import annotations

import io
import marshal
import os
import re
import sys
import time
from hashlib import sha256
from typing import Any, BinaryIO, Iterator

KEPT = 3
LARGEST = 8 << 20
ABANDONED_AFTER_SECONDS = 3600
LEFT_OVER_AFTER_SECONDS = 86400

#: Of each of these the most recently used ones stay.
_SEVERAL = (re.compile(r"code-[0-9a-f]{64}\.bin"), re.compile(r"last9-markers-[0-9a-f]{64}\.pyz"))
_ASIDE = re.compile(r"\.aside-[0-9]+-[0-9]+")
_SLOT = re.compile(r"run-[0-9]+-[0-9]+")
_LEFT_OVER = re.compile(r"((request|answer)-[0-9a-f-]{36}\.json|incoming\.pyz)")


def place(path: str) -> None:
    """Move the bundle that was brought with this marker to ``path``, and replace what is there."""
    if _put("incoming.pyz", path):
        _attempt(os.chmod, path, 0o644)  # Jenkins writes with the agent's umask
    tidy(os.path.dirname(path), (os.path.basename(path),))


def keep_code(bundle: Any) -> str | None:
    """Write the code that ``bundle`` has kept and compiled; return the file's SHA-256, None if it cannot be written."""
    content = marshal.dumps((bundle.label, tuple(bundle.packages), {**bundle.kept, **bundle.compiled}))
    digest = sha256(content).hexdigest()
    name = f"code-{digest}.bin"
    path = os.path.join(bundle.folder, name)
    if not _holds(path, content) and not _write(path, content):
        return None
    tidy(bundle.folder, (name, f"code-{bundle.code}.bin", os.path.basename(bundle.path)))
    return digest


def tidy(folder: str, in_use: tuple[str, ...]) -> None:
    """Keep the most recently used bundles and code files, and clear up after processes that were killed. Never fails."""
    now = time.time()
    found = list(_entries(folder))
    for pattern in _SEVERAL:
        ours = [(modified, path) for name, path, modified in found if pattern.fullmatch(name) and name not in in_use]
        for _, path in sorted(ours, reverse=True)[KEPT - 1 :]:
            _attempt(os.unlink, path)
    for name, path, modified in found:
        if _ASIDE.fullmatch(name) and now - modified > ABANDONED_AFTER_SECONDS:
            _discard(path)
        elif _SLOT.fullmatch(name):
            for inner, left, age in _entries(path):
                if _LEFT_OVER.fullmatch(inner) and now - age > LEFT_OVER_AFTER_SECONDS:
                    _attempt(os.unlink, left)


class Resources:
    """A package's data files in the bundle, for ``importlib.resources`` (a legacy ``ResourceReader``, which every version takes)."""

    def __init__(self, bundle: Any, package: str) -> None:
        self._bundle = bundle
        self._prefix = package.replace(".", "/") + "/"

    def open_resource(self, name: str) -> BinaryIO:
        """Return the file's bytes. Raises ``FileNotFoundError`` if there is none."""
        return io.BytesIO(self._bundle.read(self._prefix + name))

    def resource_path(self, name: str) -> str:
        """There is no such path: raise ``FileNotFoundError``."""
        raise FileNotFoundError(name)

    def is_resource(self, name: str) -> bool:
        """Whether there is such a file."""
        return self._prefix + name in self._bundle.entries()

    def contents(self) -> Iterator[str]:
        """Return the names of the package's files and folders."""
        found = (name[len(self._prefix) :] for name in self._bundle.entries() if name.startswith(self._prefix))
        return iter({name.split("/")[0] for name in found})


def _holds(path: str, content: bytes) -> bool:
    """Whether that file is whole, and now the most recently used one."""
    try:
        flags = os.O_NONBLOCK | os.O_NOFOLLOW if os.name == "posix" else getattr(os, "O_BINARY", 0)
        with open(os.open(path, flags), "rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o170000 != 0o100000 or file.read(LARGEST) != content:
                return False
        _attempt(os.utime, path, None)
        return True
    except OSError:
        return False


def _write(path: str, content: bytes) -> bool:
    """Write a file and put it in place. Another user of the folder may read it: every reader verifies it, and it holds no secret."""
    aside = _aside(path)
    try:
        # "x": exclusively, and O_EXCL follows no link
        with open(aside, "xb") as file:
            file.write(content)
        os.chmod(aside, 0o644)
    except OSError:
        _attempt(os.unlink, aside)
        return False
    if _put(aside, path):
        return True
    _attempt(os.unlink, aside)
    return False


def _put(aside: str, path: str) -> bool:
    """Rename ``aside`` to ``path``. What lies there and cannot be replaced (a folder) is moved out of the way and removed."""
    try:
        os.replace(aside, path)
        return True
    except OSError:
        blocking = _aside(path)
    try:
        os.rename(path, blocking)
        os.replace(aside, path)
        return True
    except OSError:
        return False
    finally:
        _discard(blocking)


def _aside(path: str) -> str:
    return os.path.join(os.path.dirname(path), f".aside-{os.getpid()}-{time.time_ns()}")


def _discard(path: str) -> None:
    """Remove a folder, or what lies in its place, as far as that is possible. No link is followed."""
    if os.path.isdir(path) and not os.path.islink(path):
        for parent, folders, files in os.walk(path, topdown=False):
            for name in files:
                _attempt(os.unlink, os.path.join(parent, name))
            for name in folders:
                inner = os.path.join(parent, name)
                _attempt(os.unlink if os.path.islink(inner) else os.rmdir, inner)
        _attempt(os.rmdir, path)
    else:
        _attempt(os.unlink, path)


def _entries(folder: str) -> Iterator[tuple[str, str, float]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    yield entry.name, entry.path, entry.stat(follow_symlinks=False).st_mtime
                except OSError:  # another process was faster
                    continue
    except OSError:
        return


def _attempt(action: Any, *arguments: Any) -> None:
    try:
        action(*arguments)
    except OSError as error:
        if os.environ.get("LAST9_DEBUG") and not isinstance(error, FileNotFoundError):
            sys.stderr.write(f"[Last9] {error}\n")
