"""``check``: the connection test from a shell, on any machine that should send markers."""

from __future__ import annotations

import json
import os
import sys

from last9_markers.check.connection_test import ConnectionTest
from last9_markers.check.findings import FAILED, WARNING
from last9_markers.cli.shared import exit_codes
from last9_markers.cli.shared.invocation import Invocation
from last9_markers.cli.shared.options import OF_COMMAND, in_shell_terms
from last9_markers.cli.shared.output import write_line
from last9_markers.cli.shared.parsing import Parser
from last9_markers.core.errors import DeadlineExceeded
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.request import contract
from last9_markers.request.contract import Answer
from last9_markers.runner.defects import engine_failed
from last9_markers.runner.watchdog import Watchdog

_SUMMARY = """\
Test the connection to Last9: interpreter, token, host, proxy, DNS, certificate, clocks, scope, organization, a line each with what to
change where something is amiss. With --service-name, --environment or --data-source-name it looks whether Last9 knows them under these
very names. It takes the same settings as a marker, and writes nothing unless it is told to: a test event is then read back, which has
60 s of its own."""

_EXAMPLES = """
last9-markers check
last9-markers check --service-name payments-api --environment production
last9-markers check --service-name payments-api --environment production --send-test-event --json
"""


def main(arguments: list[str]) -> int:
    """Look at everything and say it on stdout, a line each, or with ``--json`` as one object.

    Returns :data:`exit_codes.DONE`, or :data:`exit_codes.FAILED` if a check failed; a warning is not a failure.
    """
    given = Parser("check", _SUMMARY, OF_COMMAND["check"], examples=_EXAMPLES).parse(arguments)
    call = Invocation(given, os.environ)
    findings_log = FindingsLog(call.log.redactor, silent=bool(given.get("json")), quiet=bool(given.get("quiet")))
    request = contract.parse(call.request("check", timestamp_ms=call.now_ms()))
    test = ConnectionTest(request, call.context()._replace(log=findings_log), in_shell_terms)

    def finish(answer: Answer) -> int:
        if given.get("json"):
            write_line(json.dumps({"ok": answer.more["ok"], "written": answer.delivered, "findings": answer.more["findings"]}), sys.stdout)
        return exit_codes.DONE if answer.more["ok"] else exit_codes.FAILED

    watchdog = Watchdog(test.budget.left_in_all, lambda: finish(test.abort(DeadlineExceeded())), died=exit_codes.FAILED)
    try:
        answer = test.run()
    except Exception as error:  # noqa: BLE001 - a defect of ours is a finding like any other
        answer = test.abort(engine_failed(error, findings_log))
    watchdog.cancel()
    return finish(answer)


class FindingsLog(BuildLog):
    """The findings on stdout: they are what was asked for, not a log beside it. ``quiet`` shows only those that are not ok."""

    def __init__(self, redactor: Redactor, *, silent: bool, quiet: bool) -> None:
        super().__init__(sys.stdout, redactor)
        self._silent = silent
        self._quiet = quiet

    def info(self, text: str) -> None:
        """Write one line, without the mark that tells the library's lines from others in a build log."""
        if self._silent or (self._quiet and not text.startswith((WARNING, FAILED))):
            return
        write_line(self.redactor.clean(text), sys.stdout)

    def debug(self, text: str) -> None:
        """On stderr: what was asked for stays as it is."""
        if self.debugging:
            for line in self.redactor.without_secrets(text).splitlines():
                write_line(f"debug: {self.redactor.clean(line)}", sys.stderr)
