"""The place of each bar in the timeline. Across in percent, because a page without scripts does not know its width; down in pixels.

Deployments of one service and environment share a lane; those that overlap, or are too close to each other, get separate rows in it.
The space for a label is estimated for a narrow and for a wide page; the stylesheet shows the one that fits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from last9_markers.report import formatting, wording
from last9_markers.report.deployment import Deployment

ROW_HEIGHT = 28
_LEAST_HEIGHT = 44
#: The least width of the drawing on a phone and on a desktop screen, in pixels; the stylesheet turns from one to the other at 900.
NARROW, WIDE = 320, 560
#: Room for the sign at a bar's end, in pixels; two bars in a row keep that distance on a phone too.
SIGN = 18
_CHARACTER = 6.7
_MARGIN = 3.5
_LEAST_SPAN_MS = 10_000
_STEPS_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
_MOST_TICKS = 9


class Label(NamedTuple):
    """A bar's words: ``at`` in percent, ``shift`` in pixels from there, ``anchor`` as in SVG, ``where``: ``all``, ``wide``, ``narrow``."""

    text: str
    at: float
    shift: int
    anchor: str
    inside: bool
    where: str


class Bar(NamedTuple):
    """One deployment's bar; ``y`` is the middle of its row."""

    deployment: Deployment
    title: str
    left: float
    width: float
    y: int
    labels: list[Label]


class Lane(NamedTuple):
    """All deployments of a service in an environment."""

    service: str
    environment: str | None
    height: int
    bars: list[Bar]


class Tick(NamedTuple):
    """A line of the time axis; ``minor`` ones have no label on a phone."""

    at: float
    label: str
    minor: bool


class Timeline(NamedTuple):
    """Everything that is drawn, and the time that its left and right edge stand for."""

    from_ms: float
    to_ms: float
    ticks: list[Tick]
    lanes: list[Lane]


def lay_out(deployments: list[Deployment], now_ms: int) -> Timeline:
    """Place all deployments; those that are still running reach to ``now_ms``."""
    begins = min(deployment.begun_ms for deployment in deployments)
    ends = max(deployment.until(now_ms) for deployment in deployments)
    # A single moment needs some time around it.
    spare = max((ends - begins) / (100 - 2 * _MARGIN) * _MARGIN, (_LEAST_SPAN_MS - (ends - begins)) / 2)
    scale = _Scale(begins - spare, ends + spare)
    grouped: dict[tuple[str, str | None], list[Deployment]] = {}
    for deployment in deployments:
        grouped.setdefault((deployment.service, deployment.environment), []).append(deployment)
    day = formatting.date(begins) != formatting.date(ends)
    lanes = [_lane(service, environment, group, scale, now_ms, day=day) for (service, environment), group in grouped.items()]
    return Timeline(scale.from_ms, scale.to_ms, _ticks(scale), lanes)


class _Scale(NamedTuple):
    from_ms: float
    to_ms: float

    def at(self, moment_ms: float) -> float:
        return (moment_ms - self.from_ms) / (self.to_ms - self.from_ms) * 100


def _lane(service: str, environment: str | None, group: Iterable[Deployment], scale: _Scale, now_ms: int, *, day: bool) -> Lane:
    rows: list[list[tuple[float, float, Deployment]]] = []
    gap = SIGN / NARROW * 100
    for deployment in group:  # in the order in which they began
        left, right = scale.at(deployment.begun_ms), scale.at(deployment.until(now_ms))
        row = next((row for row in rows if row[-1][1] + gap <= left), None)
        if row is None:
            rows.append(row := [])
        row.append((left, right, deployment))
    height = max(len(rows) * ROW_HEIGHT + 8, _LEAST_HEIGHT)
    top = (height - len(rows) * ROW_HEIGHT) // 2
    bars = []
    for number, row in enumerate(rows):
        y = top + number * ROW_HEIGHT + ROW_HEIGHT // 2
        room = _Room()
        for place, (left, right, deployment) in enumerate(row):
            room.until = row[place + 1][0] if place + 1 < len(row) else 100
            labels = _labels(deployment, left, right, room)
            room.leave(right)
            bars.append(Bar(deployment, wording.bar_title(deployment, day=day), left, right - left, y, labels))
    return Lane(service, environment, height, bars)


class _Room:
    """What is still free beside a bar in its row, on a narrow and on a wide page; ``until`` is where the next bar begins."""

    def __init__(self) -> None:
        self.until = 100.0
        self._taken = {NARROW: 0.0, WIDE: 0.0}

    def leave(self, right: float) -> None:
        """The next bar has this one on its left."""
        self._taken = {width: max(taken, right) for width, taken in self._taken.items()}

    def label(self, text: str, width: int, left: float, right: float, where: str) -> Label | None:
        """The words in the bar, to its right or to its left, and their room taken; ``None`` if they do not fit."""
        # A neighbour's sign, or the tick of its start, reaches a little to this side.
        needed = (len(text) * _CHARACTER + SIGN * 1.5) / width * 100
        if right - left >= needed:
            return Label(text, left, 8, "start", True, where)
        if self.until - right >= needed:
            for each in self._taken if where == "all" else (width,):
                self._taken[each] = right + needed
            return Label(text, right, 13, "start", False, where)
        if left - self._taken[width] >= needed:
            # If the bar is shorter than its sign, the sign is at the bar's beginning.
            return Label(text, left, -6 if (right - left) / 100 * NARROW > SIGN else -14, "end", False, where)
        return None


def _labels(deployment: Deployment, left: float, right: float, room: _Room) -> list[Label]:
    """The words at the bar: for both widths if they fit the narrow one, else one for each that has room."""
    words = wording.bar_labels(deployment)
    both = room.label(words[0], NARROW, left, right, "all") if words else None
    if both is not None:
        return [both]
    found = (_first(words, WIDE, left, right, room, "wide"), _first(words, NARROW, left, right, room, "narrow"))
    return [label for label in found if label]


def _first(words: list[str], width: int, left: float, right: float, room: _Room, where: str) -> Label | None:
    return next(filter(None, (room.label(text, width, left, right, where) for text in words)), None)


def _ticks(scale: _Scale) -> list[Tick]:
    seconds = (scale.to_ms - scale.from_ms) / 1000
    step = next((step for step in _STEPS_SECONDS if seconds / step <= _MOST_TICKS), None)
    if step is None:  # years: whole weeks, as many as it takes
        step = _STEPS_SECONDS[-1] * int(-(-seconds // (_STEPS_SECONDS[-1] * _MOST_TICKS)))
    first = int(-(-scale.from_ms // (step * 1000))) * step
    moments = range(first, int(scale.to_ms // 1000) + 1, step)
    crowded = len(moments) > 4
    return [Tick(scale.at(at * 1000), _tick_label(at, step), crowded and number % 2 == 1) for number, at in enumerate(moments)]


def _tick_label(at: int, step: int) -> str:
    if at % 86400 == 0:
        return formatting.short_date(at * 1000)
    return formatting.clock(at * 1000)[: 5 if step % 60 == 0 else 8]
