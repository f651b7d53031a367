"""The build's result, and whether it asks for a marker: the switches of "Send Last9 Deployment Marker" in Last9's plugin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from last9_markers.cli.shared.options import kebab
from last9_markers.messages import cli as cli_messages

VARIABLE = "BUILD_RESULT"

#: Result → the switch that asks for its marker. NOT_BUILT is treated as aborted; in the plugin it matches no switch and is always sent.
SWITCHES = {"SUCCESS": "onSuccess", "UNSTABLE": "onUnstable", "FAILURE": "onFailure", "NOT_BUILT": "onAborted", "ABORTED": "onAborted"}
#: As in the plugin.
DEFAULTS = {"onSuccess": True, "onUnstable": False, "onFailure": False, "onAborted": False}


class Decision(NamedTuple):
    """``result`` is ``None`` if it is unknown: then a marker is sent in any case.

    ``skipped_by`` is the flag that is off; ``problem`` says why there is no marker at all.
    """

    result: str | None
    skipped_by: str | None = None
    problem: str | None = None


def decide(given: Mapping[str, Any], environ: Mapping[str, str]) -> Decision:
    """The result that ``--result`` or ``$BUILD_RESULT`` names, held against the switches."""
    option, variable = (given.get("result") or "").strip(), environ.get(VARIABLE, "").strip()
    result = (option or variable).upper().replace(" ", "_")
    if not result:
        return Decision(None)
    if result not in SWITCHES:
        source = "--result" if option else VARIABLE
        return Decision(None, problem=cli_messages.bad_result(option or variable, source, ", ".join(SWITCHES)))
    switch = SWITCHES[result]
    wanted = given.get(switch, DEFAULTS[switch])
    return Decision(result, skipped_by=None if wanted else f"--{kebab(switch)}")
