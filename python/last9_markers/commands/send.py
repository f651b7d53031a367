"""``send``: one marker from a shell, without the library."""

from __future__ import annotations

import os

from last9_markers import contract
from last9_markers.commandline import exits
from last9_markers.commandline.invocation import Invocation
from last9_markers.commandline.options import OF_COMMAND
from last9_markers.commandline.parsing import Parser
from last9_markers.commands.step import engine_failed
from last9_markers.contract import Answer
from last9_markers.errors import BudgetSpent
from last9_markers.marker import Errand
from last9_markers.watchdog import Watchdog
from last9_markers.wording import commandline as wording

_EXAMPLES = """
last9-markers send --service-name payments-api --environment production
"""


def main(arguments: list[str]) -> int:
    """Send one marker; :mod:`last9_markers.commandline.exits` says what is returned."""
    parser = Parser("send", "Send one deployment marker.", OF_COMMAND["send"], examples=_EXAMPLES)
    given = parser.parse(arguments)
    if "serviceName" not in given:
        parser.refuse(wording.option_missing("--service-name"))
    call = Invocation(given, os.environ)
    request = contract.parse(call.request("send", timestamp_ms=call.now_ms()))
    answer = _send(Errand(request._replace(text=""), call.surroundings()))
    return exits.FAILED if answer.fail_build else exits.DONE


def _send(errand: Errand) -> Answer:
    watchdog = Watchdog(
        errand.budget.remaining(),
        lambda: errand.broken_off(BudgetSpent()),
        end=lambda _: os._exit(exits.FAILED if errand.settings.fail_on_error else exits.DONE),
    )
    try:
        answer = errand.run()
    except Exception as error:  # noqa: BLE001 - a defect of ours must not fail a deploy
        answer = errand.broken_off(engine_failed(error))
    watchdog.call_off()
    return answer
