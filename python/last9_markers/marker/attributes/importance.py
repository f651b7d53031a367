"""Which attributes a marker has if not all of them fit.

Attributes become the labels of one series, and stores of time series silently drop a whole series that has too many
labels: VictoriaMetrics above 40 (30 in its cloud), Mimir above 30; Last9's limit is not published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

#: Labels of a series, at most.
MOST_LABELS = 30
#: What every event has besides its attributes.
OF_THE_EVENT = ("__name__", "event_name", "event_state")
MOST_ATTRIBUTES = MOST_LABELS - len(OF_THE_EVENT)

#: The automatic attributes in the order of their importance, under their dotted names: docs/attributes.md has the same table. Custom
#: attributes and then the allowlisted ones stand between the first two groups and the others.
IDENTITY = ("service", "service_name", "deployment_environment", "env")
WINDOW = ("deployment.id", "deployment.outcome", "deployment.window_duration_ms", "version")
BUILD = (
    "scm.commit_sha",
    "jenkins.build_url",
    "jenkins.job_name",
    "jenkins.build_number",
    "jenkins.build_result",
    "jenkins.build_user",
    "scm.branch",
)
MESSAGE = ("message",)
#: Documented by Last9's Jenkins plugin, too.
DOCUMENTED = ("scm.url", "scm.author", "jenkins.node_name", "jenkins.build_start_time", "jenkins.build_duration_ms")
REST = (
    "deployment.kind",
    "trace_id",
    "scm.previous_commit_sha",
    "scm.compare_url",
    "jenkins.build_cause",
    "scm.commit_count",
    "scm.author_count",
)
ORDER = (*BUILD, *MESSAGE, *DOCUMENTED, *REST)
#: Both markers of every window have room for this many custom attributes, the same ones.
MOST_CUSTOM = MOST_ATTRIBUTES - len(IDENTITY) - len(WINDOW)


class Fitting(NamedTuple):
    """The attributes that fit, most important first; and those that do not: ``named`` by a user or the contract, and the ``others``."""

    labels: dict[str, str]
    named: list[str]
    others: list[str]


def fitting(automatic: Mapping[str, str], custom: Mapping[str, str], allowlisted: Mapping[str, str]) -> Fitting:
    """The most important ones, as many as fit. The names of ``automatic`` are dotted; what is none of this module's counts least."""
    first = [*IDENTITY, *WINDOW]
    last = [*ORDER, *(name for name in automatic if name not in first and name not in ORDER)]
    groups = ((automatic, first), (custom, list(custom)[:MOST_CUSTOM]), (allowlisted, list(allowlisted)), (automatic, last))
    ranked = {name: found[name] for found, names in groups for name in names if name in found}
    kept = dict(list(ranked.items())[:MOST_ATTRIBUTES])
    left = [name for name in (*ranked, *list(custom)[MOST_CUSTOM:]) if name not in kept]
    asked = {*custom, *allowlisted}
    return Fitting(
        kept,
        [name for name in left if name in asked or name not in REST],
        [name for name in left if name not in asked and name in REST],
    )
