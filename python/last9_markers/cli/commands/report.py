"""``report``: makes the page from a state file, as ``last9DeploymentReport`` does for a build."""

from __future__ import annotations

import json
import os

from last9_markers.cli.shared import exit_codes
from last9_markers.cli.shared.invocation import Invocation
from last9_markers.cli.shared.options import OF_COMMAND
from last9_markers.cli.shared.parsing import Parser
from last9_markers.cli.shared.state import StateFile, Unusable
from last9_markers.messages import cli as cli_messages
from last9_markers.messages import report as report_messages
from last9_markers.report import files, handler, wording

_SUMMARY = """\
Write a page of what was deployed, with a timeline: last9-deployments.html and its stylesheet, the same as JSON and as Markdown. What is
known is what send and window have written into the --state file. Needs no token and no network."""

_EXAMPLES = """
# at the end of a job, for the step that archives artifacts
last9-markers report --state "$WORKSPACE_TMP/last9.json" --output deployments
"""


def main(arguments: list[str]) -> int:
    """Write the files. Returns :data:`exit_codes.DONE`, or :data:`exit_codes.FAILED` if there are none."""
    parser = Parser("report", _SUMMARY, OF_COMMAND["report"], examples=_EXAMPLES)
    given = parser.parse(arguments)
    for option in ("state", "output"):
        if not given.get(option):
            parser.refuse(cli_messages.option_missing(f"--{option}"))
    call = Invocation(given, os.environ)
    folder = os.path.abspath(given["output"])
    headline = None
    try:
        headline = _write(call, given["state"], folder)
    except Unusable as problem:
        call.log.warning(str(problem))
    except OSError as error:
        call.log.warning(report_messages.cannot_write_to(folder, error.strerror or type(error).__name__))
    if headline is not None:
        call.log.info(report_messages.written(headline))
        call.log.info(report_messages.lies_at(os.path.join(folder, files.NAMES["html"])))
    if given.get("json"):
        names = list(files.NAMES.values()) if headline is not None else []
        print(json.dumps({"written": headline is not None, "directory": folder, "files": names, "headline": headline}), flush=True)
    return exit_codes.FAILED if headline is None else exit_codes.DONE


def _write(call: Invocation, state: str, folder: str) -> str:
    if not os.path.exists(state):  # a marker may begin with a file that is not there yet, a report can not
        raise Unusable(cli_messages.state_unreadable(state, "there is none"))
    records = StateFile(state, call.log).read().records
    found = handler.compose(records, {}, call.environ, call.now_ms(), call.log)
    files.write(found, folder)
    return wording.headline(found.deployments)
