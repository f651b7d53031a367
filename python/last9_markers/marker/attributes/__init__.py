"""The labels of a marker: who, what, which build, which commit, which window.

Each source is a function of its own that returns what it knows under the documented dotted names. What is unknown is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from last9_markers.core import limits
from last9_markers.core.formats import well_formed
from last9_markers.core.log import BuildLog
from last9_markers.marker.attributes import allowlists, changes, deployment, jenkins, scm
from last9_markers.messages import options as option_messages
from last9_markers.request.contract import Request

if TYPE_CHECKING:
    from last9_markers.marker.attributes.git import GitCheckout
    from last9_markers.request.options import Marker

Source = Callable[[], Mapping[str, "str | None"]]

#: Tie start and stop together; a value of somebody's own would tear windows apart.
RESERVED = ("deployment.id", "deployment.window_duration_ms")


def collect(
    marker: Marker, request: Request, environ: Mapping[str, str], checkout: GitCheckout, attribute_names: str, log: BuildLog
) -> dict[str, str]:
    """Every attribute of the marker, well-formed text all of it.

    A source that fails costs its own attributes and a warning, never the marker. ``workspace`` gives what git knows; the environment's
    ``scm.*`` facts win.
    """
    commit = _gather({"scm": lambda: scm.known(environ, checkout.facts)}, log)
    facts = _gather(
        {
            "jenkins": lambda: jenkins.from_environment(request, environ),
            "build": lambda: jenkins.from_build(request, marker.event_state),
            "build start": lambda: jenkins.start_time(request),
            "changes": lambda: changes.describe(marker, environ, commit.get(scm.COMMIT), commit.get(scm.URL), checkout),
            "version": lambda: {"deployment.version": marker.version},
            "window": lambda: deployment.describe(request, marker.event_state, marker.outcome),
        },
        log,
    )
    facts = {**commit, **facts}
    labels = {**_identity(marker), **_allowlisted(request, environ, log)}
    for name, value in facts.items():
        labels.update(dict.fromkeys(name_variants(name, attribute_names), value))
    for name, value in _custom(marker.custom_attributes, log).items():
        for spelling in _replaced_by(name, facts):
            labels.pop(spelling, None)
        labels[name] = value
    return _limited({name: value for name, value in labels.items() if value}, log)


def name_variants(name: str, attribute_names: str) -> tuple[str, ...]:
    """The names under which a dotted name is sent: ``both``, ``dotted`` or ``underscore``.

    Dotted is the documented contract; metric labels, which attributes become, need underscores.
    """
    underscore = name.replace(".", "_")
    return {"dotted": (name,), "underscore": (underscore,)}.get(attribute_names, (name, underscore))


def _limited(labels: Mapping[str, str], log: BuildLog) -> dict[str, str]:
    """Well-formed, without secrets, and no longer than an event of Last9's should be. What is cut or left out is said."""
    found: dict[str, str] = {}
    too_long = []
    for name, value in labels.items():
        # Redacted before it is cut to its length: half a secret would not be recognized.
        whole = log.redactor.without_secrets(well_formed(limits.looked_at(value)))
        short_name, short = limits.cut(well_formed(limits.looked_at(name))), limits.cut(whole)
        if short_name != well_formed(name) or short != whole:
            too_long.append(short_name)
        found[short_name] = short
    found, left_out = limits.fitting(found)
    if too_long:
        log.warning(option_messages.attributes_cut(too_long, limits.LONGEST_TEXT))
    if left_out:
        log.warning(option_messages.attributes_left_out(left_out, limits.LONGEST_EVENT))
    return found


def _gather(sources: Mapping[str, Source], log: BuildLog) -> dict[str, str]:
    facts: dict[str, str] = {}
    for name, source in sources.items():
        try:
            facts.update({key: value for key, value in source().items() if value})
        except Exception as error:  # noqa: BLE001 - whatever breaks a source, the marker goes without it
            log.warning(option_messages.source_failed(name, error))
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


def _allowlisted(request: Request, environ: Mapping[str, str], log: BuildLog) -> dict[str, str]:
    return _gather({"allowlists": lambda: allowlists.labels(request, environ, log)}, log)


def _custom(given: Mapping[str, Any], log: BuildLog) -> dict[str, str]:
    """Custom attributes as text: maps and lists as JSON; null is left out; an empty text takes the automatic one away."""
    labels = {}
    for name, value in given.items():
        if not name.strip():
            log.warning(option_messages.attribute_without_name())
        elif name.replace(".", "_") in {reserved.replace(".", "_") for reserved in RESERVED}:
            log.warning(option_messages.attribute_not_settable(name))
        elif value is not None:
            labels[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return labels


def _replaced_by(name: str, automatic: Iterable[str]) -> set[str]:
    """Both spellings of the automatic attribute that a custom name stands for, in whichever spelling it was given."""
    return {spelling for dotted in automatic if name in name_variants(dotted, "both") for spelling in name_variants(dotted, "both")}
