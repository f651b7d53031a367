"""``step --request FILE``: what the library runs on the agent for each marker. One request in, one answer line out, exit code 0."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Protocol, TextIO

from last9_markers.clock import Budget, SystemClock
from last9_markers.contract import Answer, Request, parse
from last9_markers.credentials import VARIABLE
from last9_markers.errors import BudgetSpent, NotDelivered, RequestUnreadable
from last9_markers.journal import Journal
from last9_markers.redaction import Redactor
from last9_markers.surroundings import Surroundings
from last9_markers.watchdog import Watchdog
from last9_markers.wording import inputs, log

#: What a request's ``step`` asks for → the class that does it, where it is no marker. Each is loaded only when it is asked for.
ERRANDS = {
    "last9TestConnection": ("last9_markers.check.connection_test", "ConnectionTest"),
    "last9DeploymentReport": ("last9_markers.report.errand", "Errand"),
}
MARKER = ("last9_markers.marker", "Errand")


class Errand(Protocol):
    """What is asked of whatever serves a request; :class:`last9_markers.marker.Errand` says what each means."""

    budget: Budget

    def run(self) -> Answer:
        """Do it within the budget."""

    def broken_off(self, failure: NotDelivered | str) -> Answer:
        """The answer where it could not come to its own end."""


def main(arguments: list[str]) -> int:
    """``step --request FILE``: do what the request file asks, within its budget. The file is deleted as soon as it is read."""
    if len(arguments) != 2 or arguments[0] != "--request":
        print("usage: last9-markers step --request FILE", file=sys.stderr)
        return 2
    serve(lambda: _read(arguments[1]), Journal(sys.stderr, Redactor()))
    return 0


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
        journal.warn(inputs.request_unreadable(str(error)))
    except OSError as error:
        journal.warn(inputs.request_missing(type(error).__name__))
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
    watchdog = Watchdog(errand.budget.left_in_all, lambda: mouth.give(errand.broken_off(BudgetSpent())))
    try:
        answer = errand.run()
    except KeyboardInterrupt:
        answer = errand.broken_off(log.INTERRUPTED)
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


def engine_failed(error: BaseException, journal: Journal) -> str:
    """The warning for an exception that nobody expected: what it was, and where; the traceback only for who debugs."""
    import traceback

    if journal.debugging:
        journal.debug("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    return log.engine_failed(error, place)


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    # Where it cannot be removed it stays: it holds no secret, and the library tidies its folder up.
    with contextlib.suppress(OSError):
        os.remove(path)
    return text
