"""The attributes of a marker: service, build, commit, window.

Each source is a function that returns its attributes under the documented dotted names. Unknown values are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from last9_markers.core import limits
from last9_markers.core.formats import well_formed
from last9_markers.core.log import BuildLog
from last9_markers.marker.attributes import allowlists, changes, deployment, importance, jenkins, message, scm, trace
from last9_markers.messages import options as option_messages
from last9_markers.messages import progress
from last9_markers.request.contract import Request
from last9_markers.request.values import NULL
from last9_markers.request.variables import Variables

if TYPE_CHECKING:
    from last9_markers.request.options import Marker

Source = Callable[[], Mapping[str, "str | None"]]

#: Tie start and stop together; a custom value would separate start and stop.
RESERVED = ("deployment.id", "deployment.window_duration_ms")


class Labels(NamedTuple):
    """The attributes of a marker. ``left_out``: those that a user or the contract has named, and for which there was no room."""

    labels: dict[str, str]
    left_out: list[str]


def collect(
    marker: Marker, request: Request, environ: Mapping[str, str], deployed: scm.Deployed, attribute_names: str, log: BuildLog
) -> Labels:
    """The attributes of the marker, well-formed text all of it, and no more than a series may have.

    A source that fails costs its own attributes and a warning, never the marker. ``deployed`` knows the commit.
    """
    variables = Variables(environ)  # once for all who look names up regardless of case
    facts = _gather(
        {
            "scm": deployed.facts,
            "jenkins": lambda: jenkins.from_environment(request, variables),
            "build": lambda: jenkins.from_build(request, marker.event_state),
            "build start": lambda: jenkins.start_time(request),
            "changes": lambda: changes.describe(marker, variables, deployed, request.last_commit),
            "trace": lambda: trace.of(environ),
            "version": lambda: {"version": marker.version},
            "window": lambda: deployment.describe(request, marker.event_state, marker.outcome),
        },
        log,
    )
    facts = {**identity(marker), **facts}
    found, custom = _with_custom(facts, marker.custom_attributes, log)
    if "message" not in marker.custom_attributes:
        found["message"] = message.of(marker, found)
    allowlisted = {name: value for name, value in _allowlisted(request, variables, log).items() if name not in marker.custom_attributes}
    fits = importance.fitting(found, custom, allowlisted)
    if fits.others:
        log.debug(progress.attributes_left_out(fits.others))
    labels = {spelling(name, attribute_names) if name in found else name: value for name, value in fits.labels.items()}
    return Labels(_limited(labels, log), fits.named)


def of_known(facts: Mapping[str, str | None], attribute_names: str, log: BuildLog) -> dict[str, str]:
    """Automatic attributes that are known already, in that spelling, well-formed and bounded as all others; what is unknown is left out."""
    return _limited({spelling(name, attribute_names): value for name, value in facts.items() if value}, log)


def ties_windows(name: str) -> bool:
    """Whether a label ties start and stop together, in either spelling: it cannot be set by any other means."""
    return _dotless(name) in map(_dotless, RESERVED)


def spelling(name: str, attribute_names: str) -> str:
    """The name under which an automatic attribute is sent: ``dotted`` is the contract, ``underscore`` what metrics are used to."""
    return name.replace(".", "_") if attribute_names == "underscore" else name


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
    if too_long:
        log.warning(option_messages.attributes_cut(too_long, limits.LONGEST_TEXT))
    return found


def _gather(sources: Mapping[str, Source], log: BuildLog) -> dict[str, str]:
    facts: dict[str, str] = {}
    for name, source in sources.items():
        try:
            facts.update({key: value for key, value in source().items() if value})
        except Exception as error:  # noqa: BLE001 - any failure of a source only removes its attributes
            log.warning(option_messages.source_failed(name, error))
    return facts


def identity(marker: Marker) -> dict[str, str]:
    """What is deployed, and where to."""
    # Last9's own clients disagree about these names, and a dashboard matches only its own: so all four are sent.
    names = {"service": marker.service_name, "service_name": marker.service_name}
    return {**names, "deployment_environment": marker.environment, "env": marker.environment} if marker.environment else names


def _allowlisted(request: Request, environ: Mapping[str, str], log: BuildLog) -> dict[str, str]:
    return _gather({"allowlists": lambda: allowlists.labels(request, environ, log)}, log)


def _with_custom(facts: Mapping[str, str], given: Mapping[str, Any], log: BuildLog) -> tuple[dict[str, str], dict[str, str]]:
    """The automatic attributes as the custom ones leave them, and the custom ones as text: maps and lists as JSON.

    A custom one wins over the automatic one of its name, in either spelling of that; null takes it away.
    """
    automatic, custom = dict(facts), {}
    for name, value in given.items():
        if not name.strip():
            log.warning(option_messages.attribute_without_name())
            continue
        if ties_windows(name):
            log.warning(option_messages.attribute_not_settable(name))
            continue
        if name in importance.OF_THE_EVENT:
            log.warning(option_messages.attribute_of_the_event(name))
            continue
        if isinstance(value, str) and value.strip() == NULL:
            continue  # of a variable that is not set: not given
        for same in [each for each in automatic if name in (each, _dotless(each))]:
            del automatic[same]
        if value is not None:
            custom[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # A custom attribute that replaces a required one takes its place.
    for name in (*importance.IDENTITY, *importance.WINDOW):
        if name in custom:
            automatic[name] = custom.pop(name)
    return automatic, custom


def _dotless(name: str) -> str:
    return name.replace(".", "_")
