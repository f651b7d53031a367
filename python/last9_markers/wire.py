"""How values look on the wire: moments as ISO 8601, text as well-formed Unicode."""

from __future__ import annotations

import time


def iso8601(epoch_ms: int) -> str:
    """Epoch milliseconds in UTC, to the millisecond. Raises ``ValueError``, ``OverflowError`` or ``OSError`` beyond the calendar."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d}Z"


def well_formed(text: str) -> str:
    """The text with lone surrogates (half an emoji, a byte that is no UTF-8) replaced: JSON and HTTP cannot carry them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
