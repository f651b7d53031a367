"""Windows that earlier builds of the job left open: the stop of each, and whether it may be sent from here.

Their data comes from records that the authors of those builds' Jenkinsfiles could write: it is data, not settings. So a host in it
is trusted no more than one from a person who only starts builds. No window changes the run's credential: one that needs another stays
for a further run, if this build's settings name that credential.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from last9_markers.core.errors import ConfigurationError, RequestRejected
from last9_markers.core.log import BuildLog
from last9_markers.marker import attributes, event, records
from last9_markers.marker.attributes import message
from last9_markers.marker.pending import DROPPED, OutboxEntry
from last9_markers.messages import failures, left_open
from last9_markers.request import routing
from last9_markers.request.contract import CLOSES, Choice, Json, LeftOpen, Request
from last9_markers.request.destination import DEFAULT_CREDENTIAL_ID, ConnectionField, Destination, credential_id, resolve
from last9_markers.request.options import CONNECTION_FIELDS, Marker, Settings, read_marker
from last9_markers.request.token import Claims
from last9_markers.request.values import as_text

#: One run looks at this many at most. A build's record holds fewer.
MOST = 20
#: It is unknown how a deployment ended whose build is gone.
OUTCOME = "unknown"
#: What a build ends with that may have left a manual window open on purpose.
_ENDED_WELL = ("SUCCESS", "UNSTABLE")


class Leftover:
    """One window, and what becomes of it in this run. The watchdog reads it from its own thread: each change is one assignment."""

    __slots__ = ("credential", "destination", "entry", "named", "service", "told", "window")

    def __init__(self, window: LeftOpen | None) -> None:
        self.window = window
        self.entry = OutboxEntry("")
        #: It stays open, and the log says why, or has said it in an earlier run.
        self.named = False
        #: With this one of the build's own credentials a further run may close it.
        self.credential: str | None = None
        #: The log says that it is closed.
        self.told = False
        self.service = ""
        #: Where its stop may go from here; ``None``: nowhere.
        self.destination: Destination | None = None


class Leftovers:
    """Those of one request."""

    def __init__(self, windows: Sequence[LeftOpen | None]) -> None:
        self._all = [Leftover(window) for window in windows[:MOST]]

    def open(self) -> Iterable[Leftover]:
        """Those with which something is still to be done."""
        return [left for left in self._all if not left.entry.settled]

    def delivered(self) -> Iterable[Leftover]:
        """Those whose stop Last9 has got in this run."""
        return [left for left in self._all if left.entry.delivered]

    def tell(self, log: BuildLog) -> None:
        """Say of each of these once that it is closed."""
        for left in self.delivered():
            if not left.told and left.window is not None:
                left.told = True
                log.info(left_open.closed(left.service, left.window.build))

    def fields(self) -> dict[str, Json]:
        """What the answer says: the indexes of those with which nothing more is to be done, and of those that stay open for good reason."""
        found = {
            "closed": [index for index, left in enumerate(self._all) if left.entry.settled],
            "named": [index for index, left in enumerate(self._all) if left.named and not left.entry.settled],
        }
        return found if any(found.values()) else {}

    def another_credential(self) -> str | None:
        """With this one a further run may close some of them."""
        return next((left.credential for left in self._all if left.credential is not None), None)

    def records(self, closer: str | None) -> list[str]:
        """For the build's report: those that it has closed. ``closer`` is its number."""
        return [
            records.of_closed(json.loads(left.entry.event), left.window.build, closer, left.destination.base_url.text)
            for left in self.delivered()
            if left.entry.event is not None and left.window is not None and left.destination is not None
        ]


