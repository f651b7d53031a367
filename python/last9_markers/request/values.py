"""Reads the values of options, and recognizes values that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from last9_markers.request.variables import folded

T = TypeVar("T")

#: What a variable that is not set becomes in a text of Groovy's (``"${env.SERVICE}"``), and JSON's null in many a reader.
NULL = "null"

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")
#: What a yes or no may be written as.
SWITCH = _YES + _NO


def as_text(value: Any) -> str | None:
    """The text of an option, trimmed; empty if it is blank."""
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value)).strip() or None


def known(text: str | None) -> str | None:
    """The value of a variable: trimmed; blank and ``null`` count as not set."""
    text = as_text(text)
    return None if text == NULL else text


def is_yes(value: Any) -> bool:
    """Whether an option says yes."""
    return (as_text(value) or "").lower() in _YES


def misfit(value: Any) -> str | None:
    """``null``, ``list`` or ``map`` if the value is that instead of one text; ``None`` if it is a text, or becomes one."""
    if isinstance(value, list):
        return "list"
    if isinstance(value, dict):
        return "map"
    return "null" if as_text(value) == NULL else None


def names(found: Mapping[str, T], name: str) -> T | None:
    """The value under that name, or else under one that differs in nothing but case."""
    if name in found:
        return found[name]
    return next((value for other, value in found.items() if folded(other) == folded(name)), None)
