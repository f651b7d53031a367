"""One marker, from the request to the answer."""

from __future__ import annotations

import contextlib

from last9_markers import attributes, dry_run, event, pending, routing, time_limits
from last9_markers.attributes import changes
from last9_markers.conclusion import Conclusion
from last9_markers.contract import Answer, Request
from last9_markers.credentials import RefreshToken, read_token
from last9_markers.destination import resolve
from last9_markers.errors import CannotSend, DestinationRefused, NotDelivered, RequestRejected, TokenMissing, TokenUnusable
from last9_markers.options import Marker, Settings, read_marker, read_settings
from last9_markers.surroundings import Surroundings
from last9_markers.wording import log
from last9_markers.workspace import Workspace


class Errand:
    """Sends the marker of one request: :meth:`run`. If that cannot end by itself, :meth:`broken_off` answers for it."""

    def __init__(self, request: Request, around: Surroundings, problems: tuple[str, ...] = ()) -> None:
        """Reads the settings and starts the budget: from here on the time counts. ``problems``: why there can be no marker."""
        self._request = request
        self._around = around = around.of(request)
        self._journal = around.journal
        self._problems = problems
        self._routing = routing.resolve(request, around.environ)
        self.settings = read_settings(request, around.environ, self._journal)
        self.budget = time_limits.budget_of(request, self.settings.timeout_seconds, around.clock)
        self._moment_ms = request.timestamp_ms if request.timestamp_ms is not None else int(around.clock.wall() * 1000)
        self._outbox = pending.Outbox(request.pending, request.text)
        now_ms = request.now_ms if request.now_ms is not None else self._moment_ms
        self._conclusion = Conclusion(request, self._routing, around, self.settings, self._outbox, now_ms)
        self._accepted = True

    def run(self) -> Answer:
        """Deliver the marker. Every expected failure is a warning and an answer, never an exception."""
        own = self._outbox.own
        try:
            marker = read_marker(self._request, self._around.environ, self._journal, (*self._problems, *self._routing.problems))
        except RequestRejected as rejection:
            self._accepted, own.end = False, pending.DROPPED
            return self._conclusion.rejected(rejection.reasons)
        self._conclusion.label = own.label = marker.label
        try:
            if marker.dry_run:
                return self._dry_run(marker)
            self._deliver(marker)
        except DestinationRefused as refusal:
            self._accepted, own.end = False, pending.REFUSED
            return self._conclusion.failed(refusal, accepted=False)
        except NotDelivered as failure:
            return self._conclusion.failed(failure)
        return self._conclusion.delivered()

    def broken_off(self, failure: NotDelivered | str) -> Answer:
        """The answer if the time is over, or a defect of ours has struck (a finished text): what is not settled is kept.

        The watchdog calls it beside :meth:`run`, which on a busy machine may be at its own last words: each is said once.
        """
        own = self._outbox.own
        if own.delivered:
            return self._conclusion.delivered()
        # Its own failure says more than that the time ended while others were being tried.
        return self._conclusion.failed(own.failure or failure, accepted=self._accepted)

    # -- the stations ----------------------------------------------------------------------------------------------------------

    def _deliver(self, marker: Marker) -> None:
        problem: CannotSend | None = None
        token: RefreshToken | None = None
        conclusion = self._conclusion
        try:
            token = self._read_token()
            conclusion.destination = resolve(self._routing.fields, token.claims)
        except CannotSend as found:
            problem = found
        with contextlib.ExitStack() as held:
            if conclusion.destination is not None and conclusion.outages.holds(conclusion.destination):
                conclusion.once, conclusion.limit_seconds = True, min(conclusion.limit_seconds, time_limits.SHORT_SECONDS)
                held.enter_context(self.budget.within(time_limits.short(self._request), once=True, firmly=True))
            workspace = self._workspace(marker)
            held.callback(workspace.abandon)
            if problem is None:
                self._load()
            # Composed in any case, so that it can be kept.
            composed = self._compose(marker, self._request, self._routing, workspace, self.settings)
            self._outbox.own.event = event.encode(composed)
            self._outbox.own.text = pending.write(conclusion.meant(), composed)
            if problem is not None or token is None:
                raise problem or TokenMissing
            self._send(token, workspace)

    def _load(self) -> None:
        """What the delivery needs: it takes some time, and git is looking meanwhile."""
        from last9_markers import api, rounds, transport  # noqa: F401

    def _send(self, token: RefreshToken, workspace: Workspace) -> None:
        from last9_markers import api, delivery, rounds, transport

        around, conclusion = self._around, self._conclusion
        destination = conclusion.destination
        if destination is None:
            return
        self._journal.say(log.sending(conclusion.label))
        self._journal.debug(log.going_to(destination, self.budget.seconds))
        connection = transport.Connection(destination.base_url, around.environ, self.budget, self._journal, around.transport)
        conclusion.via = connection.via

        def compose(request: Request, route: routing.Routing) -> event.Event:
            settings = read_settings(request, around.environ, self._journal)
            marker = read_marker(request, around.environ, self._journal, route.problems)
            if marker.dry_run:
                raise RequestRejected([])
            return self._compose(marker, request, route, workspace, settings)

        try:
            last9 = api.Last9(connection, around.clock, self._journal.redactor)
            run = rounds.Round(
                delivery.Delivery(last9, token.text, destination, self.budget, self._journal), self.budget, conclusion.report
            )
            kept = pending.claim(self._outbox, destination, conclusion.claims, around.environ, compose, self._journal)
            run.run(self._outbox.own, kept, self._request.window_id)
        finally:
            connection.close()

    def _dry_run(self, marker: Marker) -> Answer:
        self._outbox.own.end = pending.DROPPED
        workspace = self._workspace(marker)
        try:
            composed = self._compose(marker, self._request, self._routing, workspace, self.settings)
        finally:
            workspace.abandon()
        self._outbox.own.event = event.encode(composed)
        with contextlib.suppress(TokenMissing, TokenUnusable):  # it needs none; if there is one, it may say where to
            self._read_token()
        place = dry_run.place(self._routing.fields, self._conclusion.claims)
        self._conclusion.destination = place.destination
        return self._conclusion.shown(dry_run.show(composed, place, self._journal))

    # -- the parts -------------------------------------------------------------------------------------------------------------

    def _workspace(self, marker: Marker) -> Workspace:
        around = self._around
        return Workspace(
            around.environ,
            around.clock,
            self._journal,
            # A git that hangs must leave a short budget room for the marker itself.
            limit_seconds=self.budget.seconds / 2,
            previous=changes.previous_commit(marker, around.environ),
            ask=not self._request.borrowed_node,
        )

    def _read_token(self) -> RefreshToken:
        token = read_token(self._around.token, self._journal)
        self._conclusion.claims = token.claims
        return token

    def _compose(self, marker: Marker, request: Request, route: routing.Routing, workspace: Workspace, settings: Settings) -> event.Event:
        around = self._around
        labels = attributes.collect(marker, request, around.environ, workspace, settings.attribute_names, self._journal)
        moment = request.timestamp_ms if request.timestamp_ms is not None else self._moment_ms
        return event.compose(marker, moment, route.data_source_name, labels)
