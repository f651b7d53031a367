"""The text of an answer that is not a success, in any form of body: for a warning to quote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from last9_markers.core.redaction import Redactor

#: Of a quotation in a warning.
LONGEST = 200
#: What servers call the text of a refusal, most telling first (OAuth, RFC 9457, JSON:API, Google, AWS and Kong among them).
_KEYS = ("error", "message", "error_description", "detail", "title", "description", "reason", "msg", "fault", "faultstring", "errors")
_DEEPEST = 6
# A page of nothing but openings must be no more work than another: none of these looks for an end from each beginning to the page's end.
_TITLE = re.compile(r"<(title|h1|h2)\b[^<>]*>(.{0,400}?)</\1\s*>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_INVISIBLE = tuple(
    (re.compile(beginning, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for beginning, end in (("<!--", "-->"), *((rf"<{name}\b", rf"</{name}\s*>") for name in ("script", "style", "head")))
)


class Said(NamedTuple):
    """``text``: one line, redacted and cut, "" if there are no words, or if they repeat a part of a token.

    ``is_page``: HTML, which no API answers with.
    """

    text: str
    is_page: bool


def read(body: bytes | None, redactor: Redactor) -> Said:
    """The words of a body: those of a JSON object's usual keys, at any depth, a page's title or else its text, or the text itself."""
    text = _text(body)
    if redactor.echoes(text):
        return Said("", is_page=text[:1] == "<")
    if text[:1] == "<":
        return Said(title(body, redactor) or _line(_without_tags(text), redactor), is_page=True)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Said("" if _is_binary(text) else _line(text, redactor), is_page=False)
    words = list(dict.fromkeys(_words(found, _DEEPEST)))
    if not words and found:
        words = [text]
    return Said(_shown(": ".join(words), redactor), is_page=False)


def title(body: bytes | None, redactor: Redactor) -> str:
    """The title of a page, or else its first heading; "" if it has none."""
    text = _text(body)
    if redactor.echoes(text):
        return ""
    found = (_line(_without_tags(found[2]), redactor) for found in _TITLE.finditer(text))
    return next(filter(None, found), "")


def _words(found: Any, depth: int) -> Iterator[str]:
    if isinstance(found, str):
        if found.strip():
            yield found.strip()
    elif isinstance(found, list) and depth:
        for each in found[:3]:
            yield from _words(each, depth - 1)
    elif isinstance(found, dict) and depth:
        for key in _KEYS:
            yield from _words(found.get(key), depth - 1)


def _text(body: bytes | None) -> str:
    return (body or b"").decode("utf-8", "replace").lstrip("\ufeff").strip()


def _without_tags(text: str) -> str:
    from html import unescape

    for beginning, end in _INVISIBLE:
        text = _without(text, beginning, end)
    return unescape(_TAG.sub(" ", text))


def _without(text: str, beginning: re.Pattern[str], end: re.Pattern[str]) -> str:
    kept, place = [], 0
    while (first := beginning.search(text, place)) and (last := end.search(text, first.end())):
        kept.append(text[place : first.start()])
        place = last.end()
    return " ".join([*kept, text[place:]])


def _is_binary(text: str) -> bool:
    return text.count("\ufffd") + text.count("\0") > len(text) // 20


def _line(text: str, redactor: Redactor) -> str:
    # Redacted as it came, since a secret may hold what is made one blank here.
    return _shown(" ".join(redactor.presentable(text).split()), redactor)


def _shown(text: str, redactor: Redactor) -> str:
    # Asked once more, now that no escape of JSON's or HTML's hides anything.
    if redactor.echoes(text):
        return ""
    # Only what is redacted is cut: half a secret would not be recognized.
    text = redactor.clean(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
