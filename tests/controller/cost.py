"""What a marker costs on that controller: times of flow nodes, in one build, medians of 15 (``make controller COST=1``).

Each thing that is measured stands in a stage of its own; the time of a stage is that of its flow nodes, as the Pipeline REST API plugin
tells it (``wfapi/describe``: stages with ``name`` and ``durationMillis``). An empty stage is measured as well: its time is part of every
other one.
"""

from __future__ import annotations

import statistics
from typing import Any

ROUNDS = 15
EMPTY = "an empty stage"
CURL = "a curl step"

_MARKER = "last9DeploymentMarker serviceName: 'cost', environment: 'test'"
_THINGS = {
    EMPTY: "",
    "sh 'true'": "sh 'true'",
    "withEnv { }": "withEnv(['A=b']) { }",
    CURL: "sh 'curl -fsS -o /dev/null URL/received'",
    "a warm marker": _MARKER,
    "a window": "withLast9Deployment(serviceName: 'cost', environment: 'test') { }",
}
FIRST = "the first marker of a build"


def pipeline(url: str, has_curl: bool) -> str:
    """The Jenkinsfile that is measured. ``url``: the fake Last9's, for curl."""
    things = {name: code for name, code in _THINGS.items() if has_curl or name != CURL}
    rounds = "\n".join(f"""    stage("{name}") {{ {code.replace("URL", url)} }}""" for name, code in things.items())
    return f"""\
@Library('last9') _
node {{
  stage('{FIRST}') {{ {_MARKER} }}
  for (int i = 0; i < {ROUNDS}; i++) {{
{rounds}
  }}
}}
"""


def medians(described: Any, has_curl: bool) -> dict[str, float]:
    """Name → median milliseconds, in the order of the Jenkinsfile.

    Raises ``ValueError`` if a stage was not measured ``ROUNDS`` times, or if the controller tells no times that can be.
    """
    times: dict[str, list[int]] = {}
    try:
        for stage in described["stages"]:
            times.setdefault(str(stage["name"]), []).append(int(stage["durationMillis"]))
    except (KeyError, TypeError):
        raise ValueError("the controller tells no times of stages (wfapi/describe)") from None
    wanted = {FIRST: 1, **{name: ROUNDS for name in _THINGS if has_curl or name != CURL}}
    for name in {**times, **wanted}:
        measured, often = times.get(name, []), wanted.get(name, ROUNDS)
        if len(measured) != often:
            raise ValueError(f"'{name}' was measured {len(measured)} times, not {often}: the controller cuts the list of stages")
        if min(measured) < 0:
            raise ValueError(f"'{name}' took {min(measured)} ms: the controller's clock was set back")
    return {name: statistics.median(times[name]) for name in wanted}


def table(columns: dict[str, dict[str, float] | str]) -> list[str]:
    """Lines for people: a row for each thing, a column for each way; a text in place of figures says why there are none."""
    measured = {way: figures for way, figures in columns.items() if isinstance(figures, dict)}
    lines = [f"{way}: not measured: {why}" for way, why in columns.items() if isinstance(why, str)]
    if measured:
        names = list(dict.fromkeys(name for figures in measured.values() for name in figures))
        lines.append(f"{'ms, medians of ' + str(ROUNDS):<30}" + "".join(f"{way:>12}" for way in measured))
        for name in names:
            lines.append(
                f"{name:<30}" + "".join(f"{figures[name]:>12.0f}" if name in figures else f"{'-':>12}" for figures in measured.values())
            )
    return lines
