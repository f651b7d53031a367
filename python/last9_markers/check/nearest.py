"""Did you mean …? The known names that are nearest to an unknown one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

#: How many names are worth proposing, and from which likeness on.
MOST = 3
LEAST_LIKENESS = 0.6
SURE_LIKENESS = 0.9
#: Letters that are enough to recognize a name by its beginning: ``dev``.
LEAST_SHORTENED = 3
#: More candidates than that are not compared: each takes some microseconds, and Last9 sorts its suggestions.
MOST_CANDIDATES = 5000


def nearest(wanted: str, known: Iterable[str]) -> list[str]:
    """At most three names, the nearest first. Upper and lower case, dashes, underscores and dots make no difference to the likeness."""
    folded: dict[str, list[str]] = {}
    for name in list(dict.fromkeys(known))[:MOST_CANDIDATES]:
        folded.setdefault(_fold(name), []).append(name)
    sought = _fold(wanted)
    # prod and production: similar to people, but not to the measure
    shortened = sorted((name for name in folded if _is_shortened(name, sought)), key=lambda name: abs(len(name) - len(sought)))
    near = dict.fromkeys([*difflib.get_close_matches(sought, folded, n=MOST, cutoff=SURE_LIKENESS), *shortened])
    near.update(dict.fromkeys(difflib.get_close_matches(sought, folded, n=MOST, cutoff=LEAST_LIKENESS)))
    return [name for each in near for name in folded[each] if name != wanted][:MOST]


def _is_shortened(name: str, other: str) -> bool:
    short, long = sorted((name, other), key=len)
    return len(short) >= LEAST_SHORTENED and long.startswith(short)


def _fold(name: str) -> str:
    return re.sub(r"[\s._-]+", "", name).lower()[:200]
