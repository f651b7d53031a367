"""The log lines and the answer at the end of a run, from the engine or its watchdog."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

from last9_markers.core.errors import DeliveryError, is_outage
from last9_markers.core.formats import as_commit
from last9_markers.marker import pending, records
from last9_markers.marker.attributes import importance, scm
from last9_markers.marker.event import Event
from last9_markers.marker.left_open import Leftovers
from last9_markers.marker.memory import Memory
from last9_markers.messages import failures, progress
from last9_markers.messages import options as option_messages
from last9_markers.request import routing
from last9_markers.request.context import Context
from last9_markers.request.contract import SHELL_COMMANDS, Answer, Json, Request
from last9_markers.request.destination import Destination, credential_id, named_elsewhere
from last9_markers.request.options import Settings
from last9_markers.request.token import Claims

#: The step whose start is always followed by a stop.
BLOCK = "withLast9Deployment"


class Conclusion:
    """Composes the answer from what is known so far. The run and its watchdog may both ask for it: everything is said once."""

    def __init__(
        self,
        request: Request,
        route: routing.Routing,
        context: Context,
        settings: Settings,
        outbox: pending.Outbox,
        now_ms: int,
    ) -> None:
        self._request = request
        self._routing = route
        self._context = context
        self._log = context.log
        self._settings = settings
        self._outbox = outbox
        self._now_ms = now_ms
        self._memory = Memory(request.outages, now_ms)
        self.outages = self._memory.outages
        #: What the run finds out on its way.
        self.label = outbox.own.label
        self.composed: Event | None = None
        self.leftovers = Leftovers(request.left_open)
        self.claims = Claims()
        self.destination: Destination | None = None
        self.via: str | None = None
        self.limit_seconds = settings.timeout_seconds
        self.once = request.after_abort
        self.local_merge: str | None = None
        self._told: str | None = None
        self._late_told = False

    # -- the answers -----------------------------------------------------------------------------------------------------------

    def delivered(self) -> Answer:
        """Last9 has it."""
        if self._told is None:
            self._told = progress.SENT
            self._log.info(progress.SENT)
        self._settle_others()
        return self._answer(delivered=True, more=self._deployed())

    def failed(self, failure: DeliveryError | str, *, accepted: bool = True) -> Answer:
        """Last9 does not have it; ``failure`` may be a finished text. Not ``accepted``: the options make no marker."""
        text = failure if isinstance(failure, str) else failures.not_delivered(self.label, self._cleaned(failure), self.circumstances())
        if self._told is None:
            self._told = text
            # After a marker from a shell there may be no next one.
            kept = self._request.text and not self._outbox.own.settled
            self._log.warning(text + self._kept() if kept else text)
        if isinstance(failure, DeliveryError) and self._outbox.own.tried and is_outage(failure):
            self._begin_outage()
        self._settle_others()
        return self._answer(accepted=accepted, failure=self._told)

    def rejected(self, reasons: list[str]) -> Answer:
        """The options make no marker; ``reasons`` are finished warnings."""
        for reason in reasons:
            self._log.warning(reason)
        return self._answer(accepted=False, failure=reasons[0])

    def shown(self, dry_run: Mapping[str, Json]) -> Answer:
        """It was a dry run."""
        return self._answer(more={"dryRun": dry_run})

    # -- the others ------------------------------------------------------------------------------------------------------------

    def report(self, kept: pending.OutboxEntry) -> None:
        """A kept marker has failed: refused for good, or the start of the window that is about to end."""
        if kept.failure is None:
            return
        about = self.circumstances()
        failure = self._cleaned(kept.failure)
        if kept.settled:
            self._log.warning(failures.late_marker_refused(kept.label, failure, about))
        else:
            # A window in a shell without a state file sends its start once more, and then nothing keeps it.
            promise = progress.STILL_KEPT if self._request.text else ""
            self._log.warning(failures.not_delivered(kept.label, failure, about) + promise)

    def _settle_others(self) -> None:
        if self._outbox.got_through() and self.destination is not None:
            self.outages.end(self.destination)
        sent = [entry for entry in self._outbox.others() if entry.delivered]
        if sent and not self._late_told:
            self._late_told = True
            late = sum(entry.killed is None for entry in sent)
            if late:
                self._log.info(progress.sent_late(late))
            for entry in sent:
                if entry.killed is not None:
                    self._log.info(progress.closed_killed(entry.killed))
        self.leftovers.tell(self._log)
        for entry in self._outbox.given_up(self._now_ms):
            explain = failures.explain(self._cleaned(entry.failure), self.circumstances()) if entry.failure else ""
            self._log.warning(failures.given_up(entry.label, explain))

    def _begin_outage(self) -> None:
        if self.destination is None or self._outbox.got_through():
            return
        if self.outages.begin(self.destination) and self._request.text:
            self._log.info(progress.outage(from_shell=self._request.step in SHELL_COMMANDS))

    def _kept(self) -> str:
        request = self._request
        if request.step in SHELL_COMMANDS:
            return progress.KEPT_BY_A_SHELL
        return progress.kept(self._outbox.count(), stop_follows=request.step == BLOCK and request.body is None)

    def no_room_for(self, names: list[str]) -> None:
        """Attributes that were asked for do not fit. Said once a build, as long as they are the same."""
        # Without the order, which is of no interest, and without hash(), which differs from process to process.
        these = f"{zlib.crc32(' '.join(sorted(names)).encode('utf-8', 'replace')):08x}"
        if self._memory.left_out != these:
            self._memory.left_out = these
            self._log.warning(f"{self.label}: {option_messages.no_room_for(names, importance.MOST_LABELS)}")

    def names_commit(self, event_state: str, commit: str | None) -> None:
        """The run's own marker names that commit. What the window's start has named is compared with it, and is overruled."""
        window = self._request.window_id
        if window is None:
            return
        if event_state == "start":
            if commit:
                self._memory.note_start(window, commit)
            return
        before = self._memory.take_start(window)
        if before and commit and before != commit:
            self._log.info(f"{self.label}: {progress.commits_disagree(before, commit)}")

    # -- the parts -------------------------------------------------------------------------------------------------------------

    def _deployed(self) -> dict[str, Json]:
        """The commit that is now deployed, if this was the stop of a deployment that went well."""
        found = self.composed or {}
        labels: Mapping[str, str] = found.get("attributes", {})
        outcome, commit = (labels.get(name) or labels.get(name.replace(".", "_")) for name in ("deployment.outcome", scm.COMMIT))
        commit = as_commit(commit) if found.get("event_state") == "stop" and outcome == "success" else None
        return {"commit": commit} if commit else {}

    def recipient(self) -> pending.Recipient:
        """Whom the marker is for."""
        connection = self._routing.fields
        if self.destination is not None:
            return pending.Recipient(*self.destination.key())
        # As they were configured, because nothing better is known. A URL with a password is left out: it cannot be used anyway.
        clean = self._log.redactor.clean
        organization, base_url = connection.get("orgSlug"), connection.get("apiBaseUrl")
        return pending.Recipient(
            credential_id(connection), clean(organization.value) if organization else None, clean(base_url.value) if base_url else None
        )

    def circumstances(self) -> failures.FailureContext:
        """What a warning about this run's markers may name."""
        recipient = self.recipient()
        return failures.FailureContext(
            credential_id=recipient.credential_id,
            organization=recipient.organization,
            host=self.destination.base_url.host if self.destination else None,
            timeout_seconds=self.limit_seconds,
            claims=self.claims,
            now=self._context.clock.wall(),
            via=self.via,
            from_shell=self._request.step in SHELL_COMMANDS,
            elsewhere=named_elsewhere(self.destination.base_url, self.claims) if self.destination else None,
            once=self.once,
        )

    def _cleaned(self, failure: DeliveryError) -> DeliveryError:
        # Before it is cut to a sentence's length: half a secret would not be recognized.
        failure.detail = self._log.redactor.clean(failure.detail)
        return failure

    def _answer(
        self, *, delivered: bool = False, accepted: bool = True, failure: str | None = None, more: Mapping[str, Json] | None = None
    ) -> Answer:
        last9 = self.destination.base_url.text if self.destination else None
        closed = self.leftovers.records(self._context.environ.get("BUILD_NUMBER"))
        found: dict[str, Json] = {
            "records": [*records.of_run(self._outbox, self._request.text, last9, self.local_merge), *closed],
            "leftOpen": self.leftovers.fields(),
            "closeWith": self.leftovers.another_credential() if delivered else None,
            "outages": self._memory.fields(),
        }
        return Answer(
            delivered=delivered,
            accepted=accepted,
            deployment_id=self._request.window_id if accepted else None,
            warnings=self._log.warnings,
            fail_build=self._log.redactor.clean(progress.fail_build(failure)) if failure and self._settings.fail_on_error else None,
            pending=self._outbox.pending(),
            more={**{name: value for name, value in found.items() if value}, **(more or {})},
        )
