"""One marker, from the request to the answer."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from last9_markers.core.errors import (
    ConfigurationError,
    DeadlineExceeded,
    DeliveryError,
    DestinationRefused,
    RequestRejected,
    TokenMissing,
    TokenUnusable,
)
from last9_markers.marker import attributes, dry_run, event, left_open, pending
from last9_markers.marker.attributes import changes, scm
from last9_markers.marker.attributes.git import GitCheckout
from last9_markers.messages import progress
from last9_markers.request import routing, time_limits
from last9_markers.request.context import Context
from last9_markers.request.contract import SHELL_COMMANDS, Answer, Request, whole
from last9_markers.request.destination import resolve
from last9_markers.request.options import Marker, Settings, read_marker, read_settings
from last9_markers.request.token import RefreshToken, read_token
from last9_markers.runner.conclusion import Conclusion

if TYPE_CHECKING:
    from last9_markers.client.delivery import Delivery
    from last9_markers.client.transport import HttpConnection


class MarkerHandler:
    """Sends the marker of one request: :meth:`run`. If that cannot end by itself, :meth:`abort` answers for it."""

    def __init__(self, request: Request, context: Context, problems: tuple[str, ...] = ()) -> None:
        """Reads the settings and starts the budget: from here on time runs. ``problems``: why there can be no marker."""
        self._request = request
        self._context = context = context.of(request)
        self._log = context.log
        self._problems = problems
        self._routing = routing.resolve(request, context.environ)
        self.settings = read_settings(request, context.environ, self._log)
        self.budget = time_limits.budget_of(request, self.settings.timeout_seconds, context.clock)
        self._moment_ms = request.timestamp_ms if request.timestamp_ms is not None else int(context.clock.wall() * 1000)
        self._outbox = pending.Outbox(request.pending, request.text)
        self._now_ms = request.now_ms if request.now_ms is not None else self._moment_ms
        self._conclusion = Conclusion(request, self._routing, context, self.settings, self._outbox, self._now_ms)
        self._connection: HttpConnection | None = None
        self._accepted = True

    def run(self) -> Answer:
        """Deliver the marker. Every expected failure is a warning and an answer, never an exception."""
        own = self._outbox.own
        try:
            marker = read_marker(self._request, self._context.environ, self._log, (*self._problems, *self._routing.problems))
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
        except DeliveryError as failure:
            return self._conclusion.failed(failure)
        return self._conclusion.delivered()

    def abort(self, failure: DeliveryError | str) -> Answer:
        """The answer if the time is over, or after an internal error (a finished text): markers that are not settled are queued.

        The watchdog calls it beside :meth:`run`, which on a busy machine may be at its own last words: each is said once.
        """
        own = self._outbox.own
        if own.delivered:
            return self._conclusion.delivered()
        if isinstance(failure, DeadlineExceeded) and self._connection is not None:
            failure = self._connection.hanging()
        # Its own failure says more than that the time ended while others were being tried.
        return self._conclusion.failed(own.failure or failure, accepted=self._accepted)

    # -- the stations ----------------------------------------------------------------------------------------------------------

    def _deliver(self, marker: Marker) -> None:
        problem: ConfigurationError | None = None
        token: RefreshToken | None = None
        conclusion = self._conclusion
        try:
            token = self._read_token()
            conclusion.destination = resolve(self._routing.fields, token.claims)
        except ConfigurationError as found:
            problem = found
        with contextlib.ExitStack() as held:
            if conclusion.destination is not None and conclusion.outages.holds(conclusion.destination):
                conclusion.once, conclusion.limit_seconds = True, min(conclusion.limit_seconds, time_limits.SHORT_SECONDS)
                held.enter_context(self.budget.within(time_limits.short(self._request), once=True, firmly=True))
            deployed = self._deployed(marker)
            if problem is None:
                self._load()
            # Composed in any case, so that it can be kept.
            composed = self._compose_own(marker, deployed)
            self._outbox.own.text = pending.write(conclusion.recipient(), composed)
            conclusion.composed = composed
            if problem is not None or token is None:
                raise problem or TokenMissing
            self._send(token, marker, deployed)

    def _load(self) -> None:
        """What the delivery needs: it takes some time, and git is looking meanwhile."""
        from last9_markers.client import api, transport  # noqa: F401
        from last9_markers.runner import rounds  # noqa: F401

    def _send(self, token: RefreshToken, own: Marker, deployed: scm.Deployed) -> None:
        from last9_markers.client import api, delivery, transport
        from last9_markers.core.errors import got_no_answer
        from last9_markers.runner import rounds

        context, conclusion = self._context, self._conclusion
        destination = conclusion.destination
        if destination is None:
            return
        self._log.info(progress.sending(conclusion.label))
        self._log.debug(progress.going_to(destination, self.budget.seconds))
        connection = transport.HttpConnection(destination.base_url, context.environ, self.budget, self._log, context.transport)
        conclusion.via, self._connection = connection.via, connection

        def compose(request: Request, route: routing.Routing) -> event.Event:
            request = request._replace(borrowed_node=self._request.borrowed_node)  # the environment is that of this node
            settings = read_settings(request, context.environ, self._log)
            marker = read_marker(request, context.environ, self._log, route.problems)
            if marker.dry_run:
                raise RequestRejected([])
            # No answer is known for another folder.
            known = deployed if marker.scm_directory == own.scm_directory else self._unknown()
            return self._compose(marker, request, route, known, settings)

        try:
            last9 = api.Last9(connection, context.clock, self._log.redactor)
            carrier = delivery.Delivery(last9, token.text, destination, self.budget, self._log)
            run = rounds.Round(carrier, self.budget, conclusion.report)
            kept = pending.claim(self._outbox, destination, conclusion.claims, context.environ, compose, self._log)
            try:
                run.run(self._outbox.own, kept, self._request.window_id)
            except DeliveryError as failure:
                if carrier.has_access and not got_no_answer(failure):
                    self._close_what_was_left_open(token, carrier)
                raise
            self._close_what_was_left_open(token, carrier)
        finally:
            connection.close()

    def _close_what_was_left_open(self, token: RefreshToken, own: Delivery) -> None:
        """After an abort a person waits, and the job's next build has the time."""
        conclusion, context = self._conclusion, self._context
        if not self._request.left_open or self._request.after_abort or conclusion.destination is None:
            return
        from last9_markers.runner import closings

        judge = left_open.Judge(self._request, self._routing, conclusion.claims, context.environ, self.settings, self._log)
        with closings.Carriers({conclusion.destination.key(): own}, token.text, context, self.budget) as carriers:
            closings.Closings(judge, self.budget, self._log, carriers.to).run(conclusion.leftovers, self._now_ms, conclusion.circumstances)

    def _dry_run(self, marker: Marker) -> Answer:
        self._outbox.own.end = pending.DROPPED
        deployed = self._deployed(marker)
        composed = self._compose_own(marker, deployed)
        with contextlib.suppress(TokenMissing, TokenUnusable):  # it needs none; if there is one, it may say where to
            self._read_token()
        place = dry_run.place(self._routing.fields, self._conclusion.claims)
        self._conclusion.destination = place.destination
        return self._conclusion.shown(dry_run.show(composed, place, self._log))

    # -- the parts -------------------------------------------------------------------------------------------------------------

    def _deployed(self, marker: Marker) -> scm.Deployed:
        context, said = self._context, scm.said(self._context.environ)
        checkout = GitCheckout(
            context.environ,
            context.clock,
            _folder_of(self._request),
            marker.scm_directory,
            # A git that hangs must leave a short budget room for the marker itself.
            limit_seconds=self.budget.seconds / 2,
            previous=changes.previous_commit(marker, context.environ, self._request.last_commit),
            asked=said.open,
        )
        named, ended = marker.scm_directory is not None, marker.event_state == "stop"
        return scm.Deployed(said, checkout, self._log, began_at=self._began_at(), named=named, ended=ended)

    def _unknown(self) -> scm.Deployed:
        return scm.Deployed(scm.Said(), GitCheckout({}, self._context.clock, None), self._log)

    def _began_at(self) -> float | None:
        """When the build began, in seconds of the agent's clock: only ages can be compared with what the controller's says.

        In a shell it is unknown.
        """
        started = whole(self._request.build.get("startTimeMs"))
        if started is None or self._request.step in SHELL_COMMANDS:
            return None
        return self._context.clock.wall() - max(0, self._now_ms - started) / 1000

    def _read_token(self) -> RefreshToken:
        token = read_token(self._context.token, self._log)
        self._conclusion.claims = token.claims
        return token

    def _compose_own(self, marker: Marker, deployed: scm.Deployed) -> event.Event:
        try:
            composed = self._compose(marker, self._request, self._routing, deployed, self.settings)
        finally:
            # Answers of git that are not there yet are not used, and a git that hangs must not outlive us.
            deployed.abandon()
        self._outbox.own.event = event.encode(composed)
        labels = composed["attributes"]
        commit = labels.get(scm.COMMIT) or labels.get(attributes.spelling(scm.COMMIT, self.settings.attribute_names))
        self._conclusion.local_merge = commit if deployed.is_local_merge else None
        self._conclusion.names_commit(marker.event_state, commit)
        return composed

    def _compose(self, marker: Marker, request: Request, route: routing.Routing, deployed: scm.Deployed, settings: Settings) -> event.Event:
        context = self._context
        labels, left_out = attributes.collect(marker, request, context.environ, deployed, settings.attribute_names, self._log)
        if left_out:
            self._conclusion.no_room_for(left_out)
        moment = request.timestamp_ms if request.timestamp_ms is not None else self._moment_ms
        return event.compose(marker, moment, route.data_source_name, labels)


def _folder_of(request: Request) -> str | None:
    """Whose commit is deployed: that of the step's own folder, and in a shell that of the current one. ``None``: unknown.

    The engine of a step runs in a folder of its own, and a node that was taken for the marker may hold an older checkout of the same job.
    """
    if request.borrowed_node:
        return None
    if request.folder is None and request.step in SHELL_COMMANDS:
        with contextlib.suppress(OSError):  # it was removed
            return os.getcwd()
    return request.folder
