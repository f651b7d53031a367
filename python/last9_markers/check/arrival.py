"""Checks the accepted test event: whether it can be read, with which labels, and at which time."""

from __future__ import annotations

import time
from itertools import chain, repeat

from last9_markers.check import queries
from last9_markers.check.findings import Findings
from last9_markers.check.sent_event import SentEvent
from last9_markers.client.reading_back import DataSource, Last9Reader, Sample
from last9_markers.core.clock import Budget
from last9_markers.core.errors import Transient
from last9_markers.messages import reading as reading_messages

#: Seconds between two looks: stores of this kind hide their newest seconds, VictoriaMetrics 30 by default.
PAUSES = (1.0, 2.0, 3.0, 5.0, 8.0)
PAUSES_THEN = 10.0
#: How far around its moment the event is looked for: what is further off has the time of its arrival.
MARGIN_SECONDS = 600.0
#: A time that is further off was changed, and not rounded to seconds.
ROUNDING_SECONDS = 1.0


def wait_for(reader: Last9Reader, source: DataSource, sent: SentEvent, budget: Budget) -> Sample | None:
    """The event as it is stored, ``None`` if it does not appear within the budget.

    Raises :exc:`DeliveryError` if Last9 does not answer, or answers what proves nothing.
    """
    pauses = chain(PAUSES, repeat(PAUSES_THEN))
    while True:
        failure: Transient | None = None
        try:
            end = max(budget.clock.wall(), sent.moment) + MARGIN_SECONDS
            window = end - sent.moment + MARGIN_SECONDS
            found = reader.newest_samples(source, queries.of_test(sent.test_id), end, window)
            if found:
                return found[0]
        except Transient as error:
            failure = error
        pause = next(pauses)
        if pause >= budget.remaining():
            if failure is not None:
                raise failure
            return None
        time.sleep(pause)


def compare(findings: Findings, sent: SentEvent, stored: Sample, advice: str) -> None:
    """What became of the labels and of the time."""
    renamed, missing, changed = [], [], []
    for name, value in sent.labels.items():
        underscore = name.replace(".", "_")
        if name in stored.labels:
            changed += [name] if stored.labels[name] != value else []
        elif stored.labels.get(underscore) == value:
            renamed.append(name)
        else:
            missing.append(name)
    if renamed:
        findings.warn("labels", reading_messages.labels_renamed(renamed, advice))
    if missing:
        findings.warn("labels", reading_messages.labels_missing(missing))
    if changed:
        findings.warn("labels", reading_messages.labels_changed(changed))
    if not findings.has("labels"):
        findings.ok("labels", reading_messages.labels_as_sent(sent.width))
    if stored.moment is None:
        findings.warn("time", reading_messages.time_unknown(queries.last_day(queries.of_test(sent.test_id))))
    elif abs(stored.moment - sent.moment) > ROUNDING_SECONDS:
        findings.warn("time", reading_messages.time_off(stored.moment - sent.moment))
    else:
        findings.ok("time", reading_messages.time_as_sent())