class Judge:
    """Decides for one run which of them may be closed, and composes their stops."""

    def __init__(
        self, request: Request, own: routing.Routing, claims: Claims, environ: Mapping[str, str], settings: Settings, log: BuildLog
    ) -> None:
        """``request``, ``own`` routing and ``settings`` are those of the run's own marker."""
        self._request = request
        self._own = own
        self._claims = claims
        self._environ = environ
        self._settings = settings
        self._log = log
        #: That of the further run.
        self._another: str | None = None

    def prepare(self, left: Leftover, now_ms: int) -> None:
        """Give it an event and a destination; or settle it, because it is not a window; or name it, because it must stay open."""
        window = left.window
        try:
            marker = self._marker(window)
        except RequestRejected:
            marker = None
        if window is None or marker is None:
            left.entry.end = DROPPED
            self._log.warning(left_open.unreadable(window.build if window else None))
            return
        left.service = marker.service_name
        left.entry.label = marker.label
        if self._is_on_purpose(window):
            self._name(left, left_open.on_purpose(left.service, window.build))
            return
        wanted, bound = as_text(window.options.get("credentialId")) or DEFAULT_CREDENTIAL_ID, credential_id(self._own.fields)
        if wanted != bound:
            if self._is_of_this_build(wanted):
                self._another = left.credential = wanted
            else:
                self._name(left, left_open.needs_credential(left.service, window.build, wanted[:200]))
            return
        route = self._route(window)
        try:
            if route.problems:
                self._name(left, left_open.cannot_be_closed(left.service, window.build, route.problems[0]), warn=True)
                return
            left.destination = resolve(route.fields, self._claims)
        except ConfigurationError as problem:
            reason = failures.explain(problem, failures.FailureContext(bound, None, None, 0, self._claims, 0))
            self._name(left, left_open.cannot_be_closed(left.service, window.build, reason), warn=True)
            return
        left.entry.event = event.encode(self._event(window, marker, route, now_ms))

    def refuse(self, left: Leftover, reason: str) -> None:
        """Last9 has refused the stop: for good, or as long as the credential is refused."""
        if left.window is None:
            return
        if left.entry.settled:
            self._log.warning(left_open.refused(left.service, left.window.build, reason))
        else:
            self._name(left, left_open.cannot_be_closed(left.service, left.window.build, reason), warn=True)

    def _is_of_this_build(self, credential: str) -> bool:
        """Only one other is used: each costs a run."""
        if self._another is not None:
            return self._another == credential
        return routing.used_with(credential, self._request, self._environ) is not None

    def _is_on_purpose(self, window: LeftOpen) -> bool:
        return window.manual and not window.tried and window.result in _ENDED_WELL and not self._settings.close_open_windows

    def _marker(self, window: LeftOpen | None) -> Marker | None:
        if window is None:
            return None
        named = {name: window.options.get(name) for name in ("serviceName", "environment", "eventName")}
        # It has a body, so that its options, which are the old build's, cause no warning.
        asked = self._request._replace(options={**named, "eventState": "stop"}, config={}, body={})
        return read_marker(asked, {}, self._log)

    def _route(self, window: LeftOpen) -> routing.Routing:
        """Where it went, as far as its record says; what that leaves open this build's own profiles and variables say."""
        given = {name: window.options[name] for name in CONNECTION_FIELDS if name in window.options and name != "credentialId"}
        profile = as_text(given.pop("routingProfile", None))
        profiles = self._request.config.get("routingProfiles")
        asked = self._request._replace(
            options=given,
            config={} if profiles is None else {"routingProfiles": profiles},
            profile=Choice(profile, "option") if profile else None,
            credential=Choice(credential_id(self._own.fields), "option"),
        )
        route = routing.resolve(asked, self._environ if profile else _without_profile(self._environ))
        chosen = route.fields.get("apiBaseUrl")
        # With another credential than its own the build trusts only what it names together with that one.
        if chosen is None or (chosen.source != "option" and self._request.step != CLOSES):
            return route
        named = self._own.fields.get("apiBaseUrl")
        field = ConnectionField(chosen.value, chosen.source, from_starter=True, trusted=named.trusted if named else ())
        return routing.Routing({**route.fields, "apiBaseUrl": field}, route.problems)

    def _event(self, window: LeftOpen, marker: Marker, route: routing.Routing, now_ms: int) -> event.Event:
        at_ms = max(window.started_ms, min(window.stopped_ms, now_ms))
        facts = {
            "jenkins.job_name": window.job,
            "jenkins.build_number": str(window.build),
            "jenkins.build_url": window.url,
            "jenkins.node_name": window.node,
            "jenkins.build_result": window.result,
            "deployment.id": window.window_id,
        }
        return stop_event(marker, at_ms, window.started_ms, facts, route.data_source_name, self._settings.attribute_names, self._log)

    def _name(self, left: Leftover, text: str, *, warn: bool = False) -> None:
        left.named = True
        if left.window is not None and not left.window.named:
            (self._log.warning if warn else self._log.info)(text)


def stop_event(
    marker: Marker,
    at_ms: int,
    started_ms: int,
    facts: Mapping[str, str | None],
    data_source_name: str | None,
    attribute_names: str,
    log: BuildLog,
) -> event.Event:
    """The stop of a window whose build or process is gone, with the outcome :data:`OUTCOME`. ``facts``: those of that build, and the id."""
    known = {
        **attributes.identity(marker),
        **facts,
        "deployment.outcome": OUTCOME,
        "deployment.window_duration_ms": str(max(0, at_ms - started_ms)),
    }
    known["message"] = message.of(marker, {name: value for name, value in known.items() if value})
    return event.compose(marker, at_ms, data_source_name, attributes.of_known(known, attribute_names, log))


def _without_profile(environ: Mapping[str, str]) -> dict[str, str]:
    """A window that began without a profile does not end with the one of today."""
    return {name: value for name, value in environ.items() if name.upper() != routing.VARIABLES["routingProfile"]}
