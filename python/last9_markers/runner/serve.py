"""Serves one request: picks its handler, always gives one answer, ends with the time limit."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import threading
from collections.abc import Callable
from typing import Protocol

from last9_markers.core import bundle, safe_files
from last9_markers.core.clock import Budget, SystemClock
from last9_markers.core.errors import DeadlineExceeded, DeliveryError, RequestUnreadable
from last9_markers.core.log import BuildLog
from last9_markers.messages import options as option_messages
from last9_markers.messages import progress
from last9_markers.request.context import Context
from last9_markers.request.contract import CLOSES, Answer, Request, parse
from last9_markers.request.token import VARIABLE
from last9_markers.runner.defects import engine_failed
from last9_markers.runner.watchdog import Watchdog

#: A request's ``step`` → its handler, unless it is a marker. Each is loaded only if it is needed.
HANDLERS = {
    "last9TestConnection": ("last9_markers.check.connection_test", "ConnectionTest"),
    CLOSES: ("last9_markers.runner.close_left_open", "ClosingHandler"),
    "last9DeploymentReport": ("last9_markers.report.handler", "ReportHandler"),
}
MARKER = ("last9_markers.runner.send_marker", "MarkerHandler")


class RequestHandler(Protocol):
    """The interface of a request handler; :class:`last9_markers.runner.send_marker.MarkerHandler` says what each means."""

    budget: Budget

    def run(self) -> Answer:
        """Do it within the budget."""

    def abort(self, failure: DeliveryError | str) -> Answer:
        """The answer if it could not end by itself."""


#: The exit code that says: the answer is written. Never 0, which Jenkins takes for success even if the step was interrupted.
ANSWERED = 77
#: There is no answer, as it could not be written (sysexits' EX_IOERR).
UNANSWERED = 74
#: How long before the interval timer ends the process (0.05 s before the limit) the watchdog answers.
LAST_WORD_SECONDS = 0.25


def serve(
    read: Callable[[], str], log: BuildLog, write: Callable[[bytes], object], unwritten: Callable[[str], str] = progress.no_answer
) -> int:
    """Do what the request says that ``read`` returns, and always ``write`` one answer. The token is in the environment.

    Return the exit code: whether the answer has been written. ``unwritten`` makes the warning if it cannot be, of the system's reason.
    """
    # First of all: no child process, no attribute and no dump of the environment may find it there.
    token = os.environ.pop(VARIABLE, None)
    log.redactor.hide(token)
    writer = AnswerWriter(write, log, unwritten)
    accepted = True
    try:
        handler = _handler(parse(read()), Context(os.environ, token, SystemClock(), log))
    except RequestUnreadable as error:
        accepted = False
        log.warning(option_messages.request_unreadable(str(error)))
    except OSError as error:
        log.warning(option_messages.request_missing(f"{type(error).__name__}: {error.strerror}"))
    except Exception as error:  # noqa: BLE001 - a defect of ours must not cost the answer
        log.warning(engine_failed(error, log))
    else:
        return _run(handler, writer, log)
    return writer.write_once(Answer(False, accepted, None, log.warnings, None, None))


def _handler(request: Request, context: Context) -> RequestHandler:
    module, name = HANDLERS.get(request.step, MARKER)
    handler: RequestHandler = getattr(importlib.import_module(module), name)(request, context)
    return handler


def _run(handler: RequestHandler, writer: AnswerWriter, log: BuildLog) -> int:
    watchdog = Watchdog(lambda: _left(handler.budget), lambda: writer.write_once(handler.abort(DeadlineExceeded())))
    try:
        answer = handler.run()
    except KeyboardInterrupt:
        answer = handler.abort(progress.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a defect of ours must cost neither the answer nor the marker
        answer = handler.abort(engine_failed(error, log))
    code = writer.write_once(_with_code(answer, log))
    watchdog.cancel()
    return code


def _left(budget: Budget) -> float:
    """Seconds until the watchdog answers: at the end of the time limit, and in any case before the interval timer ends the process."""
    left = budget.left_in_all()
    if not hasattr(signal, "getitimer"):  # Windows
        return left
    timer = signal.getitimer(signal.ITIMER_REAL)[0]
    return min(left, max(0.0, timer - LAST_WORD_SECONDS)) if timer else left


def _with_code(answer: Answer, log: BuildLog) -> Answer:
    """The answer with the hash of the compiled code that the next marker on this node may trust."""
    running = bundle.running()
    if running is None or not running.folder:
        return answer
    problem = safe_files.close_to_others(running.folder)
    if problem:
        log.debug(progress.folder_of_others(os.path.realpath(running.folder), problem))
    with contextlib.suppress(Exception):  # what it is for is to save time
        code = running.keep_code()
        if code:
            return answer._replace(more={**answer.more, "code": code})
    return answer


class AnswerWriter:
    """Gives one answer: the engine's or its watchdog's, the first one."""

    def __init__(self, write: Callable[[bytes], object], log: BuildLog, unwritten: Callable[[str], str]) -> None:
        self._write = write
        self._unwritten = unwritten
        self._log = log
        self._lock = threading.Lock()
        self._code: int | None = None

    def write_once(self, answer: Answer) -> int:
        """Write the answer line, unless one has been written; return the exit code."""
        with self._lock:
            if self._code is None:
                self._code = ANSWERED
                try:
                    self._write((answer.line() + "\n").encode("ascii"))
                except (OSError, ValueError) as error:
                    # Without an answer the marker stays pending: the library cannot know better.
                    self._code = UNANSWERED
                    self._log.warning(self._unwritten(str(getattr(error, "strerror", None) or error)))
            return self._code
