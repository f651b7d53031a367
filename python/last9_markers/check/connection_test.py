"""Checks everything between this agent and Last9, in the order in which a marker passes it."""

from __future__ import annotations

from collections.abc import Callable

from last9_markers.check import agent, network, reading, sent_event
from last9_markers.check.findings import FAILED, OK, WARNING, CapturedLog, Findings
from last9_markers.check.sent_event import SentEvent
from last9_markers.check.settings import Account
from last9_markers.client import api, transport
from last9_markers.client.delivery import Delivery
from last9_markers.client.reading_back import Last9Reader
from last9_markers.core.errors import (
    DeadlineExceeded,
    DeliveryError,
    InsufficientScope,
    NetworkError,
    OrganizationForbidden,
    OrganizationNotFound,
    RequestRejected,
)
from last9_markers.marker import event, pending
from last9_markers.messages import check as check_messages
from last9_markers.messages import failures
from last9_markers.messages import reading as reading_messages
from last9_markers.request import options, routing, time_limits
from last9_markers.request.context import Context
from last9_markers.request.contract import SHELL_COMMANDS, Answer, Request
from last9_markers.request.destination import BaseUrl, Destination, credential_id

_WAY = ("host", "proxy", "dns", "tls", "connection")
#: What was looked at → what must not have failed before, so that it could be.
_NEEDED = {
    **dict.fromkeys(("proxy", "dns", "connection", "tls", "clock"), _WAY),
    **dict.fromkeys(("exchange", "scope", "organization"), ("token", *_WAY, "exchange")),
}


