"""Compiled code: one file for a build and a node, trusted by the hash in the launcher's text alone, and never a reason to lose a marker."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from agents import BUNDLE, Agent, promised, pythons

PYTHON = pythons()[promised()[0]]


@pytest.mark.parametrize("version", promised())
def test_the_second_marker_compiles_nothing(version: str, agent: Agent) -> None:
    """The first marker says what its code file hashes to; the next one of the kind runs all of our code from there, and writes nothing."""
    assert agent.step(pythons()[version]).delivered
    (code,) = agent.codes()
    assert code.name == f"code-{hashlib.sha256(code.read_bytes()).hexdigest()}.bin"
    assert code.name == f"code-{agent.code}.bin"
    before = code.stat()
    watching = (
        "import builtins, sys\nordinary = compile\n"
        "def watched(source, name, *rest, **more):\n"
        "    if 'last9-markers.pyz/' in str(name): sys.stderr.write('compiled: %s\\n' % name)\n"
        "    return ordinary(source, name, *rest, **more)\n"
        "builtins.compile = watched\n"
    )
    request = agent.request()
    command = agent.command(pythons()[version], request, code=agent.code)
    command[4] = watching + command[4]
    run = subprocess.run(command, capture_output=True, text=True, env=agent.environ({}), cwd=agent.slot, check=False)
    assert agent.done(run.returncode, run.stdout, run.stderr, request).delivered, run.stderr
    assert agent.codes() == [code]
    assert (code.stat().st_ino, code.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_what_a_later_marker_needs_besides_is_added(agent: Agent) -> None:
    """A marker that fails needs more of our code than one that does not; it goes into a file of its own, whose hash the answer names."""
    assert agent.step(PYTHON).delivered
    first = agent.code
    agent.last9.order(status=500, times=100)
    assert agent.step(PYTHON, env=agent.environ({"LAST9_TIMEOUT_SECONDS": "1"})).answer["delivered"] is False
    assert agent.code not in (first, "-")
    assert len(agent.codes()) == 2
    second = agent.code
    agent.step(PYTHON, env=agent.environ({"LAST9_TIMEOUT_SECONDS": "1"}))
    assert agent.code == second


def test_several_pythons_at_one_node(agent: Agent) -> None:
    """Code of another interpreter is left alone, and the marker goes: each writes a file of its own."""
    for version in promised():
        assert agent.step(pythons()[version]).delivered
    assert len({path.name for path in agent.codes()}) >= 3


def test_what_is_old_goes_away(agent: Agent) -> None:
    """The three newest bundles and code files stay; requests, answers and copies that were left over go after a day."""
    now = time.time()
    for age in range(1, 6):
        for name in (f"code-{str(age) * 64}.bin", f"last9-markers-{str(age) * 64}.pyz"):
            (agent.folder / name).touch()
            os.utime(agent.folder / name, (now - age * 60, now - age * 60))
    other = agent.folder / "run-3-0"
    other.mkdir()
    old = [other / f"request-{'c' * 36}.json", other / f"answer-{'c' * 36}.json", other / "incoming.pyz", agent.folder / ".aside-1-2"]
    young = [other / f"request-{'d' * 36}.json", agent.folder / ".aside-3-4", agent.folder / "notes.txt", other / "notes.txt"]
    for path in old + young:
        path.touch()
        age = 90_000 if path in old or path.name == "notes.txt" else 60
        os.utime(path, (now - age, now - age))
    assert agent.step(PYTHON).delivered
    left = {path.name for path in agent.folder.iterdir()}
    assert sum(name.startswith("code-") for name in left) == 3
    assert sum(name.startswith("last9-markers-") for name in left) == 3
    assert {agent.bundle.name, f"code-{agent.code}.bin", f"code-{'1' * 64}.bin", f"last9-markers-{'1' * 64}.pyz"} < left
    assert [path for path in old if path.exists()] == []
    assert [path for path in young if not path.exists()] == []


def test_a_full_disk(agent: Agent) -> None:
    """If no code file can be written whole, none stays, the answer names none, and the marker is sent."""
    agent.place_bundle()
    done = agent.step(PYTHON, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
    assert done.delivered
    assert "code" not in done.answer
    assert agent.codes() == []
    assert agent.asides() == []


def test_twenty_at_once_on_first_use(agent: Agent) -> None:
    """Twenty branches that meet an empty node together deliver twenty markers and leave one bundle, and no file aside."""
    slots = []
    for number in range(20):
        other = Agent.__new__(Agent)
        other.__dict__.update(agent.__dict__)
        other.slot = agent.folder / f"run-0-{number + 10}"
        other.slot.mkdir()
        slots.append(other)
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda one: one.launch(["sh"]), slots))
    assert [one.answer["delivered"] for one in done] == [True] * 20
    assert len(agent.last9.received()) == 20
    assert agent.bundle.read_bytes() == BUNDLE.read_bytes()
    assert agent.asides() == []
    assert [name for one in slots for name in one.left_over()] == []


def test_killed_at_any_moment(agent: Agent) -> None:
    """`kill -9` at any moment never leaves a file that a later marker would trust or stumble over."""
    for attempt in range(15):
        agent.bundle.unlink(missing_ok=True)
        request = agent.request()
        (agent.slot / "incoming.pyz").write_bytes(BUNDLE.read_bytes())
        environ = agent.environ({})
        with subprocess.Popen(
            agent.command(PYTHON, request), cwd=agent.slot, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(0.02 * (attempt + 1))
            process.kill()
        if attempt % 3 == 2:
            assert agent.step(PYTHON).delivered
    assert agent.step(PYTHON).delivered


def test_a_clock_in_1970(agent: Agent) -> None:
    """Where the clock stands at its beginning, and so do the files, markers are sent and nothing young is removed.

    Functions in place of its clock give the process the time: without changing the machine's clock there is no other way.
    """
    agent.place_bundle()
    (agent.folder / ".aside-5-6").touch()
    os.utime(agent.folder / ".aside-5-6", (2, 2))
    for _ in range(2):
        request = agent.request()
        command = agent.command(PYTHON, request, code=agent.code)
        command[4] = "import time; time.time = lambda: 3.5; time.time_ns = lambda: 3_500_000_000\n" + command[4]
        run = subprocess.run(command, capture_output=True, text=True, env=agent.environ({}), cwd=agent.slot, check=False)
        assert agent.done(run.returncode, run.stdout, run.stderr, request).delivered, run.stderr
    assert agent.asides() == [".aside-5-6"]
    assert len(agent.codes()) == 1


def test_the_base_folder_is_closed_to_others(agent: Agent) -> None:
    """With any umask of Jenkins, the folder above the runs' folders is its owner's alone after a marker."""
    agent.folder.chmod(0o777)
    assert agent.step(PYTHON).delivered
    assert agent.folder.stat().st_mode & 0o777 == 0o700
