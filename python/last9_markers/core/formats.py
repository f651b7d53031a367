"""The form of values on the wire: times as ISO 8601, lengths of time, commits as lower-case hashes, text as well-formed Unicode."""

from __future__ import annotations

import re
import time
from typing import Any

#: The end of the year 9999: ISO 8601 has no further years without prior agreement.
LAST_MOMENT_MS = 253402300799999
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")


def iso8601(epoch_ms: int) -> str:
    """Epoch milliseconds in UTC, to the millisecond. Raises ``ValueError`` before 1970 and after 9999."""
    if not 0 <= epoch_ms <= LAST_MOMENT_MS:
        raise ValueError("not a moment between 1970 and 9999")
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d}Z"


def epoch_ms(found: Any) -> int | None:
    """The epoch milliseconds of a moment that :func:`iso8601` has written; ``None`` if it has not."""
    import calendar  # only for what was kept: it brings datetime along

    try:
        return calendar.timegm(time.strptime(found[:19] + found[23:], "%Y-%m-%dT%H:%M:%SZ")) * 1000 + int(found[20:23])
    except (TypeError, ValueError, OverflowError):
        return None


def epoch_seconds(found: Any) -> float | None:
    """A foreign time as a number of seconds; ``None`` if it is not one, or of another age (after the year 5138)."""
    return float(found) if isinstance(found, (int, float)) and 0 < found < 1e11 else None


def as_commit(text: str | None) -> str | None:
    """The text as a commit's hash, lower-cased, perhaps shortened to seven digits or more; ``None`` if it is anything else."""
    return text.lower() if text and _COMMIT.fullmatch(text) else None


def duration(milliseconds: int) -> str:
    """``50 ms``, ``12.3 s``, ``1 min 3 s``, ``2 h 5 min``, ``3 d 4 h``: as exact as anybody wants to know."""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    for unit, part, unit_seconds, part_seconds in (("min", "s", 60, 1), ("h", "min", 3600, 60), ("d", "h", 86400, 3600)):
        whole, rest = divmod(round(seconds / part_seconds), unit_seconds // part_seconds)
        if unit == "d" or whole < {"min": 60, "h": 24}[unit]:
            return f"{whole} {unit} {rest} {part}" if rest else f"{whole} {unit}"
    return ""


def well_formed(text: str) -> str:
    """The text with lone surrogates (half an emoji, a byte that is not UTF-8) replaced: JSON and HTTP cannot carry them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
