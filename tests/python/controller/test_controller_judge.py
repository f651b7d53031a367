"""The judge: heads, steps and differences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from controller import happenings
from controller.happenings import NotHere
from controller.judge import Evidence, differences
from controller.rows import RESOURCES, ROOT, SHAPES, Happening, Row, all_rows, chosen, read_happening, read_head, read_shape, strays
from controller.steps import flow_nodes, is_failed, line_of_steps, shortened
from fake_jenkins import FakeBuild, FakeJob
from runner_play import annotate

HEAD = {
    "result": ["FAILURE"],
    "marker": ["start api/eu 1", "stop api/eu 1 failure FAILURE"],
    "steps": ["node{ marker error! marker }"],
    "warning": ["was not delivered"],
    "log": ["ERROR: boom"],
    "never": ["not reached"],
}
ROW = Row("shapes/x", "node { }", HEAD)


def event(state: str, at: str, **attributes: str) -> dict[str, Any]:
    """A marker as Last9 has it."""
    more = {name.replace("__", "."): value for name, value in attributes.items()}
    return {"event_state": state, "timestamp": at, "attributes": {"service_name": "api", "env": "eu", **more}}


START = event("start", "2026-01-01T00:00:00.123Z", deployment__id="w")
STOP = event(
    "stop",
    "2026-01-01T00:00:01.125Z",
    deployment__id="w",
    deployment__outcome="failure",
    jenkins__build_result="FAILURE",
    deployment__window_duration_ms="1002",
)
GOOD = Evidence(
    result="FAILURE",
    console=["[Last9] WARNING: deployment (start) for api was not delivered: why", "ERROR: boom", "Finished: FAILURE"],
    steps="node{ marker error! marker }",
    received=[START, STOP],
    secrets=("s3cr3t",),
)


def test_what_is_as_expected_has_no_differences() -> None:
    """A build that is what its head says passes."""
    assert differences(ROW, GOOD) == []


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (GOOD._replace(result="SUCCESS"), "result: expected\n  FAILURE\nwere\n  SUCCESS"),
        (GOOD._replace(steps="node{ marker }"), "steps: expected\n  node{ marker error! marker }\nwere\n  node{ marker }"),
        (
            GOOD._replace(received=[]),
            "marker: expected\n  start api/eu 1\n  stop api/eu 1 failure FAILURE\nwere\n  nothing",
        ),
        (GOOD._replace(console=GOOD.console[1:]), "warning: expected\n  was not delivered\nwere\n  nothing"),
        (GOOD._replace(console=[*GOOD.console, "[Last9] WARNING: more"]), "warning: expected\n  was not delivered\nwere\n  [Last9]"),
        (GOOD._replace(console=GOOD.console[:1]), "the log has no line 'ERROR: boom'"),
        (GOOD._replace(console=[*GOOD.console, "not reached"]), "the log has the line 'not reached'"),
        (GOOD._replace(console=[*GOOD.console, "token=s3cr3t"]), "the log shows a secret"),
    ],
)
def test_each_word_of_a_head_is_held(changed: Evidence, told: str) -> None:
    """Each difference is one line, with the expected and the actual value, and never the secret."""
    (found,) = differences(ROW, changed)
    assert found.startswith(told)
    assert "s3cr3t" not in found


def test_a_wrong_duration_is_a_difference() -> None:
    """A stop must say exactly the time between the two markers; a point has no duration; a window takes time."""
    late = json.loads(json.dumps(STOP))
    late["attributes"]["deployment.window_duration_ms"] = "1003"
    assert differences(ROW, GOOD._replace(received=[START, late])) == ["window w lasted 1002 ms, its stop says 1003"]
    at_once = {**STOP, "timestamp": START["timestamp"]}
    assert "stopped when it started" in differences(ROW, GOOD._replace(received=[START, at_once]))[0]
    point = event("stop", "2026-01-01T00:00:01Z", deployment__window_duration_ms="5")
    assert "a point has a duration: 5" in differences(ROW, GOOD._replace(received=[START, STOP, point]))


def test_a_window_with_another_id_is_a_difference() -> None:
    """Start and stop of one window share their id: two ids are two windows."""
    other = json.loads(json.dumps(STOP))
    other["attributes"]["deployment.id"] = "v"
    assert "stop api/eu 2" in differences(ROW, GOOD._replace(received=[START, other]))[0]


def test_markers_by_service() -> None:
    """Parallel branches are judged each for itself, in the order of the services."""
    head = {"marker": ["start a - ", "start b -"], "markers": ["by service"], "result": ["S"], "steps": [""]}
    head["marker"] = ["start a/eu -", "start b/eu -"]
    events = [event("start", "2026-01-01T00:00:00Z", service_name=name) for name in ("b", "a")]
    assert differences(Row("x", "", head), Evidence("S", [], "", events)) == []
    head["markers"] = []
    assert differences(Row("x", "", head), Evidence("S", [], "", events)) != []


def test_every_row_is_read() -> None:
    """No Jenkinsfile of the table and no example is left out, and each says its result and its steps."""
    rows = all_rows()
    names = {row.name for row in rows}
    assert {f"shapes/{path.name[: -len('.Jenkinsfile')]}" for path in SHAPES.glob("*.Jenkinsfile")} <= names
    assert len(names) == len(rows) >= 79
    assert all(len(row.said("result")) == 1 and len(row.said("steps")) == 1 for row in rows)
    assert all(row.jenkinsfile.count("@Library('last9') _") == 1 for row in rows)


def test_a_misspelt_word_is_refused() -> None:
    """An expectation under a word that does not exist would hold nothing; neither would a happening that no one can do."""
    with pytest.raises(ValueError, match="there is no word 'results'"):
        read_head("x", ["// results:  SUCCESS"])
    with pytest.raises(ValueError, match="cannot do this: stop afterwards"):
        read_happening("stop afterwards")


@pytest.mark.parametrize(
    ("text", "happening"),
    [
        ("stop after 'in the body'", Happening("stop", after="in the body")),
        ("stop during sh 2", Happening("stop", during=("sh", 2))),
        ("slow from start", Happening("slow")),
        ("broken after 'x'", Happening("broken", after="x")),
        ("well after 'x'", Happening("well", after="x")),
        ("misled from start", Happening("misled")),
        ("job deploy FAILURE", Happening("job", job=("deploy", "FAILURE"))),
    ],
)
def test_happenings_are_read(text: str, happening: Happening) -> None:
    """Each form of a does: line."""
    assert read_happening(text) == happening


def test_only_chooses_rows() -> None:
    """ONLY takes shell patterns, several, for beginnings of names; without it all run; one that fits nothing gives none."""
    rows = all_rows()
    assert chosen(rows, "") == rows
    assert {row.name for row in chosen(rows, "examples/07* shapes/loop")} == {"examples/07-report", "shapes/loop"}
    assert [row.name for row in chosen(rows, "examples/08")] == [
        "examples/08-smoke-test, a dry run",
        "examples/08-smoke-test, with markers sent",
    ]
    assert chosen(rows, "nothing") == []
    assert [row.name for row in chosen(rows, " shapes/loop, ")] == ["shapes/loop"]  # a comma at the end does not select everything


def test_a_pattern_that_fits_no_row_is_named() -> None:
    """One misspelt name beside good ones is reported: it would ask less than was meant, and call that a success."""
    rows = all_rows()
    assert strays(rows, "") == []
    assert strays(rows, "shapes/loop, examples/08") == []
    assert strays(rows, "shapes/loop shapes/lop* examples/99") == ["shapes/lop*", "examples/99"]


def test_what_no_api_can_do_is_named() -> None:
    """Of all rows exactly the one with a restart within a step cannot be asked of a controller."""
    refused = {}
    for row in all_rows():
        try:
            happenings.check(row)
            happenings.other_jobs(row)
        except NotHere as reason:
            refused[row.name] = str(reason)
    assert list(refused) == ["shapes/restart-during-stop"]
    assert "restart of the controller" in refused["shapes/restart-during-stop"]


def test_a_build_stands_still_until_its_fault_is_ordered() -> None:
    """Exactly where a fault is due after an echo, and nothing is pressed there; all other rows stay as people write them."""
    changed = {
        row.name: happenings.held_up(row).count("currentTimeMillis() < end")
        for row in all_rows()
        if happenings.held_up(row) != row.jenkinsfile
    }
    assert changed == {
        "shapes/abort-during-manual-stop": 1,
        "shapes/abort-during-stop": 1,
        "shapes/fault-connection-cut": 1,
        "shapes/fault-refused-start": 1,
        "shapes/outage-during-start": 1,
        "shapes/outage-during-stop": 2,
    }
    for row in all_rows():
        pressed = {happening.after for happening in row.happenings if happening.what == "stop"}
        for happening in row.happenings:
            if happenings.is_fault(happening) and happening.after and happening.after not in pressed:
                assert f"echo '{happening.after}'; for" in happenings.held_up(row), row.name


def test_the_id_of_an_input() -> None:
    """As the Pipeline REST API's documentation shows one; and the table's own row has an input that can be found."""
    assert happenings.input_id("input 'Is the build okay?'") == "Ef95dd500ae6ed3b27b89fb852296d12"
    assert len(happenings.input_id(read_shape(SHAPES / "input-rejected.Jenkinsfile").jenkinsfile)) == 32


def annotated(number: int) -> FakeBuild:
    """A recording's flow nodes as an annotated log."""
    (file,) = (ROOT / "tests" / "pipeline" / "recordings").glob(f"{number}-*.json")
    build = FakeBuild(FakeJob("x", "<flow-definition/>"), 1, {})
    annotate(build, json.loads(file.read_text("utf-8"))["steps"])
    return build


