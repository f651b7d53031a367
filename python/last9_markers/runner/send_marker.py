"""One marker, from the request to the answer."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from last9_markers.core.clock import Budget
from last9_markers.core.errors import (
    DeadlineExceeded,
    DeliveryError,
    DestinationRefused,
    EventRejected,
    OrganizationUnknown,
    RequestRejected,
    TokenMissing,
    TokenUnusable,
)
from last9_markers.marker import attributes, event, pending, records
from last9_markers.marker.attributes import changes
from last9_markers.marker.attributes.git import GitCheckout
from last9_markers.messages import failures, progress
from last9_markers.request.context import Context
from last9_markers.request.contract import SHELL_COMMANDS, Answer, Json, Request
from last9_markers.request.destination import Destination, credential_id, named_elsewhere, resolve, resolve_base_url
from last9_markers.request.options import Marker, Settings, read_marker, read_settings
from last9_markers.request.token import Claims, RefreshToken, read_token

if TYPE_CHECKING:
    from last9_markers.client.delivery import Delivery
    from last9_markers.client.transport import HttpConnection


#: The step whose start is always followed by a stop.
BLOCK = "withLast9Deployment"


class MarkerHandler:
    """Sends the marker of one request: :meth:`run`. Where that cannot end by itself, :meth:`abort` answers for it."""

    def __init__(self, request: Request, context: Context) -> None:
        """Reads the settings and starts the budget: from here on the time counts."""
        self._request = request
        self._context = context
        self._log = context.log
        context.hide_secrets(request)
        self.settings = read_settings(request, context.environ, self._log)
        self.budget = Budget.of(self.settings.timeout_seconds, context.clock)
        self._outbox = pending.Outbox(request.pending, request.text)
        self._label = "the deployment marker"
        self._claims = Claims()
        self._destination: Destination | None = None
        self._via: str | None = None
        self._connection: HttpConnection | None = None
        self._accepted = True
        self._refused = False
        self._told: str | None = None
        self._late_told = False

    def run(self) -> Answer:
        """Deliver the marker, the kept ones first. Every expected failure is a warning and an answer, never an exception."""
        try:
            marker = read_marker(self._request, self._context.environ, self._log)
        except RequestRejected as rejection:
            self._accepted, self._outbox.own.dropped = False, True
            for reason in rejection.reasons:
                self._log.warning(reason)
            return self._answer(failure=rejection.reasons[0])
        self._label = marker.label
        # A git that hangs must leave a short budget room for the marker itself.
        context = self._context
        checkout = GitCheckout(
            context.environ,
            context.clock,
            self._log,
            limit_seconds=self.budget.seconds / 2,
            previous=changes.previous_commit(marker, context.environ),
            ask=not self._request.elsewhere,
        )
        try:
            if marker.dry_run:
                return self._dry_run(marker, checkout)
            self._deliver(marker, checkout)
        except DestinationRefused as refusal:
            self._accepted, self._refused, self._outbox.own.dropped = False, True, True
            return self._failed(refusal)
        except DeliveryError as failure:
            return self._failed(failure)
        finally:
            checkout.abandon()
        return self._delivered()

    def abort(self, failure: DeliveryError | str) -> Answer:
        """The answer where the time is over, or a defect of ours has struck (a finished text): what is not settled is kept.

        The watchdog calls it beside :meth:`run`, which on a busy machine may be at its own last words: each is said once.
        """
        self._say_late()
        if self._outbox.own.delivered:
            return self._delivered()
        if isinstance(failure, DeadlineExceeded) and self._connection is not None:
            failure = self._connection.hanging()
        return self._failed(failure)

    # -- the stations ----------------------------------------------------------------------------------------------------------

    def _deliver(self, marker: Marker, checkout: GitCheckout) -> None:
        # Loaded here, while git is looking: a dry run and a rejected request have no use for an HTTP client.
        from last9_markers.client import api, delivery, transport

        own = self._outbox.own
        token, destination = self._prepare(marker, checkout)
        context = self._context
        self._log.info(progress.sending(marker.label))
        self._log.debug(progress.going_to(destination, self.budget.seconds))
        connection = transport.HttpConnection(destination.base_url, context.environ, self.budget, self._log, context.transport)
        self._via, self._connection = connection.via, connection
        last9 = api.Last9(connection, context.clock, self._log.redactor)
        run = delivery.Delivery(last9, token.text, destination, self.budget, self._log)
        try:
            self._deliver_kept(run, destination, checkout)
            run.deliver(own)
        except EventRejected:
            self._refused = own.dropped = True
            raise
        finally:
            connection.close()

    def _prepare(self, marker: Marker, checkout: GitCheckout) -> tuple[RefreshToken, Destination]:
        """Compose the marker, so that it can be kept whatever happens from here on; then who it goes to. Raises ``ConfigurationError``."""
        own = self._outbox.own
        composed = self._compose(marker, self._request, checkout, self.settings)
        own.event = event.encode(composed)
        own.text = pending.write(self._recipient(), composed)
        token = self._read_token()
        destination = self._destination = resolve(self._request.connection, token.claims)
        own.text = pending.write(self._recipient(), composed)
        return token, destination

    def _deliver_kept(self, run: Delivery, destination: Destination, checkout: GitCheckout) -> None:
        """First what was kept: Last9 shall get everything in the order in which it happened."""

        def compose(request: Request) -> event.Event:
            settings = read_settings(request, self._context.environ, self._log)
            marker = read_marker(request, self._context.environ, self._log)
            if marker.dry_run:
                raise RequestRejected([])
            return self._compose(marker, request, checkout, settings)

        try:
            for entry in pending.claim(self._outbox, destination, self._claims, compose, self._log):
                try:
                    run.deliver(entry)
                except EventRejected as refusal:
                    entry.dropped = True
                    self._log.warning(failures.late_marker_refused(refusal, self._failure_context()))
        finally:
            self._say_late()

    def _say_late(self) -> None:
        """What was kept and is with Last9 now: told once, also where the next of them failed or the time was over."""
        sent = sum(entry.delivered for entry in self._outbox.kept)
        if sent and not self._late_told:
            self._late_told = True
            self._log.info(progress.sent_late(sent))

    def _dry_run(self, marker: Marker, checkout: GitCheckout) -> Answer:
        self._outbox.own.dropped = True
        composed = self._compose(marker, self._request, checkout, self.settings)
        self._outbox.own.event = event.encode(composed)
        connection, claims = self._request.connection, Claims()
        with contextlib.suppress(TokenMissing, TokenUnusable):  # it needs none; where there is one, it may say where to
            claims = self._read_token().claims
        base_url = resolve_base_url(connection.get("apiBaseUrl"), claims)
        with contextlib.suppress(OrganizationUnknown):
            self._destination = resolve(connection, claims)
        self._log.info(progress.dry_run(self._destination))
        self._log.info(event.readable(composed))
        organization = self._destination.organization if self._destination else None
        return self._answer(more={"dryRun": {"organization": organization, "apiBaseUrl": base_url.text, "event": composed}})

    # -- the parts -------------------------------------------------------------------------------------------------------------

    def _read_token(self) -> RefreshToken:
        token = read_token(self._context.token, self._log)
        self._claims = token.claims
        return token

    def _compose(self, marker: Marker, request: Request, checkout: GitCheckout, settings: Settings) -> event.Event:
        context = self._context
        labels = attributes.collect(marker, request, context.environ, checkout, settings.attribute_names, self._log)
        cluster = request.connection.get("dataSourceName")
        moment = request.timestamp_ms if request.timestamp_ms is not None else int(context.clock.wall() * 1000)
        return event.compose(marker, moment, cluster.value if cluster else None, labels)

    def _recipient(self) -> pending.Recipient:
        connection = self._request.connection
        if self._destination is not None:
            return pending.Recipient(*self._destination.key())
        # As they were configured, for want of better; a password in a URL is no part of it, and makes it unusable anyway.
        clean = self._log.redactor.clean
        organization, base_url = connection.get("orgSlug"), connection.get("apiBaseUrl")
        return pending.Recipient(
            credential_id(connection), clean(organization.value) if organization else None, clean(base_url.value) if base_url else None
        )

    def _failure_context(self) -> failures.FailureContext:
        recipient = self._recipient()
        return failures.FailureContext(
            credential_id=recipient.credential_id,
            organization=recipient.organization,
            host=self._destination.base_url.host if self._destination else None,
            timeout_seconds=self.settings.timeout_seconds,
            claims=self._claims,
            now=self._context.clock.wall(),
            via=self._via,
            from_shell=self._request.step in SHELL_COMMANDS,
            elsewhere=named_elsewhere(self._destination.base_url, self._claims) if self._destination else None,
        )

    # -- the answer ------------------------------------------------------------------------------------------------------------

    def _delivered(self) -> Answer:
        if self._told is None:
            self._told = progress.SENT
            self._log.info(progress.SENT)
        return self._answer(delivered=True)

    def _failed(self, failure: DeliveryError | str) -> Answer:
        if isinstance(failure, DeliveryError):
            # Before it is cut to a sentence's length: half a secret would not be recognized.
            failure.detail = self._log.redactor.clean(failure.detail)
            failure = failures.not_delivered(self._label, failure, self._failure_context())
        if self._told is None:
            self._told = failure
            # A marker from a shell may have no next one to go out with.
            kept = self._request.text and not self._outbox.own.settled
            self._log.warning(failure + self._kept() if kept else failure)
        return self._answer(failure=self._told)

    def _kept(self) -> str:
        request = self._request
        if request.step in SHELL_COMMANDS:
            return progress.KEPT_BY_A_SHELL
        return progress.kept(len(self._outbox.pending()), stop_follows=request.step == BLOCK and request.body is None)

    def _answer(self, *, delivered: bool = False, failure: str | None = None, more: Mapping[str, Json] | None = None) -> Answer:
        last9 = self._destination.base_url.text if self._destination else None
        happened = records.of_run(self._outbox, self._request.text, last9, refused=self._refused)
        return Answer(
            delivered=delivered,
            accepted=self._accepted,
            deployment_id=self._request.window_id if self._accepted else None,
            warnings=self._log.warnings,
            fail_build=self._log.redactor.clean(progress.fail_build(failure)) if failure and self.settings.fail_on_error else None,
            pending=self._outbox.pending(),
            more={**({"records": happened} if happened else {}), **(more or {})},
        )
