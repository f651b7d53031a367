"""``step --request FILE``: what the library runs on the agent for each marker. One request in, one answer line out, exit code 0."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TextIO

from last9_markers import wording
from last9_markers.clock import SystemClock
from last9_markers.contract import Answer, parse
from last9_markers.credentials import VARIABLE
from last9_markers.errors import BudgetSpent, RequestUnreadable
from last9_markers.journal import Journal
from last9_markers.marker import Errand, Surroundings
from last9_markers.redaction import Redactor
from last9_markers.watchdog import Watchdog


def main(arguments: list[str]) -> int:
    """``step --request FILE``: do what the request file asks, within its budget. The file is deleted as soon as it is read."""
    if len(arguments) != 2 or arguments[0] != "--request":
        print("usage: last9-markers step --request FILE", file=sys.stderr)
        return 2
    path = arguments[1]
    # First of all: no child process, no attribute and no dump of the environment shall find it there.
    token = os.environ.pop(VARIABLE, None)
    redactor = Redactor()
    redactor.hide(token)
    journal = Journal(sys.stderr, redactor)
    mouth = Mouth(sys.stdout)
    accepted = True
    try:
        errand = Errand(parse(_read(path)), Surroundings(os.environ, token, SystemClock(), journal))
    except RequestUnreadable as error:
        accepted = False
        journal.warn(wording.request_unreadable(str(error)))
    except OSError as error:
        journal.warn(wording.request_missing(type(error).__name__))
    except Exception as error:  # noqa: BLE001 - a defect of ours must not cost the answer
        journal.warn(engine_failed(error))
    else:
        _run(errand, mouth)
        return 0
    mouth.give(Answer(False, accepted, None, journal.warnings, None, None))
    return 0


def _run(errand: Errand, mouth: Mouth) -> None:
    watchdog = Watchdog(errand.budget.remaining(), lambda: mouth.give(errand.broken_off(BudgetSpent())))
    try:
        answer = errand.run()
    except KeyboardInterrupt:
        answer = errand.broken_off(wording.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a defect of ours must cost neither the answer nor the marker
        answer = errand.broken_off(engine_failed(error))
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


def engine_failed(error: BaseException) -> str:
    """The warning for an exception that nobody expected: what it was, and where, without the values a traceback would show."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "?"
    return wording.engine_failed(error, place)


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    # Where it cannot be removed it stays: it holds no secret, and the library tidies its folder up.
    with contextlib.suppress(OSError):
        os.remove(path)
    return text
