"""The page's words for a deployment, and the summary."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from last9_markers.core import formats
from last9_markers.report import formatting

if TYPE_CHECKING:
    from last9_markers.report.deployment import Deployment

#: Outcome → as an adjective in a table, as a verb in a sentence.
OUTCOMES = {
    "success": ("success", "succeeded"),
    "unstable": ("unstable", "unstable"),
    "failure": ("failure", "failed"),
    "timeout": ("timeout", "timed out"),
    "aborted": ("aborted", "aborted"),
    "running": ("still running", "still running"),
    "unknown": ("unknown", "without a known outcome"),
}
#: Result of a marker → its text; a marker that simply arrived has none.
FATES = {
    "late": "late",
    "kept": "queued",
    "refused": "refused",
    "dry run": "dry run",
    "unanswered": "without an answer",
}
KINDS = {"forward": "forward", "rollback": "rollback", "redeploy": "same commit again", "unknown": "change unknown"}


def headline(deployments: list[Deployment]) -> str:
    """How many there were and how they ended: ``3 deployments: 2 succeeded, 1 failed``."""
    if not deployments:
        return "no deployments"
    count = "1 deployment" if len(deployments) == 1 else f"{len(deployments)} deployments"
    return f"{count}: {', '.join(f'{number} {OUTCOMES[outcome][1]}' for outcome, number in tally(deployments))}"


def tally(deployments: Iterable[Deployment]) -> list[tuple[str, int]]:
    """How many there are of each outcome, in the order of the page."""
    outcomes = [deployment.outcome for deployment in deployments]
    return [(outcome, outcomes.count(outcome)) for outcome in OUTCOMES if outcome in outcomes]


def delivery(deployment: Deployment) -> str:
    """The state of the two markers: ``start late, stop queued``; empty when both simply arrived."""
    ends = (("start", deployment.start), ("stop", deployment.stop))
    told = [(name, FATES[end.fate]) for name, end in ends if end is not None and end.fate in FATES]
    if len(told) == 2 and told[0][1] == told[1][1]:
        return told[0][1]
    return ", ".join(f"{name} {fate}" for name, fate in told)


def markers(deployment: Deployment) -> str:
    """The same for the table, never empty."""
    if deployment.start is None and not deployment.is_point:
        return ", ".join(filter(None, ("start not on record", delivery(deployment))))
    return delivery(deployment) or "delivered"


def bar_labels(deployment: Deployment) -> list[str]:
    """The words at a bar, from all of them to the least that says something. Success has its colour and its sign."""
    duration = "" if deployment.duration_ms is None else formats.duration(deployment.duration_ms)
    outcome = "" if deployment.outcome == "success" else OUTCOMES[deployment.outcome][0]
    choices = ((outcome, duration, delivery(deployment)), (outcome, duration), (duration or outcome,))
    return list(dict.fromkeys(text for text in (" · ".join(filter(None, words)) for words in choices) if text))


def bar_title(deployment: Deployment, *, day: bool) -> str:
    """What a bar says when it is pointed at; with ``day`` its times have dates."""
    where = f" ({formatting.shown(deployment.environment)})" if deployment.environment else ""
    when = formatting.clock(deployment.begun_ms, day=day)
    if not deployment.is_point:
        when += " – " + (formatting.clock(deployment.ended_ms, day=day) if deployment.ended_ms is not None else "…")
    told = (
        f"{formatting.shown(deployment.service)}{where}",
        OUTCOMES[deployment.outcome][0],
        f"{when} UTC",
        "" if deployment.duration_ms is None else formats.duration(deployment.duration_ms),
        delivery(deployment),
    )
    return " · ".join(filter(None, told))


def change(deployment: Deployment) -> str:
    """What changed, in words: ``forward, 3 commits by 2 people``."""
    facts = deployment.facts
    commits, authors = facts.get("scm.commit_count", "0"), facts.get("scm.author_count", "0")
    kind = facts.get("deployment.kind", "")
    size = f"{commits} {'commit' if commits == '1' else 'commits'} by {authors} {'person' if authors == '1' else 'people'}"
    return ", ".join(filter(None, (KINDS.get(kind, kind), size if commits != "0" else "")))
