"""Serves one request: picks its handler, gives one answer on stdout whatever happens, ends with the time budget."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Protocol, TextIO

from last9_markers.core.clock import Budget, SystemClock
from last9_markers.core.errors import BudgetSpent, NotDelivered, RequestUnreadable
from last9_markers.core.log import Journal
from last9_markers.messages import options as option_messages
from last9_markers.messages import progress
from last9_markers.request.context import Surroundings
from last9_markers.request.contract import Answer, Request, parse
from last9_markers.request.token import VARIABLE
from last9_markers.runner.defects import engine_failed
from last9_markers.runner.watchdog import Watchdog

#: What a request's ``step`` asks for → the class that does it, where it is no marker. Each is loaded only when it is asked for.
ERRANDS = {
    "last9TestConnection": ("last9_markers.check.connection_test", "ConnectionTest"),
    "last9DeploymentReport": ("last9_markers.report.handler", "Errand"),
}
MARKER = ("last9_markers.runner.send_marker", "Errand")


class Errand(Protocol):
    """What is asked of whatever serves a request; :class:`last9_markers.runner.send_marker.Errand` says what each means."""

    budget: Budget

    def run(self) -> Answer:
        """Do it within the budget."""

    def broken_off(self, failure: NotDelivered | str) -> Answer:
        """The answer where it could not come to its own end."""


def serve(read: Callable[[], str], journal: Journal) -> None:
    """Do what the request says that ``read`` returns, and give one answer on stdout, whatever happens. The token is in the environment."""
    # First of all: no child process, no attribute and no dump of the environment shall find it there.
    token = os.environ.pop(VARIABLE, None)
    journal.redactor.hide(token)
    mouth = Mouth(sys.stdout)
    accepted = True
    try:
        errand = _errand(parse(read()), Surroundings(os.environ, token, SystemClock(), journal))
    except RequestUnreadable as error:
        accepted = False
        journal.warn(option_messages.request_unreadable(str(error)))
    except OSError as error:
        journal.warn(option_messages.request_missing(type(error).__name__))
    except Exception as error:  # noqa: BLE001 - a defect of ours must not cost the answer
        journal.warn(engine_failed(error, journal))
    else:
        _run(errand, mouth, journal)
        return
    mouth.give(Answer(False, accepted, None, journal.warnings, None, None))


def _errand(request: Request, around: Surroundings) -> Errand:
    module, name = ERRANDS.get(request.step, MARKER)
    errand: Errand = getattr(importlib.import_module(module), name)(request, around)
    return errand


def _run(errand: Errand, mouth: Mouth, journal: Journal) -> None:
    watchdog = Watchdog(errand.budget.remaining(), lambda: mouth.give(errand.broken_off(BudgetSpent())))
    try:
        answer = errand.run()
    except KeyboardInterrupt:
        answer = errand.broken_off(progress.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a defect of ours must cost neither the answer nor the marker
        answer = errand.broken_off(engine_failed(error, journal))
    mouth.give(answer)
    watchdog.call_off()


class Mouth:
    """Gives one answer, whoever comes first: the engine or its watchdog."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._given = False

    def give(self, answer: Answer) -> None:
        """Write the answer line, unless one has been written."""
        with self._lock:
            if self._given:
                return
            self._given = True
            try:
                self._stream.write(answer.line() + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                # Nobody listens any more: no answer counts as undelivered, which is the truth as far as the library knows.
                return
