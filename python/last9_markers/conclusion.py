"""What is said and answered at the end of a run, whoever ends it."""

from __future__ import annotations

from collections.abc import Mapping

from last9_markers import pending, records, routing
from last9_markers.contract import SHELL_COMMANDS, Answer, Json, Request
from last9_markers.credentials import Claims
from last9_markers.destination import Destination, credential_id, named_elsewhere
from last9_markers.errors import NotDelivered, is_outage
from last9_markers.options import Settings
from last9_markers.outages import Outages
from last9_markers.surroundings import Surroundings
from last9_markers.wording import failures, log

#: The step whose start is always followed by a stop.
BLOCK = "withLast9Deployment"


class Conclusion:
    """Composes the answer from what is known so far. The run and its watchdog may both ask for it: everything is said once."""

    def __init__(
        self,
        request: Request,
        route: routing.Routing,
        around: Surroundings,
        settings: Settings,
        outbox: pending.Outbox,
        now_ms: int,
    ) -> None:
        self._request = request
        self._routing = route
        self._around = around
        self._journal = around.journal
        self._settings = settings
        self._outbox = outbox
        self._now_ms = now_ms
        self.outages = Outages(request.outages, now_ms)
        #: What the run finds out on its way.
        self.label = outbox.own.label
        self.claims = Claims()
        self.destination: Destination | None = None
        self.via: str | None = None
        self.limit_seconds = settings.timeout_seconds
        self.once = request.after_abort
        self._told: str | None = None
        self._late_told = False

    # -- the answers -----------------------------------------------------------------------------------------------------------

    def delivered(self) -> Answer:
        """Last9 has it."""
        if self._told is None:
            self._told = log.SENT
            self._journal.say(log.SENT)
        self._settle_others()
        return self._answer(delivered=True)

    def failed(self, failure: NotDelivered | str, *, accepted: bool = True) -> Answer:
        """Last9 does not have it; ``failure`` may be a finished text. Not ``accepted``: the options make no marker."""
        text = failure if isinstance(failure, str) else failures.not_delivered(self.label, self._cleaned(failure), self.circumstances())
        if self._told is None:
            self._told = text
            # A marker from a shell may have no next one to go out with.
            kept = self._request.text and not self._outbox.own.settled
            self._journal.warn(text + self._kept() if kept else text)
        if isinstance(failure, NotDelivered) and self._outbox.own.tried and is_outage(failure):
            self._begin_outage()
        self._settle_others()
        return self._answer(accepted=accepted, failure=self._told)

    def rejected(self, reasons: list[str]) -> Answer:
        """The options make no marker; ``reasons`` are finished warnings."""
        for reason in reasons:
            self._journal.warn(reason)
        return self._answer(accepted=False, failure=reasons[0])

    def shown(self, dry_run: Mapping[str, Json]) -> Answer:
        """It was a dry run."""
        return self._answer(more={"dryRun": dry_run})

    # -- the others ------------------------------------------------------------------------------------------------------------

    def report(self, kept: pending.Outgoing) -> None:
        """A kept marker has failed: refused for good, or the start of the window that is about to end."""
        if kept.failure is None:
            return
        about = self.circumstances()
        failure = self._cleaned(kept.failure)
        if kept.settled:
            self._journal.warn(failures.late_marker_refused(kept.label, failure, about))
        else:
            self._journal.warn(failures.not_delivered(kept.label, failure, about) + log.STILL_KEPT)

    def _settle_others(self) -> None:
        if self._outbox.got_through() and self.destination is not None:
            self.outages.end(self.destination)
        sent = sum(outgoing.delivered for outgoing in self._outbox.others())
        if sent and not self._late_told:
            self._late_told = True
            self._journal.say(log.sent_late(sent))
        for outgoing in self._outbox.given_up(self._now_ms):
            because = failures.because(self._cleaned(outgoing.failure), self.circumstances()) if outgoing.failure else ""
            self._journal.warn(failures.given_up(outgoing.label, because))

    def _begin_outage(self) -> None:
        if self.destination is None or self._outbox.got_through():
            return
        if self.outages.begin(self.destination) and self._request.text:
            self._journal.say(log.outage(from_shell=self._request.step in SHELL_COMMANDS))

    def _kept(self) -> str:
        request = self._request
        if request.step in SHELL_COMMANDS:
            return log.KEPT_BY_A_SHELL
        return log.kept(self._outbox.count(), stop_follows=request.step == BLOCK and request.body is None)

    # -- the parts -------------------------------------------------------------------------------------------------------------

    def meant(self) -> pending.Meant:
        """Whom the marker is for."""
        connection = self._routing.fields
        if self.destination is not None:
            return pending.Meant(*self.destination.key())
        # As they were configured, for want of better; a password in a URL is no part of it, and makes it unusable anyway.
        clean = self._journal.redactor.clean
        organization, base_url = connection.get("orgSlug"), connection.get("apiBaseUrl")
        return pending.Meant(
            credential_id(connection), clean(organization.value) if organization else None, clean(base_url.value) if base_url else None
        )

    def circumstances(self) -> failures.Circumstances:
        """What a warning about this run's markers may name."""
        meant = self.meant()
        return failures.Circumstances(
            credential_id=meant.credential_id,
            organization=meant.organization,
            host=self.destination.base_url.host if self.destination else None,
            timeout_seconds=self.limit_seconds,
            claims=self.claims,
            now=self._around.clock.wall(),
            via=self.via,
            from_shell=self._request.step in SHELL_COMMANDS,
            elsewhere=named_elsewhere(self.destination.base_url, self.claims) if self.destination else None,
            once=self.once,
        )

    def _cleaned(self, failure: NotDelivered) -> NotDelivered:
        # Before it is cut to a sentence's length: half a secret would not be recognized.
        failure.detail = self._journal.redactor.clean(failure.detail)
        return failure

    def _answer(
        self, *, delivered: bool = False, accepted: bool = True, failure: str | None = None, more: Mapping[str, Json] | None = None
    ) -> Answer:
        last9 = self.destination.base_url.text if self.destination else None
        found: dict[str, Json] = {
            "records": records.of_run(self._outbox, self._request.text, last9),
            "outages": self.outages.fields(),
        }
        return Answer(
            delivered=delivered,
            accepted=accepted,
            deployment_id=self._request.window_id if accepted else None,
            warnings=self._journal.warnings,
            fail_build=self._journal.redactor.clean(log.fail_build(failure)) if failure and self._settings.fail_on_error else None,
            pending=self._outbox.pending(),
            more={**{name: value for name, value in found.items() if value}, **(more or {})},
        )
