"""``check``: the connection test from a shell, on any machine that shall send markers."""

from __future__ import annotations

import json
import os
import sys

from last9_markers import contract
from last9_markers.check.connection_test import ConnectionTest
from last9_markers.check.findings import FAILED, WARNING
from last9_markers.commandline import exits
from last9_markers.commandline.invocation import Invocation
from last9_markers.commandline.options import OF_COMMAND, in_shell_terms
from last9_markers.commandline.output import show
from last9_markers.commandline.parsing import Parser
from last9_markers.commands.step import engine_failed
from last9_markers.contract import Answer
from last9_markers.errors import BudgetSpent
from last9_markers.journal import Journal
from last9_markers.redaction import Redactor
from last9_markers.watchdog import GRACE_SECONDS, Watchdog

_SUMMARY = """\
Test the connection to Last9: interpreter, token, host, proxy, DNS, certificate, clocks, scope, organization, a line each with what to
change where something is amiss. It takes the same settings as a marker, and writes nothing unless it is told to."""

_EXAMPLES = """
last9-markers check
last9-markers check --send-test-event --json
"""


def main(arguments: list[str]) -> int:
    """Look at everything and say it on stdout, a line each, or with ``--json`` as one object.

    Returns :data:`exits.DONE`, or :data:`exits.FAILED` where something has failed; a warning is no failure.
    """
    given = Parser("check", _SUMMARY, OF_COMMAND["check"], examples=_EXAMPLES).parse(arguments)
    call = Invocation(given, os.environ)
    lines = Lines(call.journal.redactor, silent=bool(given.get("json")), quiet=bool(given.get("quiet")))
    request = contract.parse(call.request("check", timestamp_ms=call.now_ms()))
    test = ConnectionTest(request, call.surroundings()._replace(journal=lines), in_shell_terms)

    def finish(answer: Answer) -> int:
        if given.get("json"):
            show(json.dumps({"ok": answer.more["ok"], "written": answer.delivered, "findings": answer.more["findings"]}), sys.stdout)
        return exits.DONE if answer.more["ok"] else exits.FAILED

    watchdog = Watchdog(
        test.budget.remaining() + GRACE_SECONDS, lambda: finish(test.broken_off(BudgetSpent())), died=exits.FAILED
    )
    try:
        answer = test.run()
    except Exception as error:  # noqa: BLE001 - a defect of ours is a finding like any other
        answer = test.broken_off(engine_failed(error, lines))
    watchdog.call_off()
    return finish(answer)


class Lines(Journal):
    """The findings on stdout: they are what was asked for, not a log beside it. ``quiet`` shows only those that are not ok."""

    def __init__(self, redactor: Redactor, *, silent: bool, quiet: bool) -> None:
        super().__init__(sys.stdout, redactor)
        self._silent = silent
        self._quiet = quiet

    def say(self, text: str) -> None:
        """Write one line, without the mark that tells the library's lines from others in a build log."""
        if self._silent or (self._quiet and not text.startswith((WARNING, FAILED))):
            return
        show(self.redactor.clean(text), sys.stdout)

    def debug(self, text: str) -> None:
        """On stderr: what was asked for stays as it is."""
        if self.debugging:
            for line in self.redactor.without_secrets(text).splitlines():
                show(f"debug: {self.redactor.clean(line)}", sys.stderr)
