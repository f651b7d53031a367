"""The options of a step: known names, defaults, and warnings about values that cannot be used.

Options that decide *whether and what* is sent (``serviceName``, ``eventState``, ``dryRun``) are refused if they are wrong. Options that
only decide *how* (``timeoutSeconds``, ``attributeNames``, every other switch), and ``outcome``, fall back to the default with a warning: a
typing error there must not cost the marker.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from last9_markers.core import limits
from last9_markers.core.errors import RequestRejected
from last9_markers.core.formats import as_commit
from last9_markers.core.log import BuildLog
from last9_markers.messages import options as option_messages
from last9_markers.request.contract import SHELL_COMMANDS, Request
from last9_markers.request.values import SWITCH, as_text, is_yes, misfit
from last9_markers.request.variables import Variables

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
    "message",
    "scmDirectory",
    "previousCommit",
    "agentLabel",
    "envAllowlist",
    "paramAllowlist",
    "closeOpenWindows",
    *CONNECTION_FIELDS,
    *(name + "Param" for name in CONNECTION_FIELDS),
    *(name + "EnvVar" for name in CONNECTION_FIELDS),
)
#: What only ``last9Config`` understands besides.
OF_CONFIG = ("routingProfiles",)

EVENT_STATES = ("start", "stop")
OUTCOMES = ("success", "failure", "unstable", "aborted", "timeout")
ATTRIBUTE_NAMES = ("dotted", "underscore")

DEFAULT_ATTRIBUTE_NAMES = "dotted"
DEFAULT_EVENT_NAME = "deployment"
#: With the start of the interpreter and the grace of the watchdog, so that the step ends before Jenkins' look at 10.13 s.
DEFAULT_TIMEOUT_SECONDS = 10.0
#: Longer than any pipeline wants to wait for a marker; keeps the arithmetic of sockets and threads in range.
LONGEST_TIMEOUT_SECONDS = 3600.0

#: Steps whose lines are about a connection, and not about a marker.
_TESTS = ("last9TestConnection", "check")


class Settings(NamedTuple):
    """How a marker is sent.

    ``timeout_seconds`` is what a delivery may take: as configured, or the ``limit_seconds`` of this run if they are less. ``after_abort``:
    one attempt only.
    """

    timeout_seconds: float
    attribute_names: str
    fail_on_error: bool
    close_open_windows: bool = False
    limit_seconds: float | None = None
    after_abort: bool = False


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
    message: str | None = None
    #: Where the checkout is that is deployed, from the step's folder on.
    scm_directory: str | None = None
    #: What the step itself says of how the deployment ended; ``None`` leaves it to the block or the build.
    outcome: str | None = None

    @property
    def label(self) -> str:
        """The marker's name in the log: ``deployment (start) for payments-api``."""
        return f"{self.event_name} ({self.event_state}) for {self.service_name}"


class _Reader:
    """Reads the options of one request. Its warnings name the service whose marker they are about."""

    def __init__(self, request: Request, environ: Mapping[str, str], log: BuildLog) -> None:
        self.request = request
        self._environ = Variables(environ)
        self._log = log
        service = request.option("serviceName")
        named = misfit(service) is None and request.step not in _TESTS
        self._about = f"{limits.cut(text, 200)}: " if named and (text := as_text(service)) else ""

    def warning(self, text: str) -> None:
        """Say it, and which service it is about."""
        self._log.warning(self._about + text)

    def raw(self, name: str, variable: str = "") -> Any:
        """What is given, or else what the variable says."""
        given = self.request.option(name)
        return given if given is not None and as_text(given) is not None else self._environ.get(variable) if variable else None

    def text(self, name: str, variable: str = "") -> str | None:
        """An optional text: a value that cannot be one is ignored with a warning."""
        given = self.raw(name, variable)
        wrong = misfit(given)
        if wrong is not None:
            self.warning(option_messages.no_text(name, wrong))
            return None
        return self._short(name, given)

    def decisive_text(self, name: str, reasons: list[str], *, required: bool = False) -> str | None:
        """A text that says which marker this is: if it cannot be used there is none. ``required``: nor without it."""
        given = self.raw(name)
        wrong = misfit(given)
        if wrong is not None:
            reasons.append(option_messages.no_marker_of(name, wrong, required=required))
            return None
        return self._short(name, given)

    def _short(self, name: str, given: Any) -> str | None:
        text = as_text(given)
        if text is None or text == (short := limits.cut(text)):
            return text
        self.warning(option_messages.option_cut(name, limits.LONGEST_TEXT))
        return short

    def switch(self, name: str, *, default: bool = False) -> bool:
        """A switch. Another value is a warning, and the default is used."""
        given = self.text(name)
        if given is None:
            return default
        if given.lower() not in SWITCH:
            self.warning(option_messages.bad_switch(name, limits.shortened(given), f"using {str(default).lower()}"))
            return default
        return is_yes(given)


def read_settings(request: Request, environ: Mapping[str, str], log: BuildLog) -> Settings:
    """How to send. Never fails: for a value that cannot be used there is a warning, and its default is used."""
    reader = _Reader(request, environ, log)
    attribute_names = (reader.text("attributeNames", "LAST9_ATTRIBUTE_NAMES") or DEFAULT_ATTRIBUTE_NAMES).lower()
    if attribute_names not in ATTRIBUTE_NAMES:
        reader.warning(option_messages.bad_attribute_names(attribute_names, DEFAULT_ATTRIBUTE_NAMES))
        attribute_names = DEFAULT_ATTRIBUTE_NAMES
    limit = request.limit_seconds if request.limit_seconds is not None and request.limit_seconds > 0 else None
    seconds = _timeout(reader)
    return Settings(
        timeout_seconds=seconds if limit is None else min(seconds, limit),
        attribute_names=attribute_names,
        fail_on_error=reader.switch("failOnError"),
        close_open_windows=reader.switch("closeOpenWindows"),
        limit_seconds=limit,
        after_abort=request.after_abort,
    )