@pytest.mark.parametrize(
    ("number", "line"),
    [
        (101, "node{ sh }"),
        (420, "node{ sh! echo echo echo sh sleep echo }"),
        (429, "node{ parallel{ a:{ sh! echo sh } b:{ sleep! echo echo } c:{ sleep! echo echo } } echo }"),
    ],
)
def test_steps_of_recorded_builds(number: int, line: str) -> None:
    """Nodes of a recorded Jenkins become the line that the heads know: blocks, failed steps, branches by name."""
    build = annotated(number)
    nodes = flow_nodes("<b>noise</b>\n" + build.html)
    assert line_of_steps(nodes, lambda node: is_failed(node.text, build.colors[node.id])) == line


def nested(build: FakeBuild, enclosing: str, *blocks: str) -> str:
    """Blocks within each other; the innermost body."""
    for block in blocks:
        enclosing = build.node("{", build.node(block, enclosing, opens=True), opens=True)
    return enclosing


def test_steps_of_a_marker_are_one_word() -> None:
    """The steps of one marker are the word `marker`, cut off ones have a mark, and the suite's own library steps are left out."""
    build = FakeBuild(FakeJob("x", "<flow-definition/>"), 1, {})
    build.node("library")
    node = nested(build, "", "node")
    for color in ("blue", "aborted"):
        body = nested(build, node, "timeout")
        build.node("pwd", body)
        inner = nested(build, body, "withCredentials", "dir")
        build.node("writeFile", inner)
        build.node("sh (Last9 deployment marker)", inner, color=color)
        if color == "blue":
            build.node("readFile", inner)
        else:  # a last look for an answer
            build.node("fileExists", nested(build, inner, "timeout"))
    build.node("sleep", node)
    build.node("sleep", node, color="aborted")
    nodes = flow_nodes(build.html)

    def failed(asked: Any) -> bool:
        return is_failed(asked.text, build.colors[asked.id])

    assert line_of_steps(nodes, failed, without=1) == "node{ marker marker! sleep! }"
    assert line_of_steps(nodes, failed) == "library node{ marker marker! sleep! }"


