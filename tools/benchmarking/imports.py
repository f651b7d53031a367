"""Where a warm marker's loading time goes, out of ``-X importtime``."""

from __future__ import annotations

import re

_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|\s*(\S+)")
OURS = ("last9_markers", "httpx", "httpcore", "h11")
#: Modules of the standard library that are worth a line of their own: loading one brings its own family along.
FAMILIES = {
    "ssl": ("_ssl", "ssl", "socket", "_socket", "base64", "binascii"),
    "typing, re, enum": ("typing", "_typing", "re", "enum", "_sre", "copyreg", "sre_compile", "sre_parse", "sre_constants"),
    "subprocess, threading": (
        "subprocess",
        "threading",
        "signal",
        "selectors",
        "select",
        "_posixsubprocess",
        "fcntl",
        "locale",
        "_weakrefset",
    ),
}


def profile(importtime: str) -> dict[str, tuple[int, float]]:
    """Group → how many modules, and milliseconds in them alone (inflated by the measuring itself). Biggest first."""
    found: dict[str, tuple[int, float]] = {}
    for own, _, name in _LINE.findall(importtime):
        group = _group(name)
        count, spent = found.get(group, (0, 0.0))
        found[group] = (count + 1, spent + int(own) / 1000)
    return dict(sorted(found.items(), key=lambda item: -item[1][1]))


def _group(name: str) -> str:
    top = name.split(".")[0]
    if top in OURS:
        return top
    return next((family for family, members in FAMILIES.items() if top in members), "other modules of Python")
