"""The options of a step: known names, defaults, and what is said about values that cannot be used.

What decides *whether and what* is sent (``serviceName``, ``eventState``, ``dryRun``) is refused when it is wrong. What decides only
*how* (``timeoutSeconds``, ``attributeNames``, ``failOnError``) falls back to its default with a warning, and so does ``outcome``: a
typing error there must not cost the marker.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from last9_markers.attributes.scm import as_commit
from last9_markers.contract import Request
from last9_markers.errors import RequestRejected
from last9_markers.journal import Journal
from last9_markers.wording import inputs

CONNECTION_FIELDS = ("orgSlug", "credentialId", "apiBaseUrl", "dataSourceName", "routingProfile")

#: Every name that a step understands, those included that the Groovy half uses up itself: only the rest is a mistake.
KNOWN = (
    "serviceName",
    "environment",
    "eventState",
    "eventName",
    "outcome",
    "customAttributes",
    "attributeNames",
    "timeoutSeconds",
    "failOnError",
    "dryRun",
    "version",
    "previousCommit",
    "agentLabel",
    "routingProfiles",
    "envAllowlist",
    "paramAllowlist",
    *CONNECTION_FIELDS,
    *(name + "Param" for name in CONNECTION_FIELDS),
    *(name + "EnvVar" for name in CONNECTION_FIELDS),
)

EVENT_STATES = ("start", "stop")
OUTCOMES = ("success", "failure", "unstable", "aborted", "timeout")
ATTRIBUTE_NAMES = ("both", "dotted", "underscore")

#: Not known: what Last9's ingestion makes of a dot in a label name. Hence both spellings, until a tenant tells otherwise.
DEFAULT_ATTRIBUTE_NAMES = "both"
DEFAULT_EVENT_NAME = "deployment"
DEFAULT_TIMEOUT_SECONDS = 10.0
#: Longer than any pipeline wants to wait for a marker; keeps the arithmetic of sockets and threads in range.
LONGEST_TIMEOUT_SECONDS = 3600.0

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")


class Settings(NamedTuple):
    """How a marker is sent."""

    timeout_seconds: float
    attribute_names: str
    fail_on_error: bool


class Marker(NamedTuple):
    """What is sent, as the options say it."""

    service_name: str
    environment: str | None
    event_state: str
    event_name: str
    custom_attributes: dict[str, Any]
    dry_run: bool
    version: str | None = None
    previous_commit: str | None = None
    #: What the step itself says of how the deployment ended; ``None`` leaves it to the block or the build.
    outcome: str | None = None

    @property
    def label(self) -> str:
        """The marker's name in the log: ``deployment (start) for payments-api``."""
        return f"{self.event_name} ({self.event_state}) for {self.service_name}"


def read_settings(request: Request, environ: Mapping[str, str], journal: Journal) -> Settings:
    """How to send. Never fails: a value that cannot be used is a warning, and its default counts."""
    options = request.options
    attribute_names = _first(options.get("attributeNames"), environ.get("LAST9_ATTRIBUTE_NAMES")) or DEFAULT_ATTRIBUTE_NAMES
    if attribute_names.lower() not in ATTRIBUTE_NAMES:
        journal.warn(inputs.bad_attribute_names(attribute_names, DEFAULT_ATTRIBUTE_NAMES))
        attribute_names = DEFAULT_ATTRIBUTE_NAMES
    return Settings(
        timeout_seconds=_timeout(request, environ, journal),
        attribute_names=attribute_names.lower(),
        fail_on_error=_switch("failOnError", as_text(options.get("failOnError")), journal),
    )


def _switch(name: str, given: str | None, journal: Journal) -> bool:
    if given is not None and given.lower() not in _YES + _NO:
        journal.warn(inputs.bad_switch(name, given, "false counts"))
    return is_yes(given)


