"""What only many markers show (`make endurance`): nothing is lost, nothing is left behind, nothing grows."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from agents import ANSWERED, BUNDLE, ROOT, Agent, promised, pythons

PYTHON = pythons()[promised()[-1]]
KILLS = 100
MARKERS = 1000
LANES = 4
IDLE_SECONDS = 10
#: One request in five goes wrong, in each of the ways that an outage has.
FAULTS = (
    {"every": 25, "status": 503},
    {"every": 25, "status": 429},
    {"every": 25, "drop": "before"},
    {"every": 25, "drop": "headers"},
    {"every": 25, "status": 500, "body": "<html>"},
)

pytestmark = pytest.mark.endurance


def test_killed_at_a_hundred_random_moments(agent: Agent) -> None:
    """`kill -9` at any moment of a node's first marker never leaves a file that a later marker would trust or stumble over."""
    moments = random.Random(20261124)
    half_made = 0
    for _ in range(KILLS):
        agent.bundle.unlink(missing_ok=True)
        shutil.copyfile(BUNDLE, agent.slot / "incoming.pyz")
        for code in agent.codes():
            code.unlink()
        command = agent.command(PYTHON, agent.request())
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=agent.environ({}), cwd=agent.slot
        ) as process:
            wait_until_it_writes(agent, process, at_once=moments.random() < 0.5)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0, 0.3))
            process.kill()
        half_made += bool(agent.asides()) + (not agent.codes())
        agent.code = "-"
        assert agent.launch(["sh"], LAST9_PYTHON=PYTHON).delivered
        assert agent.launch(["sh"], bring=False, LAST9_PYTHON=PYTHON).delivered
        assert len(agent.codes()) <= 4, "three, and the one that a run came with"
    assert half_made > KILLS / 10, "the kills did not strike before the engine had written its code"


def wait_until_it_writes(agent: Agent, process: subprocess.Popen[bytes], at_once: bool) -> None:
    """Return when the code file is begun, or the process ends; at once for a kill while the interpreter starts."""
    while not at_once and process.poll() is None and not agent.asides() and not agent.codes():
        time.sleep(0.001)


def test_a_thousand_markers_through_an_outage(agent: Agent) -> None:
    """A thousand markers with one request in five failing: none is lost, none differs from its repetition, only bundle and code stay."""
    assert agent.launch(["sh"]).answer["delivered"] is True
    lanes = [lane_of(agent, number) for number in range(LANES)]
    agent.last9.start_afresh()
    agent.last9.order(*FAULTS)
    with ThreadPoolExecutor(LANES) as pool:
        kept = list(pool.map(lambda lane: send_in_a_row(lanes[lane], range(lane, MARKERS, LANES)), range(LANES)))
    assert sum(late for late, _ in kept) > 0, "no marker was late: the faults did not strike"
    agent.last9.order_nothing()
    for _, pending in kept:
        while pending:  # one attempt each and run, and what one answer leaves the next takes
            before, pending = len(pending), one_marker(agent, "last", pending, seconds="60")
            assert len(pending) < before
    received: dict[str, set[str]] = {}
    for event in agent.last9.received():
        del event["received_at"]
        received.setdefault(event["attributes"]["number"], set()).add(json.dumps(event, sort_keys=True))
    assert sorted(set(received) - {"last"}, key=int) == [str(number) for number in range(MARKERS)]
    assert [number for number, said in received.items() if len(said) > 1 and number != "last"] == []
    assert {path.name[:5] for path in agent.folder.iterdir()} == {"last9", "code-", "run-0"}
    assert len(agent.codes()) <= 4, "three, and the one that a run came with"
    assert [name for lane in lanes for name in lane.left_over()] == []


def lane_of(agent: Agent, number: int) -> Agent:
    """The same node, in another run's folder."""
    other = Agent.__new__(Agent)
    other.__dict__.update({**agent.__dict__, "slot": agent.folder / f"run-0-{number + 2}"})
    other.slot.mkdir()
    return other


def send_in_a_row(agent: Agent, numbers: range) -> tuple[int, list[dict[str, Any]]]:
    """One marker after the other, each with what is still pending, as the library does; how often some were, and what is left."""
    late = 0
    pending: list[dict[str, Any]] = []
    for number in numbers:
        pending = one_marker(agent, str(number), pending)
        late += bool(pending)
    return late, pending


def one_marker(agent: Agent, number: str, pending: list[dict[str, Any]], seconds: str = "3") -> list[dict[str, Any]]:
    """Send a marker that carries its number through the launcher; a short budget, so that some are late. What is pending after it."""
    request = agent.request(pending=pending, number=number)
    done = agent.launch(["sh"], bring=False, request=request, LAST9_TIMEOUT_SECONDS=seconds)
    assert done.code == ANSWERED, done
    assert all(line.startswith("[Last9]") for line in done.stderr.splitlines()), done
    found = done.answer["pending"]
    kept = [{**pending[index], "failures": failures} for index, failures in found["kept"]]
    return kept + ([{"text": found["own"], "failures": 0}] if found["own"] else [])


