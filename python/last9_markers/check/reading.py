"""Reads back what Last9 has: the data source, the service and the environment by name, the events of the last day, and the test event.

Nothing here is a failure, because a marker may still arrive. If something cannot be proven, the finding says so and names the query.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from last9_markers.check import arrival, queries, sent_event
from last9_markers.check.findings import Findings
from last9_markers.check.nearest import nearest
from last9_markers.check.sent_event import SentEvent
from last9_markers.client.reading_back import QUESTION_SECONDS, DataSource, Last9Reader
from last9_markers.core.clock import Budget
from last9_markers.core.errors import DeadlineExceeded, DeliveryError, NetworkError, RateLimited, ServerError, Unreadable, got_no_answer
from last9_markers.messages import reading as reading_messages
from last9_markers.request.contract import SHELL_COMMANDS, Request

#: The time for reading back, in addition to the test's own time limit. The library waits that much longer: ConnectionTest.groovy.
READING_SECONDS = 60.0
DAY_SECONDS = 86400.0
#: What may be found by reading back.
READ = ("datasource", "service", "environment", "events", "stored", "labels", "time")

T = TypeVar("T")


class Asked(NamedTuple):
    """What is to be looked at; ``None`` is not. ``advice``: how the option for underscores is written."""

    service: str | None
    environment: str | None
    data_source: str | None
    sent: SentEvent | None
    advice: str

    @classmethod
    def by(cls, request: Request, data_source: str | None, sent: SentEvent | None) -> Asked:
        """What a request asks for: the names that it gives, and the test event if one was sent."""
        service, environment = sent_event.names(request)
        underscores = "--attribute-names underscore" if request.step in SHELL_COMMANDS else "attributeNames: 'underscore'"
        return cls(service, environment, data_source, sent, underscores)

    @property
    def anything(self) -> bool:
        """Whether there is something to look at."""
        return any((self.service, self.environment, self.data_source, self.sent))

    def by_hand(self) -> dict[str, str | None]:
        """What is looked at, in order → the query that tells a person the same."""
        found: dict[str, str | None] = {"datasource": None} if self.anything else {}
        label = queries.SERVICE_LABELS[0]
        if self.service:
            found["service"] = queries.count_by(label, queries.metrics_with(label, self.service))
        if self.environment:
            of_service = (label, self.service) if self.service else None
            of_environment = queries.ENVIRONMENT_LABELS[0]
            found["environment"] = queries.count_by(of_environment, queries.metrics_with(of_environment, service=of_service))
        if self.sent:
            found["stored"] = queries.last_day(queries.of_test(self.sent.test_id))
        if self.service:
            found["events"] = queries.count_by("event_name", queries.events_of(self.service))
        return found


class Reading:
    """Reads back what was asked: :meth:`run`. ``explain`` puts a failure of the way into a sentence."""

    def __init__(self, asked: Asked, findings: Findings, budget: Budget, explain: Callable[[DeliveryError], str]) -> None:
        self._asked = asked
        self._by_hand = asked.by_hand()
        self._findings = findings
        self._budget = budget
        self._explain = explain
        self._too_slow = False

    def run(self, reader: Last9Reader) -> None:
        """Look at everything that was asked; each thing becomes a finding, in order."""
        source = self._ask("datasource", lambda: self._data_source(reader))
        if source is None:
            self.abandon(reading_messages.NO_SOURCE)
            return
        service = self._service(reader, source) if self._asked.service else None
        if self._asked.environment:
            self._environment(reader, source, service)
        if self._asked.sent:
            self._arrival(reader, source, self._asked.sent)
        # After that, which has waited until the store shows its newest seconds.
        if self._asked.service:
            self._events(reader, source, self._asked.service)

    def abandon(self, reason: str) -> None:
        """Say of everything that was asked and has no finding that it is not proven."""
        for check, query in self._by_hand.items():
            if not self._findings.has(check):
                self._findings.warn(check, reading_messages.unproven(reason, query))

    # -- the parts -------------------------------------------------------------------------------------------------------------

    def _data_source(self, reader: Last9Reader) -> DataSource | None:
        sources = reader.data_sources()
        names = [source.name for source in sources]
        default = next((source for source in sources if source.is_default), None)
        wanted = self._asked.data_source
        chosen = next((source for source in sources if source.name == wanted), None) if wanted else default
        if not sources:
            self._findings.warn("datasource", reading_messages.no_data_source())
        elif chosen is not None:
            others = [name for name in names if name != chosen.name]
            self._findings.ok("datasource", reading_messages.data_source(chosen.name, others, is_default=chosen.is_default))
        elif wanted:
            self._findings.warn("datasource", reading_messages.data_source_unknown(wanted, nearest(wanted, names), names))
        else:
            self._findings.warn("datasource", reading_messages.no_default(names))
        return chosen

    def _service(self, reader: Last9Reader, source: DataSource) -> tuple[str, str] | None:
        """The label and the name by which metrics know the service, ``None`` if they do not."""
        service = self._asked.service or ""
        label = self._look_up("service", reader, source, service, queries.SERVICE_LABELS, None)
        if label:
            self._findings.ok("service", reading_messages.service_known(service, label))
        return (label, service) if label else None

    def _environment(self, reader: Last9Reader, source: DataSource, service: tuple[str, str] | None) -> None:
        environment = self._asked.environment or ""
        label = self._look_up("environment", reader, source, environment, queries.ENVIRONMENT_LABELS, service)
        if label:
            self._findings.ok("environment", reading_messages.environment_known(environment, label, service and service[1]))

    def _look_up(
        self, check: str, reader: Last9Reader, source: DataSource, name: str, labels: tuple[str, ...], service: tuple[str, str] | None
    ) -> str | None:
        """The first label that has the name as a value. If none has it, the finding names the nearest."""
        if self._too_slow:  # it is the heaviest question: once is enough
            self._unproven(check, reading_messages.NOT_TRIED)
            return None
        for label in labels:
            values = self._ask(check, functools.partial(self._values, reader, source, label, name, service))
            if values is None:
                return None
            if name in values:
                return label
        there = self._names(reader, source, labels, service)
        near = nearest(name, there) or nearest(name, self._suggestions(reader, source, name, check))
        if check == "service":
            self._findings.warn(check, reading_messages.service_unknown(name, near))
        else:
            self._findings.warn(check, reading_messages.environment_unknown(name, near, there, service and service[1]))
        return None

    def _values(self, reader: Last9Reader, source: DataSource, label: str, value: str | None, service: tuple[str, str] | None) -> list[str]:
        wanted = queries.metrics_with(label, value, service)
        return reader.label_values(source, label, wanted, self._budget.clock.wall(), DAY_SECONDS)

    # The names there are only help to spell one: what cannot be had of them leaves the finding as it is.

    def _names(self, reader: Last9Reader, source: DataSource, labels: tuple[str, ...], service: tuple[str, str] | None) -> list[str]:
        found: list[str] = []
        with contextlib.suppress(DeliveryError):
            for label in labels:
                found += self._values(reader, source, label, None, service)
        return list(dict.fromkeys(found))

    def _suggestions(self, reader: Last9Reader, source: DataSource, name: str, kind: str) -> list[str]:
        with contextlib.suppress(DeliveryError):
            return reader.suggestions(source, name, kind)
        return []

    def _arrival(self, reader: Last9Reader, source: DataSource, sent: SentEvent) -> None:
        clock = self._budget.clock
        stored = self._ask("stored", lambda: [arrival.wait_for(reader, source, sent, self._budget)])
        if stored is None:
            return
        after = clock.monotonic() - sent.sent_at
        if stored[0] is None:
            query = self._by_hand["stored"] or ""
            self._findings.warn("stored", reading_messages.not_stored_yet(after, sent.width, source.name, query))
            return
        self._findings.ok("stored", reading_messages.stored(after))
        arrival.compare(self._findings, sent, stored[0], self._asked.advice)

    def _events(self, reader: Last9Reader, source: DataSource, service: str) -> None:
        end = self._budget.clock.wall() + arrival.MARGIN_SECONDS
        window = DAY_SECONDS + arrival.MARGIN_SECONDS
        names = self._ask("events", lambda: reader.label_values(source, "event_name", queries.events_of(service), end, window))
        if names:
            self._findings.ok("events", reading_messages.events_seen(service, names))
        elif names is not None:
            self._findings.warn(
                "events", reading_messages.no_events(service, self._by_hand["events"] or "", sent=self._asked.sent is not None)
            )

    # -- asking ----------------------------------------------------------------------------------------------------------------

    def _ask(self, check: str, question: Callable[[], T]) -> T | None:
        """The answer. ``None``: there is none, and the finding says why."""
        try:
            return self._with_retries(question)
        except Unreadable as failure:
            self._unproven(check, reading_messages.unreadable(failure.kind, failure.detail))
        except DeliveryError as failure:
            self._too_slow = self._too_slow or got_no_answer(failure)
            self._unproven(check, self._why(failure))
        return None

    def _with_retries(self, question: Callable[[], T]) -> T:
        try:
            return question()
        except (RateLimited, ServerError) as failure:
            from last9_markers.client import retry

            return retry.retry_call(question, failure, self._budget)

    def _unproven(self, check: str, reason: str) -> None:
        self._findings.warn(check, reading_messages.unproven(reason, self._by_hand[check]))

    def _why(self, failure: DeliveryError) -> str:
        if isinstance(failure, DeadlineExceeded):
            return reading_messages.OVER
        if isinstance(failure, RateLimited):
            return reading_messages.RATE_LIMITED
        if isinstance(failure, ServerError):
            return reading_messages.server_error(failure.detail)
        if isinstance(failure, NetworkError) and failure.kind in ("answering", "connecting"):
            return reading_messages.no_answer(QUESTION_SECONDS)
        return self._explain(failure)
