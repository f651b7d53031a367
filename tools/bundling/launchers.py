"""Puts the first program, python/bundle/first.py, into the launchers' texts: it is the root of trust there."""

from __future__ import annotations

import base64
import io
import re
import tokenize

from bundling.wheels import BundleError

LARGEST = 2048  # bytes: it is an argument of every start
_SHELL = re.compile(rb"^(first=').*?('\n)", re.DOTALL | re.MULTILINE)
_BATCH = re.compile(rb'^(set "LAST9_FIRST=)[^"\r\n]*(")', re.MULTILINE)
_HASH = re.compile(rb"^(sha256=)[0-9a-f]{64}($)", re.MULTILINE)


def first_program(source: bytes) -> bytes:
    """Return first.py as the launchers hold it: without comments and blank lines."""
    lines = source.decode("ascii").split("\n")
    for token in tokenize.generate_tokens(io.StringIO(source.decode("ascii")).readline):
        if token.type == tokenize.COMMENT:
            lines[token.start[0] - 1] = lines[token.start[0] - 1][: token.start[1]]
    first = "\n".join(line.rstrip() for line in lines if line.strip()).encode("ascii")
    if len(first) > LARGEST or b"'" in first:
        raise BundleError(f"first.py must have at most {LARGEST} bytes, and no single quotes; it has {len(first)}")
    return first


def shell(text: bytes, first: bytes, sha256: str = "") -> bytes:
    """Return a shell script with the program in its ``first='…'``, and the bundle's hash in its ``sha256=`` if one is given."""
    text = _put(_SHELL, text, first)
    return _put(_HASH, text, sha256.encode("ascii")) if sha256 else text


def batch(text: bytes, first: bytes) -> bytes:
    """Return the batch file with the program as Base64, of which no character means anything to cmd."""
    return _put(_BATCH, text, base64.b64encode(first))


def _put(place: re.Pattern[bytes], text: bytes, content: bytes) -> bytes:
    changed, count = place.subn(lambda found: found[1] + content + found[2], text)
    if count != 1:
        raise BundleError(f"a launcher has {count} places for {place.pattern.decode()}, and not one")
    return changed
