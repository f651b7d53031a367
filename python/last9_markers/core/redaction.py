"""Keeps secrets out of everything the engine prints or answers."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

HIDDEN = "****"

# A text that looks like a secret is one, even if we do not know it: a JWT (also one cut short), a Bearer value,
# and user information in a URL.
_LOOKS_SECRET = (
    (re.compile(r"eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,2}"), HIDDEN),
    (re.compile(r"(?i)\b(Bearer|Basic)(\s+|%20|\+)[^\s\"',;]+"), r"\1 " + HIDDEN),
    # The scheme's first letter is not looked for: to try that at each letter of a long word takes quadratic time.
    (re.compile(r"(?<=[A-Za-z0-9+.-])://[^\s/?#\"'<>]*@"), "://" + HIDDEN + "@"),
)
# What moves a cursor, breaks a line, or turns the direction of the text that follows.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

#: A shorter text is too likely to be part of an innocent word; of a longer one its beginning is hidden.
_SHORTEST, _LONGEST = 6, 16384
#: As many letters of a secret in a row are worth hiding what they stand in.
_TELLING = 16


def _spellings(text: str) -> set[str]:
    """As it is, escaped for URLs, JSON (once and twice), HTML and by ``repr``, in hexadecimal, and in base64 wherever it may begin."""
    as_bytes = text.encode("utf-8", "replace")
    json_text = json.dumps(text)[1:-1]
    in_html = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    encoded = base64.b64encode(as_bytes).decode()
    found = {
        text,
        quote(as_bytes, safe=""),
        quote(as_bytes),
        quote_plus(as_bytes),
        quote(quote(as_bytes, safe=""), safe=""),
        json_text,
        json.dumps(json_text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        in_html,
        in_html.replace('"', "&quot;").replace("'", "&#x27;"),
        in_html.replace('"', "&#34;").replace("'", "&#39;"),
        repr(text)[1:-1],
        repr(as_bytes)[2:-1],
        text.encode("unicode_escape").decode(),
        as_bytes.hex(),
        encoded,
        encoded.rstrip("="),
    }
    for spelling in (encoded.rstrip("="), *_inside_base64(as_bytes)):
        found |= {spelling, spelling.replace("+", "-").replace("/", "_")}
    return {spelling for spelling in found if len(spelling) >= _SHORTEST}


def _inside_base64(content: bytes) -> list[str]:
    """The letters around it if it is part of a longer text, as in ``user:password``."""
    found = []
    for before in range(3):
        # 3 bytes are 4 letters: at either end one letter may hold bits of a neighbour.
        letters = base64.b64encode(b"\0" * before + content).decode().rstrip("=")
        found.append(letters[(0, 2, 3)[before] : len(letters) - (1 if (before + len(content)) % 3 else 0)])
    return found


class Redactor:
    """Knows the secrets of this run and removes them from text, in every spelling an error message could carry."""

    def __init__(self) -> None:
        self._spellings: set[str] = set()
        self._lowered: set[str] = set()
        self._secrets: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def hide(self, secret: str | None) -> None:
        """From now on that secret is removed, in every spelling of :func:`_spellings`, in upper or lower case."""
        # A secret of several lines may be shown line by line.
        secret = (secret or "")[:_LONGEST]
        new = {text for text in (secret, secret.strip(), *secret.splitlines()) if len(text) >= _SHORTEST} - self._secrets
        if not new:
            return
        self._secrets |= new
        for text in new:
            self._spellings |= _spellings(text)
        self._lowered = {spelling.lower() for spelling in self._spellings}
        self._pattern = None

    def echoes(self, text: str) -> bool:
        """Whether this many letters in a row belong to a secret, in upper or lower case, that the text must not be shown at all."""
        lowered = text.lower()
        pieces = {lowered[place : place + _TELLING] for place in range(len(lowered) - _TELLING + 1)}
        return any(
            secret[place : place + _TELLING] in pieces
            for secret in map(str.lower, self._secrets)
            for place in range(len(secret) - _TELLING + 1)
        )

    def without_secrets(self, text: str) -> str:
        """The text with the known secrets replaced by ``****``, nothing else changed."""
        lowered = text.lower()
        if not any(spelling in lowered for spelling in self._lowered):
            return text
        # Only now: a pattern of this size takes longer to compile than a marker takes to compose.
        if self._pattern is None:
            # Longest first, so that no spelling leaves the tail of a longer one behind. In any case: a host's name comes back in small
            # letters, an escape's digits in either.
            longest_first = sorted(self._spellings, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)
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
