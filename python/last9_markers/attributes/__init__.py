"""The labels of a marker: who, what, which build, which commit, which window.

Each source is a function of its own that returns what it knows under the documented dotted names. What is unknown is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from last9_markers import limits
from last9_markers.attributes import allowlists, changes, jenkins, scm, window
from last9_markers.contract import Request
from last9_markers.journal import Journal
from last9_markers.wire import well_formed
from last9_markers.wording import inputs

if TYPE_CHECKING:
    from last9_markers.options import Marker
    from last9_markers.workspace import Workspace

Source = Callable[[], Mapping[str, "str | None"]]

#: Tie start and stop together; a value of somebody's own would tear windows apart.
NOT_SETTABLE = ("deployment.id", "deployment.window_duration_ms")


def collect(
    marker: Marker, request: Request, environ: Mapping[str, str], workspace: Workspace, attribute_names: str, journal: Journal
) -> dict[str, str]:
    """Every attribute of the marker, well-formed text all of it.

    A source that fails costs its own attributes and a warning, never the marker. ``workspace`` gives what git knows; the environment's
    ``scm.*`` facts win.
    """
    commit = _gather({"scm": lambda: scm.known(environ, workspace.facts)}, journal)
    facts = _gather(
        {
            "jenkins": lambda: jenkins.from_environment(environ),
            "build": lambda: jenkins.from_build(request, marker.event_state),
            "build start": lambda: jenkins.start_time(request),
            "changes": lambda: changes.describe(marker, environ, commit.get(scm.COMMIT), commit.get(scm.URL), workspace),
            "version": lambda: {"deployment.version": marker.version},
            "window": lambda: window.describe(request, marker.event_state, marker.outcome),
        },
        journal,
    )
    facts = {**commit, **facts}
    labels = {**_identity(marker), **_allowlisted(request, environ, journal)}
    for name, value in facts.items():
        labels.update(dict.fromkeys(spellings(name, attribute_names), value))
    for name, value in _custom(marker.custom_attributes, journal).items():
        for spelling in _replaced_by(name, facts):
            labels.pop(spelling, None)
        labels[name] = value
    return _limited({name: value for name, value in labels.items() if value}, journal)


def spellings(name: str, attribute_names: str) -> tuple[str, ...]:
    """The names under which a dotted name is sent: ``both``, ``dotted`` or ``underscore``.

    Dotted is the documented contract; metric labels, which attributes become, need underscores.
    """
    underscore = name.replace(".", "_")
    return {"dotted": (name,), "underscore": (underscore,)}.get(attribute_names, (name, underscore))


def _limited(labels: Mapping[str, str], journal: Journal) -> dict[str, str]:
    """Well-formed, without secrets, and no longer than an event of Last9's should be. What is cut or left out is said."""
    found: dict[str, str] = {}
    too_long = []
    for name, value in labels.items():
        # Redacted before it is cut to its length: half a secret would not be recognized.
        whole = journal.redactor.without_secrets(well_formed(limits.looked_at(value)))
        short_name, short = limits.cut(well_formed(limits.looked_at(name))), limits.cut(whole)
        if short_name != well_formed(name) or short != whole:
            too_long.append(short_name)
        found[short_name] = short
    found, left_out = limits.fitting(found)
    if too_long:
        journal.warn(inputs.attributes_cut(too_long, limits.LONGEST_TEXT))
    if left_out:
        journal.warn(inputs.attributes_left_out(left_out, limits.LONGEST_EVENT))
    return found


def _gather(sources: Mapping[str, Source], journal: Journal) -> dict[str, str]:
    facts: dict[str, str] = {}
    for name, source in sources.items():
        try:
            facts.update({key: value for key, value in source().items() if value})
        except Exception as error:  # noqa: BLE001 - whatever breaks a source, the marker goes without it
            journal.warn(inputs.source_failed(name, error))
    return facts


def _identity(marker: Marker) -> dict[str, str]:
    # Last9's own clients disagree about these names, and a dashboard matches only its own: so all four are sent.
    environment = marker.environment or ""
    return {
        "service": marker.service_name,
        "service_name": marker.service_name,
        "deployment_environment": environment,
        "env": environment,
    }


def _allowlisted(request: Request, environ: Mapping[str, str], journal: Journal) -> dict[str, str]:
    return _gather({"allowlists": lambda: allowlists.labels(request, environ, journal)}, journal)


def _custom(given: Mapping[str, Any], journal: Journal) -> dict[str, str]:
    """Custom attributes as text: maps and lists as JSON; null is left out; an empty text takes the automatic one away."""
    labels = {}
    for name, value in given.items():
        if not name.strip():
            journal.warn(inputs.attribute_without_name())
        elif name.replace(".", "_") in {reserved.replace(".", "_") for reserved in NOT_SETTABLE}:
            journal.warn(inputs.attribute_not_settable(name))
        elif value is not None:
            labels[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return labels


def _replaced_by(name: str, automatic: Iterable[str]) -> set[str]:
    """Both spellings of the automatic attribute that a custom name stands for, in whichever spelling it was given."""
    return {spelling for dotted in automatic if name in spellings(dotted, "both") for spelling in spellings(dotted, "both")}
