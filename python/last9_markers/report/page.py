"""The page: one HTML file with its drawing inside, and a stylesheet beside it.

Jenkins serves artifacts with ``Content-Security-Policy: sandbox; default-src 'none'; img-src 'self'; style-src 'self'``: no scripts, and
only styles from a file. So the drawing is SVG with presentation attributes; everything that depends on a width is in the stylesheet.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from last9_markers.core import formats
from last9_markers.core.formats import iso8601
from last9_markers.report import formatting, templating, timeline, wording
from last9_markers.report.deployment import Deployment

#: For a page without its stylesheet, which has these and those for dark mode. All of them AA on white.
COLOURS = {
    "success": "#00755c",
    "unstable": "#9a6700",
    "failure": "#c11b26",
    "timeout": "#8250df",
    "aborted": "#57606a",
    "running": "#0969da",
    "unknown": "#57606a",
}


class Build(NamedTuple):
    """What the report is about. ``url`` is a plain http(s) one or nothing."""

    name: str
    url: str | None


class Report(NamedTuple):
    """Everything that is shown."""

    build: Build
    deployments: list[Deployment]
    last9: str | None
    notes: list[str]
    made_ms: int


def stylesheet() -> str:
    """The file that stands beside the page."""
    return templating.text_of("page.css")


def render(report: Report, files: dict[str, str]) -> str:
    """The page; ``files`` are the names of its neighbours by their kind."""
    deployments = report.deployments
    told = [wording.delivery(deployment) for deployment in deployments]
    place = formatting.http_link(report.last9)
    count = len(deployments)
    span = _span(deployments, report.made_ms) if deployments else (0, 0)
    values = {
        "title": f"Deployments of {report.build.name}",
        "build": report.build,
        "count": "No deployments" if not count else "1 deployment" if count == 1 else f"{count} deployments",
        "tally": wording.tally(deployments),
        "when": _when(span) if deployments else "",
        "last9": {"url": place, "host": place.split("/")[2]} if place else None,
        "notes": report.notes,
        "timeline": timeline.lay_out(deployments, report.made_ms) if deployments else None,
        "deployments": deployments,
        "moments": functools.partial(_moments, day=not _one_day(span)),
        "numbers": RowNumbers(deployments),
        "late": any("late" in text for text in told),
        "missing": any(fate in text for text in told for name, fate in wording.FATES.items() if name != "late"),
        "words": {outcome: words[0] for outcome, words in wording.OUTCOMES.items()},
        "verbs": {outcome: words[1] for outcome, words in wording.OUTCOMES.items()},
        "colours": COLOURS,
        "made": f"{formatting.date(report.made_ms)}, {formatting.clock(report.made_ms)}",
        "files": files,
    }
    return templating.render("page.html", _FILTERS, values)


class RowNumbers:
    """A deployment's row in the table; two may be equal in everything."""

    def __init__(self, deployments: list[Deployment]) -> None:
        self._numbers = {id(deployment): number for number, deployment in enumerate(deployments, 1)}

    def __getitem__(self, deployment: Deployment) -> int:
        return self._numbers[id(deployment)]


def _span(deployments: list[Deployment], now_ms: int) -> tuple[int, int]:
    """From the first start to the last stop, or to now while something is running."""
    ends = [deployment.until(now_ms) for deployment in deployments]
    return min(deployment.begun_ms for deployment in deployments), max(ends)


def _one_day(span: tuple[int, int]) -> bool:
    return span[0] // 86_400_000 == span[1] // 86_400_000


def _when(span: tuple[int, int]) -> str:
    begun, ended = span
    if begun == ended:
        return f"{formatting.date(begun)}, {formatting.clock(begun)} UTC"
    to = formatting.clock(ended) if _one_day(span) else f"{formatting.date(ended)}, {formatting.clock(ended)}"
    return f"{formatting.date(begun)}, {formatting.clock(begun)} – {to} UTC, {formats.duration(ended - begun)}"


def _moments(deployment: Deployment, *, day: bool) -> list[dict[str, str]]:
    found = [deployment.begun_ms] + ([deployment.ended_ms] if deployment.ended_ms is not None and not deployment.is_point else [])
    return [{"iso": iso8601(moment), "text": formatting.clock(moment, day=day)} for moment in found]


_FILTERS: dict[str, Any] = {
    "length": len,
    "shown": formatting.shown,
    "percent": lambda number: f"{number:.4f}%",
    "duration": formats.duration,
    "change": wording.change,
    "markers": wording.markers,
}
