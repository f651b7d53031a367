"""The form of values in the report: names of any kind made harmless, times, durations, links."""

from __future__ import annotations

import re
import time

_LINK = re.compile(
    r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?#][!#$%&'()*+,./0-9:;=?@A-Z_a-z~-]*)?|https?://\[[0-9a-f:.]+\](?::[0-9]{1,5})?/?"
)
#: Marks and overrides of the writing direction: in the middle of a page they turn around what stands beside them.
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN = re.compile(f"[\x00-\x1f\x7f-\x9f{_DIRECTION}\u2028\u2029\ufdd0-\ufdef\ufffe\uffff]")
#: The dot of ``www.`` too: GitHub makes a link of such a name by itself.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#|~!:]|(?<=\bwww)\.)", re.IGNORECASE)


#: How much of a name is shown. The JSON has all that is on record.
LONGEST = 300


def shown(text: str) -> str:
    """A name as the page and the summary show it: visible, and cut if it is too long."""
    return visible(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")


def visible(text: str) -> str:
    """The text with control characters made visible, and nothing in it that a page could not carry."""
    return _UNSEEN.sub(_symbol, text.encode("utf-8", "replace").decode())


def _symbol(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"‹U+{code:04X}›"


def markdown(text: str) -> str:
    """A name as plain words in Markdown: no markup, no link, no mention, no table cell comes of it."""
    escaped = _MARKDOWN.sub(r"\\\1", shown(text))
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # GitHub looks for mentions in what is shown, where an escaped @ is one as well: so something without width follows it.
    return escaped.replace("@", "@&#8203;")


def http_link(url: str | None) -> str | None:
    """The URL if it is a plain one of http or https, without a user in it; ``None`` for anything else."""
    return url if url and _LINK.fullmatch(url) else None


def clock(at_ms: int, *, day: bool = False) -> str:
    """``14:02:15``, with ``day`` ``24 Nov 14:02:15``; UTC."""
    moment = time.gmtime(at_ms / 1000)
    return f"{short_date(at_ms)} " * day + f"{moment.tm_hour:02d}:{moment.tm_min:02d}:{moment.tm_sec:02d}"


def date(at_ms: int) -> str:
    """``24 November 2026``; UTC."""
    moment = time.gmtime(at_ms / 1000)
    return f"{moment.tm_mday} {_MONTHS[moment.tm_mon - 1]} {moment.tm_year}"


def short_date(at_ms: int) -> str:
    """``24 Nov``; UTC."""
    moment = time.gmtime(at_ms / 1000)
    return f"{moment.tm_mday} {_MONTHS[moment.tm_mon - 1][:3]}"


#: Not from the locale: the page does not depend on the agent's.
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