class ConnectionTest:
    """Tests the connection of one request: :meth:`run`. Without ``sendTestEvent`` nothing is written to Last9."""

    def __init__(self, request: Request, context: Context, phrase: Callable[[str], str] = str) -> None:
        """Reads the settings and starts the budget. ``phrase`` is as in :class:`Findings`."""
        self._request = request
        self._context = context = context.of(request)
        self._log = context.log
        self._routing = routing.resolve(request, context.environ)
        self._misread = CapturedLog(self._log.redactor)
        self.settings = options.read_settings(request, context.environ, self._misread)
        self.budget = time_limits.budget_of(request, self.settings.timeout_seconds, context.clock)
        self.findings = Findings(self._log, phrase)
        self._account = Account(request, self._routing, context, self.findings)
        self._sends = options.read_switch(request, "sendTestEvent", self._misread)
        self._unusable = sent_event.unusable_names(request)
        self._at = "interpreter"
        self._via: str | None = None
        self._nearest = ""
        self._connection: transport.HttpConnection | None = None
        self._sent: SentEvent | None = None
        self._reading: reading.Reading | None = None
        self._summed_up = False

    def run(self) -> Answer:
        """Look at everything; what cannot be looked at, since something before it failed, is said to be unproven."""
        self._log.info(check_messages.BEGINS)
        agent.look_at_interpreter(self.findings)
        self._at = "bundle"
        agent.look_at_bundle(self.findings)
        self._at = "options"
        for warning in self._wrong_options():
            self.findings.warn("options", warning)
        for name in self._unusable:
            self.findings.warn({"serviceName": "service"}.get(name, name), reading_messages.name_unusable(name))
        self._at = "token"
        self._account.look_at_token()
        self._at = "host"
        base_url = self._account.look_at_host()
        if base_url is not None:
            self._go_there(base_url)
        self._say_what_is_unproven()
        return self._answer()

    def abort(self, failure: DeliveryError | str) -> Answer:
        """The answer if the time is over, or after an internal error (a finished text). After the summary of :meth:`run`: its own."""
        if self._summed_up:
            return self._answer()
        if self._reading is not None:
            self._reading.abandon(reading_messages.OVER if isinstance(failure, DeadlineExceeded) else str(failure))
            self._say_what_is_unproven()
        else:
            self.findings.fail(self._at, self._time_is_over() if isinstance(failure, DeadlineExceeded) else str(failure))
            self._say_what_is_unproven()
        return self._answer()

    # -- the way there ---------------------------------------------------------------------------------------------------------

    def _go_there(self, base_url: BaseUrl) -> None:
        context, findings = self._context, self.findings
        self._at = "proxy"
        proxy = network.look_at_proxy(findings, base_url, context.environ, self._log.redactor)
        self._via = proxy.shown if proxy else None
        self._at = "dns"
        self._nearest = network.nearest(base_url, proxy)[0]
        network.look_at_name(findings, base_url, proxy, lambda: None if self.budget.remaining() else self._time_is_over())
        if findings.failed("dns"):
            return
        self._at = "tls"
        captured = CapturedLog(self._log.redactor, self._log)
        try:
            connection = transport.HttpConnection(base_url, context.environ, self.budget, captured, context.transport)
            self._connection = connection
        except DeliveryError as failure:
            findings.fail("tls", self._explain(failure, base_url))
            return
        warnings = [warning for warning in captured.warnings if all(warning != found.text for found in findings.all)]
        try:
            if self._probe(connection, base_url, warnings) and self._account.token is not None:
                last9 = api.Last9(connection, context.clock, self._log.redactor)
                destination = Destination(credential_id(self._routing.fields), self._account.organization or "", base_url)
                delivery = Delivery(last9, self._account.token.text, destination, self.budget, self._log)
                self._exchange(delivery, destination)
                self._read_back(connection, delivery.current_token(), base_url)
        finally:
            connection.close()

    def _probe(self, connection: transport.HttpConnection, base_url: BaseUrl, warnings: list[str]) -> bool:
        clock = self._context.clock
        self._at = "connection"
        began = clock.monotonic()
        try:
            probe_result = connection.probe()
        except DeliveryError as failure:
            culprit = network.culprit(failure, proxied=self._via is not None)
            # An ignored setting for CAs may be the cause.
            for warning in [*warnings, *connection.remarks] if culprit == "tls" else []:
                self.findings.warn("tls", warning)
            self.findings.fail(culprit, self._explain(failure, base_url))
            return False
        took = clock.monotonic() - began
        self.findings.ok(
            "connection", check_messages.connected(base_url.host, round(took * 1000), probe_result.status, self._via, connection.silent)
        )
        network.look_at_certificate(self.findings, probe_result, base_url, [*warnings, *connection.remarks])
        network.look_at_clocks(
            self.findings, probe_result, clock, self._request.timestamp_ms, self.budget.seconds - self.budget.remaining()
        )
        return True

    # -- the API ---------------------------------------------------------------------------------------------------------------

    def _exchange(self, delivery: Delivery, destination: Destination) -> None:
        clock = self._context.clock
        self._at = "exchange"
        began = clock.monotonic()
        try:
            token = delivery.access_token()
        except DeliveryError as failure:
            self.findings.fail("exchange", self._explain(failure, destination.base_url))
            return
        took = clock.monotonic() - began
        lasts = (token.good_until - clock.monotonic()) / 3600 if token.good_until is not None else None
        self.findings.ok("exchange", check_messages.exchanged(round(took * 1000), lasts))
        if self._wants_a_write() and self._account.organization:
            self._at = "write"
            self._write(delivery, destination)
        self._account.look_at_scope(token.scopes, proven=self._sent is not None)
        self._account.look_at_organization(proven=self._sent is not None)

    def _write(self, delivery: Delivery, destination: Destination) -> None:
        request, context = self._request, self._context
        marker = sent_event.marker(request, self.settings.attribute_names)
        self._log.info(reading_messages.stays(marker.service_name, marker.event_name))
        moment = request.timestamp_ms if request.timestamp_ms is not None else int(context.clock.wall() * 1000)
        composed = sent_event.compose(marker, moment, request, context, self.settings.attribute_names, self._routing.data_source_name)
        entry = pending.OutboxEntry("")
        entry.event = event.encode(composed)
        sent_at = context.clock.monotonic()
        try:
            delivery.deliver(entry)
        except DeliveryError as failure:
            text = self._explain(failure, destination.base_url)
            culprit = {InsufficientScope: "scope", OrganizationForbidden: "organization", OrganizationNotFound: "organization"}.get(
                type(failure)
            )
            if culprit:
                self.findings.fail(culprit, text)
            self.findings.fail("write", check_messages.write_refused(culprit) if culprit else text)
        else:
            self._sent = SentEvent.of(composed, moment / 1000, sent_at)
            self.findings.ok("write", check_messages.written(marker.service_name, marker.event_name))

    # -- reading back ----------------------------------------------------------------------------------------------------------

    def _read_back(self, connection: transport.HttpConnection, access: api.AccessToken | None, base_url: BaseUrl) -> None:
        """Ask Last9 for what it knows. A plain test asks it no more than a marker does."""
        organization, asked = self._account.organization, self._asked()
        if access is None or not organization or self.findings.failed("organization") or not asked.anything:
            return
        if self._sent is not None:
            self._log.info(reading_messages.begins(reading.READING_SECONDS))
            self.budget.grant(reading.READING_SECONDS)
        self._reading = reading.Reading(asked, self.findings, self.budget, lambda failure: self._explain(failure, base_url))
        self._reading.run(Last9Reader(connection, organization, access, self.budget, self._log.redactor))

    def _asked(self) -> reading.Asked:
        return reading.Asked.by(self._request, self._routing.data_source_name, self._sent)

    # -- the parts -------------------------------------------------------------------------------------------------------------

    def _wrong_options(self) -> list[str]:
        """What a marker with these options would warn of, but for the service that a test does not need."""
        asked = self._request.options
        options.warn_of_unknown(self._request, self._misread, (*options.KNOWN, "sendTestEvent"))
        given = {"serviceName": sent_event.SERVICE_NAME, **{name: asked[name] for name in asked if name in options.KNOWN}}
        request = self._request._replace(options=given, config={})
        try:
            options.read_marker(request, self._context.environ, self._misread, self._routing.problems)
        except RequestRejected as rejection:
            for reason in rejection.causes:
                self._misread.warning(reason)
        return self._misread.warnings

    def _wants_a_write(self) -> bool:
        return self._sends and not self._held_back() and not self._unusable

    def _held_back(self) -> bool:
        return options.is_dry_run(self._request, self._context.environ)

    def _time_is_over(self) -> str:
        # The name is looked up once more for each connection.
        resolving = self._connection is not None and isinstance(self._connection.hanging(), NetworkError)
        if self._at == "dns" or resolving:
            return check_messages.name_late(self._nearest, self.settings.timeout_seconds, self._via is not None)
        return check_messages.time_is_over(self.settings.timeout_seconds)

    def _explain(self, failure: DeliveryError, base_url: BaseUrl) -> str:
        failure.detail = self._log.redactor.clean(failure.detail)  # before it is cut: half a secret would not be recognized
        account = self._account
        about = failures.FailureContext(
            credential_id=credential_id(self._routing.fields),
            organization=account.organization,
            host=base_url.host,
            timeout_seconds=self.settings.timeout_seconds,
            claims=account.claims,
            now=self._context.clock.wall(),
            via=self._via,
            from_shell=self._request.step in SHELL_COMMANDS,
            elsewhere=account.elsewhere,
        )
        return failures.explain(failure, about)

    def _say_what_is_unproven(self) -> None:
        for check, needed in _NEEDED.items():
            failed = next((before for before in needed if self.findings.failed(before)), None)
            if not self.findings.has(check) and failed is not None:
                self.findings.warn(check, check_messages.not_reached(failed))
        if not self.findings.has("write"):
            self.findings.warn("write", self._why_unwritten())
        if self._reading is None:
            reading.Reading(self._asked(), self.findings, self.budget, str).abandon(reading_messages.NOT_REACHED)

    def _why_unwritten(self) -> str:
        if not self._sends:
            return check_messages.write_unproven()
        failed = next((found.check for found in self.findings.all if found.state == FAILED), None)
        if failed:
            return check_messages.not_reached(failed)
        return check_messages.write_without_name(self._unusable) if self._unusable else check_messages.write_held_back()

    # -- the answer ------------------------------------------------------------------------------------------------------------

    def _answer(self) -> Answer:
        found = self.findings
        failed = [f"{finding.check}: {finding.text}" for finding in found.all if finding.state == FAILED]
        if not self._summed_up:
            self._summed_up = True
            warned = {finding.check for finding in found.all if finding.state == WARNING}
            written = True if self._sent else None if warned <= {"write", *reading.READ} else False
            unread = bool(warned & set(reading.READ))
            counts = (found.count(state) for state in (OK, WARNING, FAILED))
            self._log.info(check_messages.summary(*counts, written=written, unread=unread))
        return Answer(
            delivered=self._sent is not None,
            accepted=True,
            deployment_id=None,
            warnings=[f"{finding.check}: {finding.text}" for finding in found.all if finding.state != OK],
            fail_build=check_messages.fail_build(failed[0]) if failed and self.settings.fail_on_error else None,
            pending=pending.untouched(self._request.pending),
            more={"ok": not failed, "findings": [finding._asdict() for finding in found.all]},
        )
