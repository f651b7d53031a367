"""``step --request FILE``: what the library runs on the agent for each marker. One request in, one answer file out."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Protocol

from last9_markers import bundle, safe_files
from last9_markers.clock import Budget, SystemClock
from last9_markers.contract import Answer, Request, parse
from last9_markers.credentials import VARIABLE
from last9_markers.errors import BudgetSpent, NotDelivered, RequestUnreadable
from last9_markers.journal import Journal
from last9_markers.redaction import Redactor
from last9_markers.surroundings import Surroundings
from last9_markers.watchdog import GRACE_SECONDS, Watchdog
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


#: The exit code that says: the answer is written. Never 0, which Jenkins takes for success even if the step was interrupted.
ANSWERED = 77
#: There is no answer, as it could not be written (sysexits' EX_IOERR).
UNANSWERED = 74
#: How long before the interval timer ends the process (0.05 s before the limit) the watchdog answers.
LAST_WORD_SECONDS = 0.25
LARGEST_REQUEST = 64 << 20


def main(arguments: list[str]) -> int:
    """``step --request FILE --answer FILE``: do what the request file asks, within its budget. It is deleted as soon as it is read."""
    if len(arguments) != 4 or arguments[::2] != ["--request", "--answer"]:
        print("usage: last9-markers step --request FILE --answer FILE", file=sys.stderr)
        return 2
    request, answer = arguments[1], os.path.abspath(arguments[3])
    # 0644: a root in a container must not hide it from the agent.
    return serve(lambda: _read(request), Journal(sys.stderr, Redactor()), lambda line: safe_files.create(answer, line, 0o644))


def serve(read: Callable[[], str], journal: Journal, write: Callable[[bytes], object]) -> int:
    """Do what the request says that ``read`` returns, and ``write`` one answer, whatever happens. The token is in the environment.

    Return the exit code: whether the answer has been written.
    """
    # First of all: no child process, no attribute and no dump of the environment shall find it there.
    token = os.environ.pop(VARIABLE, None)
    journal.redactor.hide(token)
    mouth = Mouth(write, journal)
    accepted = True
    try:
        errand = _errand(parse(read()), Surroundings(os.environ, token, SystemClock(), journal))
    except RequestUnreadable as error:
        accepted = False
        journal.warn(inputs.request_unreadable(str(error)))
    except OSError as error:
        journal.warn(inputs.request_missing(f"{type(error).__name__}: {error.strerror}"))
    except Exception as error:  # noqa: BLE001 - a defect of ours must not cost the answer
        journal.warn(engine_failed(error, journal))
    else:
        return _run(errand, mouth, journal)
    return mouth.give(Answer(False, accepted, None, journal.warnings, None, None))


def _errand(request: Request, around: Surroundings) -> Errand:
    module, name = ERRANDS.get(request.step, MARKER)
    errand: Errand = getattr(importlib.import_module(module), name)(request, around)
    return errand


def _run(errand: Errand, mouth: Mouth, journal: Journal) -> int:
    watchdog = Watchdog(_time_limit(errand.budget), lambda: mouth.give(errand.broken_off(BudgetSpent())))
    try:
        answer = errand.run()
    except KeyboardInterrupt:
        answer = errand.broken_off(log.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a defect of ours must cost neither the answer nor the marker
        answer = errand.broken_off(engine_failed(error, journal))
    code = mouth.give(_with_code(answer, journal))
    watchdog.call_off()
    return code


def _time_limit(budget: Budget) -> float:
    """Seconds until the watchdog speaks: a little after the budget, and before the interval timer ends the process."""
    ours = budget.remaining() + GRACE_SECONDS
    if not hasattr(signal, "getitimer"):
        return ours
    left = signal.getitimer(signal.ITIMER_REAL)[0]
    return min(ours, max(0.0, left - LAST_WORD_SECONDS)) if left else ours


def _with_code(answer: Answer, journal: Journal) -> Answer:
    """The answer with the hash of the compiled code that the next marker on this node may trust."""
    running = bundle.running()
    if running is None or not running.folder:
        return answer
    problem = safe_files.close_to_others(running.folder)
    if problem:
        journal.debug(log.folder_of_others(os.path.realpath(running.folder), problem))
    with contextlib.suppress(Exception):  # what it is for is to save time
        code = running.keep_code()
        if code:
            return answer._replace(more={**answer.more, "code": code})
    return answer


class Mouth:
    """Gives one answer, whoever comes first: the engine or its watchdog."""

    def __init__(self, write: Callable[[bytes], object], journal: Journal) -> None:
        self._write = write
        self._journal = journal
        self._lock = threading.Lock()
        self._code: int | None = None

    def give(self, answer: Answer) -> int:
        """Write the answer line, unless one has been written; return the exit code."""
        with self._lock:
            if self._code is None:
                self._code = ANSWERED
                try:
                    self._write((answer.line() + "\n").encode("ascii"))
                except (OSError, ValueError) as error:
                    # No answer counts as undelivered, which is the truth as far as the library knows.
                    self._code = UNANSWERED
                    self._journal.warn(log.no_answer(str(getattr(error, "strerror", None) or error)))
            return self._code


def engine_failed(error: BaseException, journal: Journal) -> str:
    """The warning for an exception that nobody expected: what it was, and where; the traceback only for who debugs."""
    import traceback

    if journal.debugging:
        journal.debug("".join(traceback.format_exception(type(error), error, error.__traceback__)))
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    return log.engine_failed(error, place)


def _read(path: str) -> str:
    text = safe_files.read(path, LARGEST_REQUEST).decode("utf-8", "replace")
    # If it cannot be removed it stays: it holds no secret, and a later marker tidies the folder up.
    with contextlib.suppress(OSError):
        os.remove(path)
    return text
