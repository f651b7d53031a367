"""Serves one request: picks its handler, gives one answer on stdout whatever happens, ends with the time budget."""

from __future__ import annotations

import importlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Protocol, TextIO

from last9_markers.core.clock import Budget, SystemClock
from last9_markers.core.errors import DeadlineExceeded, DeliveryError, RequestUnreadable
from last9_markers.core.log import BuildLog
from last9_markers.messages import options as option_messages
from last9_markers.messages import progress
from last9_markers.request.context import Context
from last9_markers.request.contract import Answer, Request, parse
from last9_markers.request.token import VARIABLE
from last9_markers.runner.defects import engine_failed
from last9_markers.runner.watchdog import Watchdog

#: What a request's ``step`` asks for → the class that does it, where it is no marker. Each is loaded only when it is asked for.
HANDLERS = {
    "last9TestConnection": ("last9_markers.check.connection_test", "ConnectionTest"),
    "last9DeploymentReport": ("last9_markers.report.handler", "ReportHandler"),
}
MARKER = ("last9_markers.runner.send_marker", "MarkerHandler")


class RequestHandler(Protocol):
    """What is asked of whatever serves a request; :class:`last9_markers.runner.send_marker.MarkerHandler` says what each means."""

    budget: Budget

    def run(self) -> Answer:
        """Do it within the budget."""

    def abort(self, failure: DeliveryError | str) -> Answer:
        """The answer where it could not come to its own end."""


def serve(read: Callable[[], str], log: BuildLog) -> None:
    """Do what the request says that ``read`` returns, and give one answer on stdout, whatever happens. The token is in the environment."""
    # First of all: no child process, no attribute and no dump of the environment shall find it there.
    token = os.environ.pop(VARIABLE, None)
    log.redactor.hide(token)
    writer = AnswerWriter(sys.stdout)
    accepted = True
    try:
        handler = _handler(parse(read()), Context(os.environ, token, SystemClock(), log))
    except RequestUnreadable as error:
        accepted = False
        log.warning(option_messages.request_unreadable(str(error)))
    except OSError as error:
        log.warning(option_messages.request_missing(type(error).__name__))
    except Exception as error:  # noqa: BLE001 - a defect of ours must not cost the answer
        log.warning(engine_failed(error, log))
    else:
        _run(handler, writer, log)
        return
    writer.write_once(Answer(False, accepted, None, log.warnings, None, None))


def _handler(request: Request, context: Context) -> RequestHandler:
    module, name = HANDLERS.get(request.step, MARKER)
    handler: RequestHandler = getattr(importlib.import_module(module), name)(request, context)
    return handler


def _run(handler: RequestHandler, writer: AnswerWriter, log: BuildLog) -> None:
    watchdog = Watchdog(
        handler.budget.remaining(),
        lambda: writer.write_once(handler.abort(DeadlineExceeded())),
        remaining=lambda: handler.budget.remaining(),
    )
    try:
        answer = handler.run()
    except KeyboardInterrupt:
        answer = handler.abort(progress.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a defect of ours must cost neither the answer nor the marker
        answer = handler.abort(engine_failed(error, log))
    writer.write_once(answer)
    watchdog.cancel()


class AnswerWriter:
    """Gives one answer, whoever comes first: the engine or its watchdog."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._written = False

    def write_once(self, answer: Answer) -> None:
        """Write the answer line, unless one has been written."""
        with self._lock:
            if self._written:
                return
            self._written = True
            try:
                self._stream.write(answer.line() + "\n")
                self._stream.flush()
            except (OSError, ValueError):
                # Nobody listens any more: no answer counts as undelivered, which is the truth as far as the library knows.
                return
