"""``send``: one marker from a shell, without the library."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import uuid
from typing import Any

from last9_markers import contract, options
from last9_markers.commandline import curl, exits, results
from last9_markers.commandline.entry import Entry
from last9_markers.commandline.invocation import Invocation, Window
from last9_markers.commandline.options import OF_COMMAND
from last9_markers.commandline.output import show
from last9_markers.commandline.parsing import Parser
from last9_markers.commandline.state import Content, Key, StateFile, Unusable
from last9_markers.commands.step import engine_failed
from last9_markers.contract import Answer, Request
from last9_markers.errors import BudgetSpent
from last9_markers.marker import Errand
from last9_markers.watchdog import GRACE_SECONDS, Watchdog
from last9_markers.wording import commandline as wording
from last9_markers.wording import log

_SUMMARY = """\
Send one deployment marker, by default a stop. A start and a stop of the same service, environment and event name that share a --state file
are one window. Last9 never fails a build: what goes wrong is a line that begins with [Last9] WARNING."""

_EXAMPLES = """
# after a deployment, where the build's result is known: only if it went well
last9-markers send --service-name payments-api --environment production --result "$BUILD_RESULT"

# a window from the first to the last step of a job, however it ends
last9-markers send --service-name payments-api --event-state start --state "$WORKSPACE_TMP/last9.json"
last9-markers send --service-name payments-api --state "$WORKSPACE_TMP/last9.json" --on-failure --on-unstable --on-aborted

# look first, send later: the marker, and the curl that would send it
last9-markers send --service-name payments-api --environment production --dry-run
"""


def main(arguments: list[str]) -> int:
    """Send one marker; :mod:`last9_markers.commandline.exits` says what is returned."""
    parser = Parser("send", _SUMMARY, OF_COMMAND["send"], examples=_EXAMPLES)
    given = parser.parse(arguments)
    if "serviceName" not in given:
        parser.refuse(wording.option_missing("--service-name"))
    return Send(Invocation(given, os.environ)).run()


class Send:
    """One call of ``send``."""

    def __init__(self, call: Invocation) -> None:
        self._call = call
        self._now_ms = call.now_ms()
        self._verdict = results.judge(call.given, call.environ)
        self._state = StateFile(call.given["state"], call.journal) if call.option("state") else None
        self._key: Key = (call.option("serviceName"), call.option("environment"), call.option("eventName", options.DEFAULT_EVENT_NAME))
        self._starts = call.option("eventState").lower() == "start"
        self._window: Window | None = None
        self._asked: Request | None = None
        self._entry = Entry(self._state, self._now_ms)
        self._code = exits.DONE
        self._told = threading.Lock()
        self._has_told = False

    def run(self) -> int:
        """Send it, unless the result asks for none; tell how that went; return the exit code."""
        if self._verdict.held_back_by:
            return self._hold_back(self._verdict.result or "", self._verdict.held_back_by)
        self._asked = contract.parse(self._begin())
        problems = (self._verdict.problem,) if self._verdict.problem else ()
        errand = Errand(self._asked, self._call.surroundings(), problems)
        watchdog = Watchdog(
            errand.budget.remaining() + GRACE_SECONDS, lambda: self._end(errand.broken_off(BudgetSpent())), died=exits.DONE
        )
        interrupted = False
        try:
            answer = errand.run()
        except KeyboardInterrupt:
            interrupted = True
            answer = errand.broken_off(log.INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not fail a deploy
            answer = errand.broken_off(engine_failed(error, self._call.journal))
        self._end(answer)
        watchdog.call_off()
        return exits.of_signal(2) if interrupted else self._code

    # -- before ----------------------------------------------------------------------------------------------------------------

    def _begin(self) -> str:
        """The request; with a state file, paired, written down and with what was undelivered before."""
        self._window = Window(str(uuid.uuid4()), self._now_ms) if self._starts else None
        if self._state is None:
            return self._request(keeps_pending=False)
        probe = contract.parse(self._request())
        if options.is_dry_run(probe, self._call.environ):
            # It shows what would be sent and changes nothing.
            with contextlib.suppress(Unusable):
                self._window = self._window or self._state.read().newest(self._key)
            return self._request(keeps_pending=False)
        limit = options.read_settings(probe, self._call.environ, self._call.journal).timeout_seconds
        self._entry.write_down(limit, self._request, self._pair)
        return self._request(keeps_pending=self._entry.kept, pending=self._entry.tried)

    def _pair(self, content: Content) -> None:
        if self._window is not None:
            content.open(self._key, self._window)
        else:
            self._window = content.newest(self._key)
            content.forget(self._window)

    def _request(self, *, keeps_pending: bool = True, pending: list[str] | None = None) -> str:
        return self._call.request(
            "send",
            timestamp_ms=self._now_ms,
            window=self._window,
            build={"currentResult": self._verdict.result} if self._verdict.result else None,
            keeps_pending=keeps_pending,
            pending=pending,
        )

    # -- after -----------------------------------------------------------------------------------------------------------------

    def _end(self, answer: Answer) -> int:
        """Say and remember what has become of it, and return the exit code. The watchdog may come first: it is done once."""
        with self._told:
            if self._has_told:
                return self._code
            self._has_told = True
            self._code = exits.FAILED if answer.fail_build else exits.DONE
            self._entry.settle(self._undelivered(answer), answer.more.get("records"), None if answer.accepted else self._unpair)
            self._tell(answer, curl.shown(answer.more.get("dryRun"), self._call.journal.redactor))
            return self._code

    def _undelivered(self, answer: Answer) -> list[str]:
        if answer.pending is None or self._asked is None:
            return []
        return [kept.text for kept in answer.pending.of(self._asked.pending)]

    def _unpair(self, content: Content) -> None:
        """A start that was refused has begun nothing; a stop that was refused has ended nothing."""
        content.forget(self._window)
        if not self._starts and self._window is not None:
            content.open(self._key, self._window)

    def _hold_back(self, result: str, flag: str) -> int:
        self._call.journal.say(wording.not_for_this_result(result, flag))
        if self._state is not None and not self._starts:
            with contextlib.suppress(Unusable):
                if self._state.read().newest(self._key) is not None:
                    self._call.journal.warn(wording.window_stays_open(result, flag))
        self._tell(Answer(False, True, None, self._call.journal.warnings, None, contract.StillPending()), None, skipped=True)
        return exits.DONE

    def _tell(self, answer: Answer, shown: dict[str, Any] | None, *, skipped: bool = False) -> None:
        """What goes to stdout: with ``--json`` one object, else the ``curl`` of a dry run, else nothing."""
        if self._call.given.get("json"):
            found: dict[str, Any] = {
                "command": "send",
                "delivered": answer.delivered,
                "accepted": answer.accepted,
                "skipped": skipped,
                "deploymentId": answer.deployment_id,
                "kept": len(self._undelivered(answer)) if self._entry.kept else 0,
                "warnings": self._call.journal.warnings,
                "exitCode": self._code,
            }
            text = json.dumps({**found, "dryRun": shown} if shown else found)
        elif shown:
            text = shown["curl"].rstrip("\n")
        else:
            return
        show(text, sys.stdout)
