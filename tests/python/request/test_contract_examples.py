"""The examples in ``tests/contract/``, which the Groovy half's tests read too, through a real process and a real server."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from last9_markers.fake_server import FakeLast9
from last9_markers.marker.attributes import deployment
from last9_markers.request import routing
from last9_markers.request.contract import parse
from last9_markers.runner.serve import ANSWERED
from support import make_request, run_step

CONTRACT = Path(__file__).parents[2] / "contract"
NAMES = sorted(path.stem for path in (CONTRACT / "requests").glob("*.json"))
#: Where the examples believe that Last9 is.
EXAMPLE_URL = "http://127.0.0.1:8080"
#: Where they believe that the engine's folder is on the agent.
EXAMPLE_FOLDER = "/agent/workspace@tmp/last9"


def test_every_request_has_its_answer() -> None:
    """An example without its other half would not be tested."""
    assert sorted(path.stem for path in (CONTRACT / "answers").glob("*.json")) == NAMES
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_engine_answers_as_the_example_says(name: str, last9: FakeLast9, tmp_path: Path) -> None:
    """For each example request the engine gives the example's answer and log, and Last9 receives exactly the example's events."""
    request, text = (
        (CONTRACT / half / f"{name}.json")
        .read_text(encoding="utf-8")
        .replace(EXAMPLE_URL, last9.url)
        .replace(EXAMPLE_FOLDER, str(tmp_path))
        for half in ("requests", "answers")
    )
    expected: dict[str, Any] = json.loads(text)
    token = last9.refresh_token if expected["tokenBound"] else None
    done = run_step(request, token, tmp_path, environ=expected["environment"])
    received = [{key: value for key, value in event.items() if key != "received_at"} for event in last9.received()]
    assert done.code == ANSWERED
    assert _with_gaps(done.answer, expected["answer"]) == expected["answer"]
    assert _with_gaps(done.stderr.splitlines(), expected["log"]) == expected["log"]
    assert received == expected["received"]
    assert not (tmp_path / "request.json").exists()
    assert last9.refresh_token not in done.stdout + done.stderr


def _with_gaps(found: Any, expected: Any) -> Any:
    """What was found, with its texts as the example has them wherever they differ in nothing but the example's gaps."""
    if isinstance(found, dict) and isinstance(expected, dict):
        return {key: _with_gaps(value, expected.get(key)) for key, value in found.items()}
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        return [_with_gaps(*pair) for pair in zip(found, expected)]
    if isinstance(found, str) and isinstance(expected, str) and re.fullmatch(re.escape(expected).replace("…", ".+"), found):
        return expected
    return found


RULES: list[dict[str, Any]] = json.loads((CONTRACT / "resolution.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", RULES, ids=[rule["case"] for rule in RULES])
def test_the_engine_resolves_as_the_library_does(rule: dict[str, Any]) -> None:
    """Profile and credential come out the same in both halves: the library binds by them, and the engine refuses what differs."""
    given = {name: rule[name] for name in ("options", "config", "parameters") if name in rule}
    asked = {**make_request(credential=None), **given}
    found = routing.resolve(parse(json.dumps(asked)), rule.get("environment", {}))
    for name, field in (("profile", "routingProfile"), ("credential", "credentialId")):
        expected, resolved = rule.get(name), found.fields.get(field)
        assert (resolved and {"value": resolved.value, "source": resolved.source}) == expected
    # With what the library says of it besides, the engine has nothing to object.
    bound = {**asked, **{name: rule[name] for name in ("profile", "credential") if rule.get(name)}}
    problems = routing.resolve(parse(json.dumps(bound)), rule.get("environment", {})).problems
    assert not [problem for problem in problems if "that is bound" in problem]


ENDINGS: list[dict[str, Any]] = json.loads((CONTRACT / "outcomes.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("ending", ENDINGS, ids=[ending["case"] for ending in ENDINGS])
def test_the_engine_judges_an_ending_as_the_library_does(ending: dict[str, Any]) -> None:
    """How a deployment ended comes out the same in both halves: where curl sends the marker, the library says it."""
    asked = {**make_request("stop", build=None, body=None), **{name: ending[name] for name in ("build", "body") if name in ending}}
    facts = deployment.describe(parse(json.dumps(asked)), "stop", ending.get("said"))
    assert facts["deployment.outcome"] == ending["outcome"]
