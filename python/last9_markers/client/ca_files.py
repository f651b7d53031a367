"""Reads CA certificates that OpenSSL cannot read: files with a damaged certificate, folders without hash links.

OpenSSL drops a whole file for one bad certificate in it, and finds nothing in a folder whose files are not named by their hashes
(``openssl rehash``).
"""

from __future__ import annotations

import errno
import os
import re
import ssl
import stat

_HASHED = re.compile(r"[0-9a-f]{8}\.r?[0-9]+")
#: One certificate; a second beginning before the end belongs to the next. Compiled only if there is need for it.
_CERTIFICATE = r"-----BEGIN (?:X509 )?CERTIFICATE-----((?:(?!-----BEGIN ).)*?)-----END (?:X509 )?CERTIFICATE-----"
_BEGINNING = r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----"
#: The largest bundles have some 200 kB. A folder of CAs may lie beside anything.
_LARGEST_BYTES = 8 * 1024 * 1024
_MOST_FILES = 1000


def add_file(context: ssl.SSLContext, path: str) -> int:
    """Trust the certificates in a PEM file; return how many in it cannot be read. Raises ``OSError`` or ``ssl.SSLError`` if none can."""
    text = _read(path)
    error: ssl.SSLError | None = None
    try:
        context.load_verify_locations(cafile=path)
        # A certificate without its last line swallows the next one, and OpenSSL does not mind.
        if text.count("-----BEGIN ") == text.count("-----END "):
            return 0
    except ssl.SSLError as refused:
        error = refused
    good, bad = _add_each(context, text)
    if error is not None and not good:
        raise error
    return bad


def add_folder(context: ssl.SSLContext, folder: str) -> tuple[int, int]:
    """Trust every certificate in the folder's files, with any name; return how many could and could not be read.

    Raises ``OSError`` if the folder cannot be read.
    """
    good = bad = 0
    for name in sorted(os.listdir(folder))[:_MOST_FILES]:
        if not _HASHED.fullmatch(name):  # OpenSSL finds those by itself
            try:
                added = _add_each(context, _read(os.path.join(folder, name)))
            except OSError:
                continue
            good, bad = good + added[0], bad + added[1]
    return good, bad


def is_hashed(folder: str | None) -> bool:
    """Whether OpenSSL finds certificates in the folder by their hashes."""
    try:
        return bool(folder) and any(_HASHED.fullmatch(name) for name in os.listdir(folder))
    except OSError:
        return False


def _add_each(context: ssl.SSLContext, text: str) -> tuple[int, int]:
    good = 0
    for found in re.finditer(_CERTIFICATE, text, re.DOTALL):
        try:
            # Without what stands around the block, and line by line as OpenSSL wants it.
            lines = "\n".join(found[1].split())
            context.load_verify_locations(cadata=f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
            good += 1
        except (ssl.SSLError, ValueError):
            continue
    return good, len(re.findall(_BEGINNING, text)) - good


def _read(path: str) -> str:
    """The text of a regular file. Raises ``OSError``, also if it is something else: a pipe would never end."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a file", path)
        return file.read(_LARGEST_BYTES).decode("latin-1")