def read_switch(request: Request, name: str, log: BuildLog, *, default: bool = False) -> bool:
    """A yes/no option of one step alone, which ``last9Config`` does not have. Another value is a warning, and the default is used."""
    return _Reader(request._replace(config={}), {}, log).switch(name, default=default)


def read_marker(request: Request, environ: Mapping[str, str], log: BuildLog, problems: tuple[str, ...] = ()) -> Marker:
    """What to send. Raises :exc:`RequestRejected` with a finished warning that has each reason why there is no marker.

    ``problems`` are reasons that are known already: those of the connection.
    """
    if request.body is None:  # the start of a block has said it already
        warn_of_unknown(request, log)
    reader = _Reader(request, environ, log)
    reasons = list(problems)
    service_name = reader.decisive_text("serviceName", reasons, required=request.step not in _TESTS)
    if service_name is None and misfit(request.option("serviceName")) is None:
        reasons.append(option_messages.service_name_missing(request.step, from_shell=request.step in SHELL_COMMANDS))
    environment = reader.decisive_text("environment", reasons)
    event_state = (reader.decisive_text("eventState", reasons) or "stop").lower()
    if event_state not in EVENT_STATES:
        reasons.append(option_messages.bad_event_state(event_state))
    dry_run = _dry_run(reader)
    if dry_run not in SWITCH:
        reasons.append(option_messages.bad_switch("dryRun", dry_run))
    if reasons or service_name is None:
        raise RequestRejected([option_messages.no_marker(service_name, request.step, event_state, reasons)], reasons)
    return Marker(
        service_name=service_name,
        environment=environment,
        event_state=event_state,
        event_name=reader.text("eventName") or DEFAULT_EVENT_NAME,
        custom_attributes=_custom_attributes(reader),
        dry_run=is_yes(dry_run),
        version=reader.text("version"),
        message=_message(reader),
        scm_directory=reader.text("scmDirectory"),
        previous_commit=_commit(reader, log),
        outcome=_outcome(reader, event_state),
    )


def _message(reader: _Reader) -> str | None:
    text = reader.text("message")
    if text is None:
        return None
    text = " ".join(text.split())
    if len(text) > limits.LONGEST_MESSAGE:
        reader.warning(option_messages.message_cut(limits.LONGEST_MESSAGE))
    return limits.shortened(text)


def is_dry_run(request: Request, environ: Mapping[str, str]) -> bool:
    """Whether the options only show their marker. A value that is neither yes nor no makes no marker either: the handler says so."""
    given = request.option("dryRun")
    text = as_text(given) or as_text(Variables(environ).get("LAST9_DRY_RUN")) or "false"
    return is_yes(text) or text.lower() not in SWITCH


def _dry_run(reader: _Reader) -> str:
    return limits.shortened(as_text(reader.raw("dryRun", "LAST9_DRY_RUN")) or "false").lower()


def warn_of_unknown(request: Request, log: BuildLog, names: tuple[str, ...] = KNOWN) -> None:
    """Warn of each option that the step does not have, and name the nearest that it has."""
    reader = _Reader(request, {}, log)
    for name in request.options:
        if name in OF_CONFIG:
            reader.warning(option_messages.option_of_config(name))
        elif name not in names:
            reader.warning(option_messages.unknown_option(name, _nearest(name, names)))
    # What a step of another kind has no use for may be meant for the markers that follow.
    known = (*names, *KNOWN, *OF_CONFIG)
    for name in request.config:
        if name not in known:
            reader.warning(option_messages.unknown_option(name, _nearest(name, known), configured=True))


def _nearest(name: str, names: tuple[str, ...]) -> str | None:
    # Loaded only for a misspelt name.
    import difflib

    folded = {known.lower(): known for known in names}
    near = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def _outcome(reader: _Reader, event_state: str) -> str | None:
    """What a manual stop says; a block knows its own end, and a start has none yet."""
    request = reader.request
    given = reader.text("outcome") if request.body is None else None
    if given is None:
        return None
    if event_state == "start":
        reader.warning(option_messages.outcome_without_end(request.step))
        return None
    if given.lower() not in OUTCOMES:
        reader.warning(option_messages.bad_outcome(given))
        return None
    return given.lower()


def _timeout(reader: _Reader) -> float:
    given = reader.text("timeoutSeconds", "LAST9_TIMEOUT_SECONDS")
    if given is None:
        return DEFAULT_TIMEOUT_SECONDS
    number = _number(given)
    if number is None:
        reader.warning(option_messages.bad_timeout(given, DEFAULT_TIMEOUT_SECONDS))
        return DEFAULT_TIMEOUT_SECONDS
    return min(number, LONGEST_TIMEOUT_SECONDS)


def _number(given: str) -> float | None:
    try:
        number = float(given)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


def _commit(reader: _Reader, log: BuildLog) -> str | None:
    text = reader.text("previousCommit")
    commit = as_commit(text)
    if text is not None and commit is None:
        reader.warning(option_messages.bad_previous_commit(log.redactor.clean(text)))
    return commit


def _custom_attributes(reader: _Reader) -> dict[str, Any]:
    given = reader.raw("customAttributes")
    if given is None or isinstance(given, dict):
        return given or {}
    reader.warning(option_messages.custom_attributes_no_map())
    return {}