SHORTENED = [line.split(" => ") for line in (SHAPES / "shortened.txt").read_text("utf-8").splitlines() if " => " in line and line[0] != "#"]


@pytest.mark.parametrize(("steps", "short"), SHORTENED)
def test_only_what_is_exactly_one_marker_becomes_the_word(steps: str, short: str) -> None:
    """This judge and the Java tests' read `words.txt` alike: both are held to `shapes/shortened.txt`."""
    assert shortened(steps) == short


@pytest.mark.parametrize(
    ("step", "color", "failed"),
    [
        ("sh", "blue", False),
        ("sh", "blue_anime", False),
        ("sh", "red", True),
        ("sleep", "aborted", True),
        ("build", "yellow", True),
        ("unstable", "yellow", False),
    ],
)
def test_colours_of_nodes(step: str, color: str, failed: bool) -> None:
    """An error is any colour but blue; `unstable` is yellow by what it is for."""
    assert is_failed(step, color) is failed


def test_the_files_are_those_of_the_java_tests() -> None:
    """One table: the Java judge names the same files, and holds no expectations of its own for the examples."""
    java = RESOURCES.parent / "java" / "last9"
    assert "shapes/words.txt" in (java / "Words.java").read_text("utf-8")
    assert "examples.txt" in (java / "Shape.java").read_text("utf-8")
    assert "SUCCESS" not in (java / "ExamplesTest.java").read_text("utf-8")
    assert Path(RESOURCES / "examples.txt").is_file()
