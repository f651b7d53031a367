"""One marker, from the request to the answer."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from last9_markers import attributes, event, pending, records, routing
from last9_markers.attributes import changes
from last9_markers.clock import Budget
from last9_markers.contract import SHELL_COMMANDS, Answer, Json, Request
from last9_markers.credentials import Claims, RefreshToken, read_token
from last9_markers.destination import Destination, credential_id, named_elsewhere, resolve, resolve_base_url
from last9_markers.errors import (
    DestinationRefused,
    EventRefused,
    NotDelivered,
    OrganizationUnknown,
    RequestRejected,
    TokenMissing,
    TokenUnusable,
)
from last9_markers.options import Marker, Settings, read_marker, read_settings
from last9_markers.surroundings import Surroundings
from last9_markers.wording import failures, log
from last9_markers.workspace import Workspace

if TYPE_CHECKING:
    from last9_markers.delivery import Delivery


#: The step whose start is always followed by a stop.
BLOCK = "withLast9Deployment"


class Errand:
    """Sends the marker of one request: :meth:`run`. Where that cannot end by itself, :meth:`broken_off` answers for it."""

    def __init__(self, request: Request, around: Surroundings, problems: tuple[str, ...] = ()) -> None:
        """Reads the settings and starts the budget: from here on the time counts. ``problems``: why there can be no marker."""
        self._request = request
        self._around = around = around.of(request)
        self._journal = around.journal
        self._problems = problems
        self._routing = routing.resolve(request, around.environ)
        self.settings = read_settings(request, around.environ, self._journal)
        self.budget = Budget.of(self.settings.timeout_seconds, around.clock)
        self._outbox = pending.Outbox(request.pending, request.text)
        self._label = "the deployment marker"
        self._claims = Claims()
        self._destination: Destination | None = None
        self._via: str | None = None
        self._accepted = True
        self._refused = False
        self._told: str | None = None
        self._late_told = False

    def run(self) -> Answer:
        """Deliver the marker, the kept ones first. Every expected failure is a warning and an answer, never an exception."""
        try:
            marker = read_marker(self._request, self._around.environ, self._journal, (*self._problems, *self._routing.problems))
        except RequestRejected as rejection:
            self._accepted, self._outbox.own.dropped = False, True
            for reason in rejection.reasons:
                self._journal.warn(reason)
            return self._answer(failure=rejection.reasons[0])
        self._label = marker.label
        # A git that hangs must leave a short budget room for the marker itself.
        around = self._around
        workspace = Workspace(
            around.environ,
            around.clock,
            self._journal,
            limit_seconds=self.budget.seconds / 2,
            previous=changes.previous_commit(marker, around.environ),
            ask=not self._request.borrowed_node,
        )
        try:
            if marker.dry_run:
                return self._dry_run(marker, workspace)
            self._deliver(marker, workspace)
        except DestinationRefused as refusal:
            self._accepted, self._refused, self._outbox.own.dropped = False, True, True
            return self._failed(refusal)
        except NotDelivered as failure:
            return self._failed(failure)
        finally:
            workspace.abandon()
        return self._delivered()

    def broken_off(self, failure: NotDelivered | str) -> Answer:
        """The answer where the time is over, or a defect of ours has struck (a finished text): what is not settled is kept.

        The watchdog calls it beside :meth:`run`, which on a busy machine may be at its own last words: each is said once.
        """
        self._say_late()
        if self._outbox.own.delivered:
            return self._delivered()
        return self._failed(failure)

    # -- the stations ----------------------------------------------------------------------------------------------------------

    def _deliver(self, marker: Marker, workspace: Workspace) -> None:
        # Loaded here, while git is looking: a dry run and a rejected request have no use for an HTTP client.
        from last9_markers import api, delivery, transport

        own = self._outbox.own
        token, destination = self._prepare(marker, workspace)
        around = self._around
        self._journal.say(log.sending(marker.label))
        self._journal.debug(log.going_to(destination, self.budget.seconds))
        connection = transport.Connection(destination.base_url, around.environ, self.budget, self._journal, around.transport)
        self._via = connection.via
        last9 = api.Last9(connection, around.clock, self._journal.redactor)
        run = delivery.Delivery(last9, token.text, destination, self.budget, self._journal)
        try:
            self._deliver_kept(run, destination, workspace)
            run.deliver(own)
        except EventRefused:
            self._refused = own.dropped = True
            raise
        finally:
            connection.close()

    def _prepare(self, marker: Marker, workspace: Workspace) -> tuple[RefreshToken, Destination]:
        """Compose the marker, so that it can be kept whatever happens from here on; then who it goes to. Raises ``CannotSend``."""
        own = self._outbox.own
        composed = self._compose(marker, self._request, self._routing, workspace, self.settings)
        own.event = event.encode(composed)
        own.text = pending.write(self._meant(), composed)
        token = self._read_token()
        destination = self._destination = resolve(self._routing.fields, token.claims)
        own.text = pending.write(self._meant(), composed)
        return token, destination

    def _deliver_kept(self, run: Delivery, destination: Destination, workspace: Workspace) -> None:
        """First what was kept: Last9 shall get everything in the order in which it happened."""

        def compose(request: Request, route: routing.Routing) -> event.Event:
            settings = read_settings(request, self._around.environ, self._journal)
            marker = read_marker(request, self._around.environ, self._journal, route.problems)
            if marker.dry_run:
                raise RequestRejected([])
            return self._compose(marker, request, route, workspace, settings)

        around = self._around
        try:
            for outgoing in pending.claim(self._outbox, destination, self._claims, around.environ, compose, self._journal):
                try:
                    run.deliver(outgoing)
                except EventRefused as refusal:
                    outgoing.dropped = True
                    self._journal.warn(failures.late_marker_refused(refusal, self._circumstances()))
        finally:
            self._say_late()

    def _say_late(self) -> None:
        """What was kept and is with Last9 now: told once, also where the next of them failed or the time was over."""
        sent = sum(outgoing.delivered for outgoing in self._outbox.kept)
        if sent and not self._late_told:
            self._late_told = True
            self._journal.say(log.sent_late(sent))

    def _dry_run(self, marker: Marker, workspace: Workspace) -> Answer:
        self._outbox.own.dropped = True
        composed = self._compose(marker, self._request, self._routing, workspace, self.settings)
        self._outbox.own.event = event.encode(composed)
        connection, claims = self._routing.fields, Claims()
        with contextlib.suppress(TokenMissing, TokenUnusable):  # it needs none; where there is one, it may say where to
            claims = self._read_token().claims
        base_url = resolve_base_url(connection.get("apiBaseUrl"), claims)
        with contextlib.suppress(OrganizationUnknown):
            self._destination = resolve(connection, claims)
        self._journal.say(log.dry_run(self._destination))
        self._journal.say(event.readable(composed))
        organization = self._destination.organization if self._destination else None
        return self._answer(more={"dryRun": {"organization": organization, "apiBaseUrl": base_url.text, "event": composed}})

    # -- the parts -------------------------------------------------------------------------------------------------------------

    def _read_token(self) -> RefreshToken:
        token = read_token(self._around.token, self._journal)
        self._claims = token.claims
        return token

    def _compose(self, marker: Marker, request: Request, route: routing.Routing, workspace: Workspace, settings: Settings) -> event.Event:
        around = self._around
        labels = attributes.collect(marker, request, around.environ, workspace, settings.attribute_names, self._journal)
        moment = request.timestamp_ms if request.timestamp_ms is not None else int(around.clock.wall() * 1000)
        return event.compose(marker, moment, route.data_source_name, labels)

    def _meant(self) -> pending.Meant:
        connection = self._routing.fields
        if self._destination is not None:
            return pending.Meant(*self._destination.key())
        # As they were configured, for want of better; a password in a URL is no part of it, and makes it unusable anyway.
        clean = self._journal.redactor.clean
        organization, base_url = connection.get("orgSlug"), connection.get("apiBaseUrl")
        return pending.Meant(
            credential_id(connection), clean(organization.value) if organization else None, clean(base_url.value) if base_url else None
        )

    def _circumstances(self) -> failures.Circumstances:
        meant = self._meant()
        return failures.Circumstances(
            credential_id=meant.credential_id,
            organization=meant.organization,
            host=self._destination.base_url.host if self._destination else None,
            timeout_seconds=self.settings.timeout_seconds,
            claims=self._claims,
            now=self._around.clock.wall(),
            via=self._via,
            from_shell=self._request.step in SHELL_COMMANDS,
            elsewhere=named_elsewhere(self._destination.base_url, self._claims) if self._destination else None,
        )

    # -- the answer ------------------------------------------------------------------------------------------------------------

    def _delivered(self) -> Answer:
        if self._told is None:
            self._told = log.SENT
            self._journal.say(log.SENT)
        return self._answer(delivered=True)

    def _failed(self, failure: NotDelivered | str) -> Answer:
        if isinstance(failure, NotDelivered):
            # Before it is cut to a sentence's length: half a secret would not be recognized.
            failure.detail = self._journal.redactor.clean(failure.detail)
            failure = failures.not_delivered(self._label, failure, self._circumstances())
        if self._told is None:
            self._told = failure
            # A marker from a shell may have no next one to go out with.
            kept = self._request.text and not self._outbox.own.settled
            self._journal.warn(failure + self._kept() if kept else failure)
        return self._answer(failure=self._told)

    def _kept(self) -> str:
        request = self._request
        if request.step in SHELL_COMMANDS:
            return log.KEPT_BY_A_SHELL
        return log.kept(self._outbox.unsettled, stop_follows=request.step == BLOCK and request.body is None)

    def _answer(self, *, delivered: bool = False, failure: str | None = None, more: Mapping[str, Json] | None = None) -> Answer:
        last9 = self._destination.base_url.text if self._destination else None
        happened = records.of_run(self._outbox, self._request.text, last9, refused=self._refused)
        return Answer(
            delivered=delivered,
            accepted=self._accepted,
            deployment_id=self._request.window_id if self._accepted else None,
            warnings=self._journal.warnings,
            fail_build=self._journal.redactor.clean(log.fail_build(failure)) if failure and self.settings.fail_on_error else None,
            pending=self._outbox.pending(),
            more={**({"records": happened} if happened else {}), **(more or {})},
        )