@pytest.mark.parametrize("version", promised())
def test_what_stays_open_does_not_grow(version: str, agent: Agent) -> None:
    """A process that sends marker after marker (as `window` and the library's tests do) keeps neither memory nor descriptors of them."""
    code = f"import sys; sys.path.insert(0, {str(agent.bundle)!r}); sys.argv[1:] = [{agent.last9.url!r}]; exec({IN_ONE_PROCESS!r})"
    agent.place_bundle()
    done = subprocess.run(
        [pythons()[version], "-I", "-S", "-c", code],
        env=agent.environ({}),
        cwd=agent.workspace,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    early, late = (json.loads(line) for line in done.stdout.splitlines())
    assert late["descriptors"] <= early["descriptors"]
    assert late["threads"] <= early["threads"]
    assert late["megabytes"] <= early["megabytes"] * 1.05 + 0.5
    assert len(agent.last9.received()) == 400


IN_ONE_PROCESS = """
import gc, io, json, os, re, resource, sys, threading
from last9_markers.core.clock import SystemClock
from last9_markers.request.contract import parse
from last9_markers.core.log import BuildLog
from last9_markers.runner.send_marker import MarkerHandler
from last9_markers.request.context import Context
from last9_markers.core.redaction import Redactor

options = {'serviceName': 'payments-api', 'eventState': 'stop', 'orgSlug': 'acme', 'apiBaseUrl': sys.argv[1]}
text = json.dumps({'contract': 2, 'step': 'last9DeploymentMarker', 'timestampMs': 1790000000123, 'options': options})
token = os.environ.pop('LAST9_REFRESH_TOKEN')

def count():
    gc.collect()
    with open('/proc/self/statm') as statm:
        pages = int(statm.read().split()[1])
    megabytes = pages * resource.getpagesize() / 1e6
    print(json.dumps({'descriptors': len(os.listdir('/proc/self/fd')), 'threads': threading.active_count(), 'megabytes': megabytes}))

for number in range(400):
    context = Context(os.environ, token, SystemClock(), BuildLog(io.StringIO(), Redactor()))
    assert MarkerHandler(parse(text), context).run().delivered
    re.purge()  # it keeps the last 512 patterns, and each marker hides other secrets
    if number in (99, 399):
        count()
"""


def test_a_long_window_stays_small_and_idle(agent: Agent) -> None:
    """While its command runs a `window` takes no processor time, opens nothing, grows by nothing and stays below 30 MB."""
    agent.place_bundle()
    release = agent.workspace / "release"
    os.mkfifo(release)
    window = ["window", "--service-name", "payments-api", "--api-base-url", agent.last9.url, "--org-slug", "acme"]
    command = [PYTHON, "-I", "-S", str(agent.bundle), *window, "--", "sh", "-c", "read line <release"]
    with subprocess.Popen(
        command, env=agent.environ({}), cwd=agent.workspace, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        wait_for(lambda: len(agent.last9.received()) == 1 and has_child(process.pid))
        early = once_at_rest(process.pid)
        time.sleep(IDLE_SECONDS)
        late = used_by(process.pid)
        release.write_text("go on\n", "utf-8")
        assert process.wait(60) == 0, process.stdout
    assert late["cpu"] - early["cpu"] <= 0.02
    assert late["descriptors"] <= early["descriptors"]
    assert late["megabytes"] <= min(early["megabytes"] + 0.5, 30)
    assert [event["event_state"] for event in agent.last9.received()] == ["start", "stop"]


def wait_for(condition: Callable[[], bool]) -> None:
    """Return once it holds; a minute at most."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def has_child(pid: int) -> bool:
    """Whether that process runs its command."""
    return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split())


def once_at_rest(pid: int) -> dict[str, float]:
    """What it uses as soon as it has waited for a second: on a busy machine its command runs before it has come to rest itself."""
    until = time.monotonic() + 60
    used = used_by(pid)
    while time.monotonic() < until:
        time.sleep(1)
        before, used = used, used_by(pid)
        if used == before:
            break
    return used


def used_by(pid: int) -> dict[str, float]:
    """Seconds of processor time, open descriptors, resident megabytes."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return {
        "cpu": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "megabytes": pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
    }


def test_the_benchmark_can_be_run(tmp_path: Path) -> None:
    """One round of `make benchmark` measures all that it prints, the tables of docs/performance.md among them."""
    result = tmp_path / "benchmark.json"
    command = [sys.executable, str(ROOT / "tools" / "benchmark.py"), "--rounds", "1", "--python", PYTHON, "--result", str(result)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(result.read_text("utf-8"))
    for rows in found["pythons"][found["main"]].values():
        assert set(rows) >= {"bare", "shell", "urllib", "warm", "cold", "zip", "launched_warm", "launched_cold"}
        assert all(value > 0 for row in rows.values() for value in row.values())
    docs = (ROOT / "docs" / "performance.md").read_text("utf-8")
    lines = done.stdout.splitlines()
    heads = [head for head, rule in zip(lines, lines[1:]) if rule.startswith("|---")]
    assert len(heads) == 7
    shown = docs.partition("<!-- figures")[2].partition("<!-- end of figures")[0].splitlines()
    in_docs = [head for head, rule in zip(shown, shown[1:]) if rule.startswith("|---")]
    assert len(in_docs) == 2
    assert [head for head in in_docs if head not in heads] == []
