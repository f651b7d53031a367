"""The only way to open files by name: a trap in a file's place (a link, a fifo, a device, a stranger's file) neither hangs us nor is read.

Every problem is an ``OSError``, whose ``strerror`` says in a few words what is wrong.
"""

from __future__ import annotations

import errno
import os
import stat

#: Not set on Windows, where opening follows links; there is no harm in the other two missing, as there are no fifos to wait for.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_AS_IT_IS = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def read(path: str, limit: int, *, own: bool = False, links: bool = False) -> bytes:
    """Return the content of a regular file of at most ``limit`` bytes. Never waits for anybody to write it.

    ``own``: refuse a file of another user's (root's is as good as one's own). ``links``: ``path`` may be a link, which must lead to such
    a file. Raises ``OSError``.
    """
    with os.fdopen(descriptor(path, limit, own=own, links=links), "rb") as file:
        content = file.read(limit + 1)
    if len(content) > limit:  # it has grown since
        raise _problem(errno.EFBIG, f"larger than {limit} bytes", path)
    return content


def descriptor(path: str, limit: int | None = None, *, flags: int = os.O_RDONLY, own: bool = False, links: bool = False) -> int:
    """Open a regular file with the guarantees of :func:`read` and return its descriptor, which no child process inherits."""
    try:
        found = os.open(path, flags | _NO_WAIT | _AS_IT_IS | (0 if links else _NO_LINK), 0o600)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK) and os.path.islink(path):
            raise _problem(errno.ELOOP, "a symbolic link", path) from None
        if error.errno == errno.ENXIO:  # a fifo that is opened for writing and has no reader
            raise _problem(errno.EINVAL, "not a regular file", path) from None
        raise
    try:
        _check(os.fstat(found), path, limit, own)
    except OSError:
        os.close(found)
        raise
    return found


def create(path: str, content: bytes, mode: int = 0o600) -> None:
    """Write a new file, of exactly that mode. Raises ``FileExistsError`` if anything has that name: links are not followed."""
    found = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _AS_IT_IS, mode)
    try:
        with os.fdopen(found, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)  # the umask may have removed bits
            file.write(content)
    except OSError:
        os.unlink(path)
        raise


def replace(path: str, content: bytes, mode: int = 0o600) -> None:
    """Write a file under a name aside and rename it to ``path``: readers see the old content or the new one. A link there is replaced."""
    import time

    aside = os.path.join(os.path.dirname(path), f".aside-{os.getpid()}-{time.time_ns()}")
    create(aside, content, mode)
    try:
        os.replace(aside, path)
    except OSError:
        os.unlink(aside)
        raise


def close_to_others(folder: str) -> str | None:
    """Give a folder of ours the mode 0700; return the reason if it stays open to others: it is another user's, or will not be changed."""
    try:
        found = os.lstat(folder)
        if not hasattr(os, "geteuid"):
            return None
        if not stat.S_ISDIR(found.st_mode):
            return "it is not a folder"
        if found.st_uid != os.geteuid():
            return f"it belongs to user {found.st_uid}"
        if found.st_mode & 0o077:
            os.chmod(folder, 0o700)
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def _check(found: os.stat_result, path: str, limit: int | None, own: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise _problem(errno.EINVAL, "not a regular file", path)
    if own and hasattr(os, "geteuid") and found.st_uid not in (os.geteuid(), 0):
        raise _problem(errno.EPERM, f"belongs to user {found.st_uid}", path)
    if limit is not None and found.st_size > limit:
        raise _problem(errno.EFBIG, f"larger than {limit} bytes", path)


def _problem(number: int, text: str, path: str) -> OSError:
    return OSError(number, text, path)
