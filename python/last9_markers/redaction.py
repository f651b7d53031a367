"""Keeps secrets out of everything the engine prints or answers."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

HIDDEN = "****"

# What looks like a secret is one, even where nobody told us about it: a JWT (also one cut short), a Bearer value,
# and user information in a URL.
_LOOKS_SECRET = (
    (re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,2}"), HIDDEN),
    (re.compile(r"(?i)\b(Bearer|Basic)(\s+|%20|\+)[^\s\"',;]+"), r"\1 " + HIDDEN),
    (re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s/?#\"'<>]*@"), r"\1" + HIDDEN + "@"),
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

#: A shorter text is too likely to be part of an innocent word.
_SHORTEST = 6


class Redactor:
    """Knows the secrets of this run and removes them from text, in every spelling an error message could carry."""

    def __init__(self) -> None:
        self._spellings: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def hide(self, secret: str | None) -> None:
        """From now on that secret is removed: as it is, trimmed, escaped for URLs and JSON, by ``repr`` and in base64."""
        for text in {secret or "", (secret or "").strip()}:
            if len(text) < _SHORTEST:
                continue
            as_bytes = text.encode("utf-8", "replace")
            encoded = base64.b64encode(as_bytes).decode()
            self._spellings |= {
                text,
                quote(as_bytes, safe=""),
                quote_plus(as_bytes),
                json.dumps(text)[1:-1],
                repr(text)[1:-1],
                encoded,
                base64.urlsafe_b64encode(as_bytes).decode().rstrip("="),
                encoded.rstrip("="),
            }
            self._pattern = None

    def without_secrets(self, text: str) -> str:
        """The text with the known secrets replaced by ``****``, nothing else changed."""
        if not self._spellings:
            return text
        if self._pattern is None:
            # Longest first, so that no spelling leaves the tail of a longer one behind.
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern.sub(HIDDEN, text)

    def presentable(self, text: str) -> str:
        """A text of several lines with known secrets and what looks like one removed."""
        text = self.without_secrets(text)
        for pattern, instead in _LOOKS_SECRET:
            text = pattern.sub(instead, text)
        return text

    def clean(self, text: str) -> str:
        """One printable line: :meth:`presentable`, and control characters shown as escapes."""
        text = self.presentable(text)
        # A line break or an escape sequence from outside must not forge a log line or drive a terminal.
        return _CONTROL.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
