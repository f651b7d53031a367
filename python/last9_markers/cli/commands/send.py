"""``send``: one marker from a shell, without the library."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import uuid
from collections.abc import Sequence
from typing import Any

from last9_markers.cli.shared import curl, exit_codes, results
from last9_markers.cli.shared.invocation import Invocation, Window
from last9_markers.cli.shared.options import OF_COMMAND
from last9_markers.cli.shared.output import write_line
from last9_markers.cli.shared.parsing import Parser
from last9_markers.cli.shared.state import SHARE_OF_LOCK, Content, Key, StateFile, Unusable
from last9_markers.cli.shared.state_entry import StateEntry
from last9_markers.core.errors import DeadlineExceeded
from last9_markers.messages import cli as cli_messages
from last9_markers.messages import progress
from last9_markers.request import contract, options
from last9_markers.request.contract import Answer
from last9_markers.runner.defects import engine_failed
from last9_markers.runner.send_marker import MarkerHandler
from last9_markers.runner.watchdog import Watchdog

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
    """Send one marker; :mod:`last9_markers.cli.shared.exit_codes` says what is returned."""
    parser = Parser("send", _SUMMARY, OF_COMMAND["send"], examples=_EXAMPLES)
    given = parser.parse(arguments)
    if "serviceName" not in given:
        parser.refuse(cli_messages.option_missing("--service-name"))
    return Send(Invocation(given, os.environ)).run()


class Send:
    """One call of ``send``."""

    def __init__(self, call: Invocation) -> None:
        self._call = call
        self._began = call.clock.monotonic()
        self._limit_seconds = options.DEFAULT_TIMEOUT_SECONDS
        self._now_ms = call.now_ms()
        self._decision = results.decide(call.given, call.environ)
        self._state = StateFile(call.given["state"], call.log) if call.option("state") else None
        self._key: Key = (call.option("serviceName"), call.option("environment"), call.option("eventName", options.DEFAULT_EVENT_NAME))
        self._starts = call.option("eventState").lower() == "start"
        self._window: Window | None = None
        self._entry = StateEntry(self._state, self._now_ms, environ=call.environ)
        self._code = exit_codes.DONE
        self._told = threading.Lock()
        self._has_told = False

    def run(self) -> int:
        """Send it, unless the result asks for none; tell how that went; return the exit code."""
        if self._decision.skipped_by:
            return self._hold_back(self._decision.result or "", self._decision.skipped_by)
        problems = (self._decision.problem,) if self._decision.problem else ()
        try:
            handler = MarkerHandler(contract.parse(self._begin()), self._call.context(), problems)
        except Exception as error:  # noqa: BLE001 - as below; if the state file has it, the next marker sends it
            return self._fail(engine_failed(error, self._call.log))
        handler.budget.charge(self._spent())
        watchdog = Watchdog(handler.budget.left_in_all, lambda: self._end(handler.abort(DeadlineExceeded())), died=exit_codes.DONE)
        interrupted = False
        try:
            answer = handler.run()
        except KeyboardInterrupt:
            interrupted = True
            answer = handler.abort(progress.INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not fail a deploy
            answer = handler.abort(engine_failed(error, self._call.log))
        self._end(answer)
        watchdog.cancel()
        return exit_codes.of_signal(2) if interrupted else self._code

    # -- before ----------------------------------------------------------------------------------------------------------------

    def _begin(self) -> str:
        """The request; with a state file it is paired and written down, and has the queued markers."""
        self._window = Window(str(uuid.uuid4()), self._now_ms) if self._starts else None
        if self._state is None:
            return self._request(keeps_pending=False)
        probe = contract.parse(self._request())
        if options.is_dry_run(probe, self._call.environ):
            # It shows what would be sent and changes nothing.
            with contextlib.suppress(Unusable):
                self._window = self._window or self._state.read().newest(self._key)
            return self._request(keeps_pending=False)
        self._limit_seconds = options.read_settings(probe, self._call.environ, self._call.log).timeout_seconds
        self._state.wait_for_at_most(self._limit_seconds * SHARE_OF_LOCK)
        self._entry.save(self._limit_seconds, self._request, self._pair)
        return self._request(keeps_pending=self._entry.kept, pending=self._entry.tried)

    def _spent(self) -> float:
        return self._call.clock.monotonic() - self._began

    def _pair(self, content: Content) -> None:
        if self._window is not None:
            content.open(self._key, self._window)
        else:
            self._window = content.newest(self._key)
            content.forget(self._window)

    def _request(self, *, keeps_pending: bool = True, pending: Sequence[contract.Kept] = ()) -> str:
        return self._call.request(
            "send",
            timestamp_ms=self._now_ms,
            window=self._window,
            build={"currentResult": self._decision.result} if self._decision.result else None,
            keeps_pending=keeps_pending,
            pending=pending,
            outages=self._entry.outages,
        )

    # -- after -----------------------------------------------------------------------------------------------------------------

    def _end(self, answer: Answer) -> int:
        """Say and remember what has become of it, and return the exit code. The watchdog may come first: it is done once."""
        with self._told:
            if self._has_told:
                return self._code
            self._has_told = True
            self._code = exit_codes.FAILED if answer.fail_build else exit_codes.DONE
            if self._state is not None:
                self._state.wait_for_at_most(self._limit_seconds - self._spent())
            undelivered, more = self._undelivered(answer), answer.more
            self._entry.settle(undelivered, more.get("records"), more.get("outages", {}), None if answer.accepted else self._unpair)
            self._tell(answer, curl.shown(answer.more.get("dryRun"), self._call.log.redactor))
            return self._code

    def _fail(self, problem: str) -> int:
        self._call.log.warning(problem)
        fails = self._call.given.get("failOnError")
        self._code = exit_codes.FAILED if fails else exit_codes.DONE
        self._tell(Answer(False, True, None, self._call.log.warnings, problem if fails else None, None), None)
        return self._code

    def _undelivered(self, answer: Answer) -> list[contract.Kept]:
        return answer.pending.of(self._entry.tried) if answer.pending is not None else []

    def _unpair(self, content: Content) -> None:
        """A start that was refused has begun nothing; a stop that was refused has ended nothing."""
        content.forget(self._window)
        if not self._starts and self._window is not None:
            content.open(self._key, self._window)

    def _hold_back(self, result: str, flag: str) -> int:
        self._call.log.info(cli_messages.not_for_this_result(result, flag))
        if self._state is not None and not self._starts:
            with contextlib.suppress(Unusable):
                if self._state.read().newest(self._key) is not None:
                    self._call.log.warning(cli_messages.window_stays_open(result, flag))
        self._tell(Answer(False, True, None, self._call.log.warnings, None, contract.StillPending()), None, skipped=True)
        return exit_codes.DONE

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
                "warnings": self._call.log.warnings,
                "exitCode": self._code,
            }
            text = json.dumps({**found, "dryRun": shown} if shown else found)
        elif shown:
            text = shown["curl"].rstrip("\n")
        else:
            return
        write_line(text, sys.stdout)
