"""Writes a zip whose bytes follow from its contents alone.

Python's zipfile compresses with the zlib it happens to be linked with, and those differ. Zopfli, pinned in requirements-dev.txt, gives the
same bytes everywhere, and fewer. It is slow, so what it made is kept under .cache/ by the hash of what went in.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_SHEBANG = b"#!/usr/bin/env python3\n"
_DOS_DATE = (0 << 9) | (1 << 5) | 1  # 1980-01-01, where zip's calendar begins
_MODE = 0o100644 << 16
_UNIX = 3
_STORED, _DEFLATED = 0, 8
# Not compressed: first.py runs the first entry from where it lies, and nothing has said yet whether this Python has zlib.
_READ_FIRST = ("last9_loading.py", "__main__.py")


@dataclass(frozen=True)
class _Entry:
    name: bytes
    method: int
    checksum: int
    packed: bytes
    size: int


def write(entries: dict[str, bytes], cache: Path) -> bytes:
    """Return the archive: the first files to be read, then the others by name, each compressed by itself."""
    order = [*_READ_FIRST, *sorted(set(entries) - set(_READ_FIRST))]
    parts = [_SHEBANG]
    directory = []
    offset = len(_SHEBANG)
    with ThreadPoolExecutor() as pool:  # zopfli lets other threads run meanwhile
        packed = list(pool.map(lambda name: _pack(name, entries[name], cache), order))
    for entry in packed:
        local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, entry.method, 0, _DOS_DATE, *_sizes(entry), len(entry.name), 0)
        parts += [local, entry.name, entry.packed]
        directory.append(_directory_entry(entry, offset))
        offset += len(local) + len(entry.name) + len(entry.packed)
    listing = b"".join(directory)
    count = len(order)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(listing), offset, 0)
    return b"".join([*parts, listing, end])


def _directory_entry(entry: _Entry, offset: int) -> bytes:
    made = struct.pack("<4sBB5H", b"PK\1\2", 20, _UNIX, 20, 0, entry.method, 0, _DOS_DATE)
    rest = struct.pack("<3I5H2I", *_sizes(entry), len(entry.name), 0, 0, 0, 0, _MODE, offset)
    return made + rest + entry.name


def _sizes(entry: _Entry) -> tuple[int, int, int]:
    return entry.checksum, len(entry.packed), entry.size


def _pack(name: str, data: bytes, cache: Path) -> _Entry:
    packed = data if name in _READ_FIRST else _deflate(data, cache)
    method = _DEFLATED if len(packed) < len(data) else _STORED
    return _Entry(name.encode("ascii"), method, zlib.crc32(data), packed if method else data, len(data))


def _deflate(data: bytes, cache: Path) -> bytes:
    """Compress, or take what an earlier build made of the same bytes."""
    kept = cache / hashlib.sha256(data).hexdigest()
    packed = _kept(kept, data)
    if packed is None:
        from zopfli.zlib import compress  # here, so that reading a bundle needs no compressor

        packed = bytes(compress(data)[2:-4])  # without zlib's header and checksum
        cache.mkdir(parents=True, exist_ok=True)
        aside = kept.with_suffix(f".{threading.get_ident()}")
        aside.write_bytes(packed)
        aside.replace(kept)
    return packed


def _kept(kept: Path, data: bytes) -> bytes | None:
    try:
        packed = kept.read_bytes()
        return packed if zlib.decompress(packed, -15) == data else None
    except (OSError, zlib.error):
        return None
