"""How long a text may be. People who write to a repository or start a build choose some of them."""

from __future__ import annotations

#: Bytes in UTF-8 of a name or a value: an event of at most 27 attributes stays under 64 kB by that.
LONGEST_TEXT = 1024
#: Characters of the line that people read in a list of events.
LONGEST_MESSAGE = 200
#: Letters of a text that are looked at: a secret that is cut here is far behind what is sent.
_LOOKED_AT = 64 * 1024


def looked_at(text: str) -> str:
    """The part of a text that is worth any work."""
    return text[:_LOOKED_AT]


def cut(text: str, most: int = LONGEST_TEXT) -> str:
    """The text, or as much of its beginning as that many bytes hold, no letter of it halved."""
    if len(text) * 4 <= most:
        return text
    found = text[:most].encode("utf-8", "surrogatepass")
    return text if len(text) <= most and len(found) <= most else found[:most].decode("utf-8", "ignore")


def shortened(text: str, most: int = LONGEST_MESSAGE) -> str:
    """The text, cut to this many characters with a mark if it is longer."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
