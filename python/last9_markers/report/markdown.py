"""The Markdown summary: a headline and a table, for a pull request, a chat or a job summary."""

from __future__ import annotations

from last9_markers.core import formats
from last9_markers.core.formats import iso8601
from last9_markers.marker import records
from last9_markers.report import formatting, wording
from last9_markers.report.deployment import Deployment
from last9_markers.report.page import Report


def render(report: Report) -> str:
    """The summary; its first line stands for itself."""
    lines = [wording.headline(report.deployments), ""]
    lines += [f"Build {_link(report.build.url, report.build.name)}", ""]
    lines += [f"> {formatting.markdown(note)}\n" for note in report.notes]
    if report.deployments:
        lines += ["| service | environment | outcome | start | duration | what | markers |", "|---|---|---|---|---|---|---|"]
        lines += [_row(deployment) for deployment in report.deployments]
    return "\n".join(lines).rstrip() + "\n"


def _row(deployment: Deployment) -> str:
    facts = deployment.facts
    commit, branch, version = (facts.get(name) for name in ("scm.commit_sha", "scm.branch", "version"))
    change = wording.change(deployment)
    what = [
        formatting.markdown(version) if version else "",
        _link(deployment.commit_url, commit[:10]) if commit else "",
        formatting.markdown(branch) if branch else "",
        _link(deployment.compare_url, change) if change else "",
    ]
    cells = [
        formatting.markdown(deployment.service),
        formatting.markdown(deployment.environment or ""),
        _outcome(deployment),
        iso8601(deployment.begun_ms),
        "" if deployment.duration_ms is None else formats.duration(deployment.duration_ms),
        ", ".join(filter(None, what)),
        wording.markers(deployment),
    ]
    return f"| {' | '.join(cells)} |"


def _outcome(deployment: Deployment) -> str:
    """The outcome; for a window of an earlier build, which build left it and which one closed it."""
    left, closed = (deployment.labels.get(name) for name in (records.LEFT_OPEN_BY, records.CLOSED_BY))
    outcome = wording.OUTCOMES[deployment.outcome][0]
    return f"{outcome} ({formatting.markdown(f'left open by {left}, closed by {closed}')})" if left and closed else outcome


def _link(url: str | None, text: str) -> str:
    # What http_link lets through may hold brackets, which would end the link early.
    safe = url.replace("(", "%28").replace(")", "%29").replace("|", "%7C") if url else ""
    return f"[{formatting.markdown(text)}]({safe})" if safe else formatting.markdown(text)
