"""`make controller COST=1` against a server that answers as Jenkins does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from asking import ask, nothing_is_left, plays
from controller.cost import FIRST, ROUNDS
from fake_jenkins import FakeBuild, FakeJenkins


@pytest.fixture
def jenkins() -> Iterator[FakeJenkins]:
    """A controller that is well."""
    with FakeJenkins() as server:
        yield server


def measured(build: FakeBuild) -> str:
    """A build of COST=1: every stage that its Jenkinsfile names, as often as it says."""
    names = [line.split("(")[1].split(")")[0][1:-1] for line in build.job.script.splitlines() if "stage(" in line]
    build.stages.append({"name": FIRST, "durationMillis": 500})
    for round_ in range(ROUNDS):
        for position, name in enumerate(name for name in names if name != FIRST):
            build.stages.append({"name": name, "durationMillis": 100 * position + round_})
    return "SUCCESS"


def test_cost_is_a_table_of_medians(jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str]) -> None:
    """COST=1 runs one build for each way, and tells the medians of 15 stages by the times of their flow nodes."""
    plays(jenkins, measured)
    assert ask(jenkins, COST="1") == 0
    told = capsys.readouterr().out
    assert "trusted" in told
    assert "sandboxed" in told
    assert [line.split()[-2:] for line in told.splitlines() if line.startswith("a warm marker")] == [["407", "407"]]
    assert [line.split()[-2:] for line in told.splitlines() if line.startswith("the first marker")] == [["500", "500"]]
    scripts = [job.script for job in jenkins.every_job[1:]]
    assert [script.startswith("@Library('last9') _") for script in scripts] == [True, False]
    assert nothing_is_left(jenkins)


@pytest.mark.parametrize(
    ("hurt", "reason"),
    [
        (lambda j: j.plugins.remove("pipeline-rest-api"), "not measured: the controller has no plugin pipeline-rest-api"),
        (lambda j: plays(j, lambda build: "FAILURE"), "not measured: the build ended FAILURE"),
        (
            lambda j: plays(j, lambda build: build.stages.append({"name": "sh", "durationMillis": 1}) or "SUCCESS"),
            "measured 1 times, not 15",
        ),
        (lambda j: plays(j, lambda build: "SUCCESS"), "measured 0 times, not 1"),
        (lambda j: plays(j, lambda build: (measured(build) and build.stages[3].update(durationMillis=-5)) or "SUCCESS"), "took -5 ms"),
        (lambda j: plays(j, lambda build: build.stages.append({"name": "sh"}) or "SUCCESS"), "tells no times"),
    ],
)
def test_cost_that_could_not_be_measured(
    jenkins: FakeJenkins, capsys: pytest.CaptureFixture[str], hurt: Callable[[FakeJenkins], None], reason: str
) -> None:
    """What could not be measured is printed with the reason, and is not a success."""
    plays(jenkins, measured)
    hurt(jenkins)
    assert ask(jenkins, COST="1") == 2
    assert reason in capsys.readouterr().out