def read_marker(request: Request, environ: Mapping[str, str], journal: Journal) -> Marker:
    """What to send. Raises :exc:`RequestRejected` with a warning for each reason why there is no marker."""
    options = request.options
    if request.body is None:  # the start of a block has said it already
        warn_of_unknown(request, journal)
    reasons = list(request.connection_problems)
    service_name = as_text(options.get("serviceName"))
    if service_name is None:
        reasons.append(inputs.service_name_missing(request.step))
    event_state = (as_text(options.get("eventState")) or "stop").lower()
    if event_state not in EVENT_STATES:
        reasons.append(inputs.bad_event_state(event_state))
    dry_run = _dry_run(options, environ)
    if dry_run not in _YES + _NO:
        reasons.append(inputs.bad_switch("dryRun", dry_run, "no marker is sent"))
    if reasons or service_name is None:
        raise RequestRejected(reasons)
    return Marker(
        service_name=service_name,
        environment=as_text(options.get("environment")),
        event_state=event_state,
        event_name=as_text(options.get("eventName")) or DEFAULT_EVENT_NAME,
        custom_attributes=_custom_attributes(options.get("customAttributes"), journal),
        dry_run=dry_run in _YES,
        version=as_text(options.get("version")),
        previous_commit=_commit(options.get("previousCommit"), journal),
        outcome=_outcome(request, event_state, journal),
    )


def is_dry_run(options: Mapping[str, Any], environ: Mapping[str, str]) -> bool:
    """Whether these options only show their marker. A value that is neither yes nor no makes no marker either: the errand says so."""
    return _dry_run(options, environ) not in _NO


def _dry_run(options: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    return (_first(options.get("dryRun"), environ.get("LAST9_DRY_RUN")) or "false").lower()


def warn_of_unknown(request: Request, journal: Journal, names: tuple[str, ...] = KNOWN) -> None:
    """Warn of each option that the step does not have, and name the nearest that it has."""
    for name in request.options:
        if name not in names:
            # Loaded only for a misspelt name.
            import difflib

            folded = {known.lower(): known for known in names}
            near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
            journal.warn(inputs.unknown_option(name, folded[near[0]] if near else None, configured=name in request.configured))


def _outcome(request: Request, event_state: str, journal: Journal) -> str | None:
    """What a manual stop says; a block knows its own end, and a start has none yet."""
    given = as_text(request.options.get("outcome"))
    if given is None or request.body is not None:
        return None
    if event_state == "start":
        journal.warn(inputs.outcome_without_end(request.step))
        return None
    if given.lower() not in OUTCOMES:
        journal.warn(inputs.bad_outcome(given))
        return None
    return given.lower()


def _timeout(request: Request, environ: Mapping[str, str], journal: Journal) -> float:
    given = _first(request.options.get("timeoutSeconds"), environ.get("LAST9_TIMEOUT_SECONDS"))
    seconds = DEFAULT_TIMEOUT_SECONDS
    if given is not None:
        number = _number(given)
        if number is None:
            journal.warn(inputs.bad_timeout(given, DEFAULT_TIMEOUT_SECONDS))
        else:
            seconds = min(number, LONGEST_TIMEOUT_SECONDS)
    wanted = request.limit_seconds
    if wanted is not None and 0 < wanted < seconds:
        seconds = wanted
    return seconds


def _number(given: str) -> float | None:
    try:
        number = float(given)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _commit(given: Any, journal: Journal) -> str | None:
    text = as_text(given)
    commit = as_commit(text)
    if text is not None and commit is None:
        journal.warn(inputs.bad_previous_commit(journal.redactor.clean(text)))
    return commit


def _custom_attributes(given: Any, journal: Journal) -> dict[str, Any]:
    if given is None or isinstance(given, dict):
        return given or {}
    journal.warn(inputs.custom_attributes_no_map())
    return {}


def _first(option: Any, variable: str | None) -> str | None:
    return as_text(option) or as_text(variable)


def is_yes(value: Any) -> bool:
    """Whether an option says yes."""
    return (as_text(value) or "").lower() in _YES


def as_text(value: Any) -> str | None:
    """The text of an option: trimmed, and blank counts as not given."""
    if value is None:
        return None
    return (value if isinstance(value, str) else json.dumps(value)).strip() or None
