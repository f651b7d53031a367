"""``window``: start, a command, stop; with the command's own exit code in every case."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from last9_markers.cli.shared import curl
from last9_markers.cli.shared.invocation import CliLog, Invocation
from last9_markers.cli.shared.options import OF_COMMAND
from last9_markers.cli.shared.output import write_line
from last9_markers.cli.shared.parsing import Parser
from last9_markers.cli.window.signals import block_signals
from last9_markers.cli.window.window import ShellWindow, without_markers
from last9_markers.messages import cli as cli_messages
from last9_markers.request.token import VARIABLE
from last9_markers.runner.defects import engine_failed

_SUMMARY = """\
Run a command as a deployment window: a start before it, a stop with its outcome and duration after it, however it ends. The command has our
terminal, streams and process group; its exit code is ours. Nothing that is wrong with Last9 or with the options keeps it from running."""

_EXAMPLES = """
last9-markers window --service-name payments-api --environment production -- ./deploy.sh --fast

# several commands
last9-markers window --service-name payments-api -- sh -ec 'make build && make deploy'
"""


def main(arguments: list[str]) -> int:
    """Run the window; :mod:`last9_markers.cli.shared.exit_codes` says what is returned."""
    signals = block_signals()
    parser = Parser("window", _SUMMARY, OF_COMMAND["window"], examples=_EXAMPLES, usage="[options] -- COMMAND [argument …]")
    options, words = parser.split(arguments)
    parsed = parser.read(options)
    if not words:
        parser.refuse(parsed.problems[0] if parsed.problems else cli_messages.NO_COMMAND)
    environ = as_it_was(os.environ)
    if not parsed.given.get("passToken"):
        environ.pop(VARIABLE, None)
    try:
        call = Invocation(parsed.given, os.environ)
        for problem in (*parsed.problems, *map(cli_messages.stray_argument, parsed.rest)):
            call.log.warning(cli_messages.goes_on(problem))
        window = ShellWindow(call, words, environ, signals)
    except Exception as error:  # noqa: BLE001 - a defect of ours costs the markers, not the command
        log = CliLog()
        log.warning(engine_failed(error, log))
        return without_markers(words, environ, signals, log)
    code = window.run()
    if parsed.given.get("json"):
        _tell(call, window, code)
    return code


def as_it_was(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what Python has put there: a UTF-8 ``LC_CTYPE`` in a C locale (PEP 538), which changes how others sort."""
    found = dict(environ)
    locale = found.get("LC_ALL") or found.get("LANG") or "C"
    if locale in ("C", "POSIX") and found.get("LC_CTYPE", "").upper().replace("-", "") in ("C.UTF8", "UTF8"):
        del found["LC_CTYPE"]
    return found


def _tell(call: Invocation, window: ShellWindow, code: int) -> None:
    """The object that ``--json`` asks for: the last line on stdout, after the command's own."""
    markers = {"start": window.start, "stop": window.stop}
    warnings = [warning for marker in markers.values() if marker is not None for warning in marker.get("warnings") or []]
    found: dict[str, Any] = {
        "command": "window",
        "exitCode": code,
        "deploymentId": None if window.start.refused else window.window.id,
        **{f"{name}Delivered": marker is not None and marker.delivered for name, marker in markers.items()},
        "kept": len((window.stop or window.start).kept) if call.option("state") else 0,
        "warnings": list(dict.fromkeys([*call.log.warnings, *warnings])),
    }
    dry_runs = {name: curl.shown(marker and marker.get("dryRun"), call.log.redactor) for name, marker in markers.items()}
    if any(dry_runs.values()):
        found["dryRun"] = dry_runs
    write_line(json.dumps(found), sys.stdout)
