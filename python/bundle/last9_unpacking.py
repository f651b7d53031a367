"""Unpacks the engine on a node's first marker, so that later ones start from compiled code.

Every step may meet twenty processes doing the same, a `kill -9`, a full disk or a folder that cannot be written. So files are written
into a folder aside, which becomes the cache by one rename; whatever fails, the engine runs from the zip instead.
"""

from __future__ import annotations

import os
import re
import sys
import time
from hashlib import sha256
from typing import Callable, Protocol

KEPT = 3
#: Not needed by a marker that goes as it should: these stay in the zip, and a node's first marker has a third less to write.
RARELY_NEEDED = ("backoff/", "certifi/", "idna/", "jinja2/", "licenses/", "markupsafe/")
ABANDONED_AFTER_SECONDS = 3600
LEFT_OVER_AFTER_SECONDS = 86400

_CACHE = re.compile(r"[0-9a-f]{16}")
_ASIDE = re.compile(r"\.[0-9a-f]{16}\..+")
_BUNDLE = re.compile(r"last9-markers-[0-9a-f]{64}\.pyz")
_LEFT_OVER = re.compile(r"(request|incoming)-[0-9a-f-]{36}\.(json|pyz)")


class Archive(Protocol):
    """What is needed of zipimport.zipimporter."""

    def get_data(self, pathname: str, /) -> bytes:
        """Return one entry's bytes."""


def unpack(archive: Archive, bundle: str, cache: str, is_whole: Callable[[str], bool]) -> bool:
    """Make `cache` and return whether it can be used."""
    aside = os.path.join(os.path.dirname(cache), f".{os.path.basename(cache)}.{os.getpid()}.{time.time_ns()}")
    try:
        os.makedirs(os.path.dirname(cache), exist_ok=True)
        os.mkdir(aside, 0o700)
        _write_all(archive, bundle, aside)
        _put_in_place(aside, cache, is_whole)
        _prune(os.path.dirname(cache), keep=(cache, bundle))
    except (OSError, ValueError):
        discard(aside)
    return is_whole(cache)


def discard(folder: str) -> None:
    """Remove a folder (or what lies in its place) as far as that is possible; never fails."""
    if os.path.islink(folder) or os.path.isfile(folder):
        _attempt(os.unlink, folder)
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            _attempt(os.unlink, os.path.join(parent, name))
        for name in folders:
            path = os.path.join(parent, name)
            _attempt(os.unlink if os.path.islink(path) else os.rmdir, path)
    _attempt(os.rmdir, folder)


def _write_all(archive: Archive, bundle: str, aside: str) -> None:
    """Write what the manifest lists and the engine needs, then the listing that makes it complete."""
    listing = []
    made = set()
    for line in archive.get_data(os.path.join(bundle, "MANIFEST.sha256")).decode("ascii").splitlines():
        digest, name = line.split("  ", 1)
        if "/" not in name or name.startswith(RARELY_NEEDED):
            continue
        data = archive.get_data(os.path.join(bundle, *name.split("/")))
        if sha256(data).hexdigest() != digest:
            raise ValueError(f"{name} is damaged")
        path = os.path.join(aside, *name.split("/"))
        parent = os.path.dirname(path)
        if parent not in made:
            os.makedirs(os.path.join(parent, "__pycache__"), 0o700, exist_ok=True)
            made.add(parent)
        with open(path, "xb") as file:
            file.write(data)
        listing.append(f"{len(data)} {name}\n")
    with open(os.path.join(aside, "complete"), "xb") as file:
        file.write("".join(listing).encode("ascii"))


def _put_in_place(aside: str, cache: str, is_whole: Callable[[str], bool]) -> None:
    """Rename `aside` to `cache`; where another process was first, its folder serves as well."""
    for _ in range(3):
        try:
            os.rename(aside, cache)
            return
        except OSError:
            if is_whole(cache):
                discard(aside)
                return
        # Somebody cleaned a part of it, or it is not ours: out of the way in one step, as others may be reading it.
        broken = f"{aside}.broken"
        os.rename(cache, broken)
        if is_whole(broken):  # another process had put it right just before
            os.rename(broken, cache)
        discard(broken)
    raise OSError(f"{cache} cannot be replaced")


def _prune(folder: str, keep: tuple[str, ...]) -> None:
    """Keep the three most recently used caches and bundles, and clear up after processes that were killed."""
    now = time.time()
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.path, entry.stat(follow_symlinks=False).st_mtime) for entry in entries]
    for pattern in (_CACHE, _BUNDLE):
        ours = [(modified, path) for name, path, modified in found if pattern.fullmatch(name) and path not in keep]
        for _, path in sorted(ours, reverse=True)[KEPT - 1 :]:
            _remove(path)
    for name, path, modified in found:
        abandoned = _ASIDE.fullmatch(name) and now - modified > ABANDONED_AFTER_SECONDS
        if abandoned or (_LEFT_OVER.fullmatch(name) and now - modified > LEFT_OVER_AFTER_SECONDS):
            _remove(path)


def _remove(path: str) -> None:
    """Rename first: whoever looks meanwhile sees all of a cache or nothing."""
    parent, name = os.path.split(path)
    aside = os.path.join(parent, f".{name.lstrip('.')}.{os.getpid()}")
    _attempt(lambda old: os.rename(old, aside), path)
    discard(aside)


def _attempt(action: Callable[[str], object], path: str) -> None:
    try:
        action(path)
    except OSError as error:
        if os.environ.get("LAST9_DEBUG"):
            sys.stderr.write(f"[Last9] {error}\n")
