"""What changed: this commit and the one that was deployed before it, in counts and links. Each is a label, so texts are short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from last9_markers.core.formats import as_commit
from last9_markers.marker.attributes import forges, scm
from last9_markers.request.values import known
from last9_markers.request.variables import Variables

if TYPE_CHECKING:
    from last9_markers.marker.attributes.git import Comparison
    from last9_markers.marker.attributes.scm import Deployed
    from last9_markers.request.options import Marker

KIND, PREVIOUS, COMMITS, AUTHORS, COMPARE = (
    "deployment.kind",
    "scm.previous_commit_sha",
    "scm.commit_count",
    "scm.author_count",
    "scm.compare_url",
)


def previous_commit(marker: Marker, environ: Mapping[str, str], last: str | None = None) -> str | None:
    """The commit that was deployed before: as the option names it, else the ``last`` that the job has deployed to this service there.

    Else that of the job's last successful build, as Jenkins does; but not if the job is known to have deployed only to other places
    (``last`` is empty): a version that goes from staging to production is not deployed again.
    """
    if marker.previous_commit or last == "":
        return marker.previous_commit
    return as_commit(last) or as_commit(known(Variables.of(environ).get("GIT_PREVIOUS_SUCCESSFUL_COMMIT")))


def describe(marker: Marker, environ: Mapping[str, str], deployed: Deployed, last: str | None = None) -> dict[str, str | None]:
    """The kind of deployment and its size. Without a known earlier commit there is nothing to compare.

    ``forward`` and ``rollback`` need the whole history between the two commits; what was pushed by force, is shallow or is not in the
    repository is ``unknown``.
    """
    previous = previous_commit(marker, environ, last)
    if previous is None:
        return {}
    asked = deployed.previous == previous  # else the marker is an older one that was kept, and git was asked about another
    full = (deployed.resolved_previous() if asked else None) or previous
    commit, url = deployed.facts().get(scm.COMMIT), deployed.facts().get(scm.URL)
    kind, authors = _judge(full, commit, deployed.comparison() if asked else None)
    return {
        KIND: kind,
        PREVIOUS: full,
        COMMITS: None if authors is None else str(len(authors)),
        AUTHORS: None if authors is None else str(len(set(authors))),
        COMPARE: None if deployed.is_local_merge else _compare_url(kind, full, commit, url),
    }


def _judge(previous: str, commit: str | None, between: Comparison | None) -> tuple[str, list[str] | None]:
    """The kind, and the author of each commit between the two."""
    if commit is not None and commit.lower() == previous:
        return "redeploy", []
    if between is not None and not between.removed and between.added:
        return "forward", between.added
    if between is not None and not between.added and between.removed:
        return "rollback", between.removed
    return "unknown", None


def _compare_url(kind: str, previous: str, commit: str | None, url: str | None) -> str | None:
    forge, current = forges.of(url), as_commit(commit)
    if forge is None or current is None or kind == "redeploy":
        return None
    # Forges show what the second has that the first lacks: for a rollback that is nothing, unless they change places.
    return forge.compare(current, previous) if kind == "rollback" else forge.compare(previous, current)
