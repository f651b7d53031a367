"""The unpacked engine: quick for later markers, and never a reason to lose one."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from agents import BUNDLE, Agent, Last9, promised, pythons

PYTHON = pythons()[promised()[0]]


def only_cache(agent: Agent) -> Path:
    """The one cache there must be."""
    (cache,) = agent.caches()
    return cache


def delivered(agent: Agent) -> bool:
    """Send a marker; is it with Last9, and did nothing but the engine's log reach stderr?"""
    done = agent.step(PYTHON)
    assert all(line.startswith("[Last9]") for line in done.stderr.splitlines()), done
    return done.answer["delivered"] is True and done.code == 0


def test_the_second_marker_compiles_nothing(agent: Agent) -> None:
    """A later marker takes all of our code compiled, whatever PYTHONDONTWRITEBYTECODE says."""
    agent.environment = {"PYTHONDONTWRITEBYTECODE": "1"}
    assert delivered(agent)
    cache = only_cache(agent)
    command = [PYTHON, "-v", "-I", "-S", str(agent.bundle), "step", "--request", str(agent.request())]
    done = subprocess.run(command, capture_output=True, text=True, env=agent.environ({"LAST9_CACHE_DIR": str(agent.folder)}), check=False)
    assert '"delivered":true' in done.stdout
    ours = [line for line in done.stderr.splitlines() if line.startswith("# code object from") and cache.name in line]
    assert len(ours) > 50
    assert [line for line in ours if ".pyc" not in line] == []


def test_only_its_owner_can_enter_it(agent: Agent) -> None:
    """The folder is closed to others even where the umask is open."""
    before = os.umask(0)
    try:
        assert delivered(agent)
    finally:
        os.umask(before)
    assert stat.S_IMODE(only_cache(agent).stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "state", ["file gone", "file shortened", "listing gone", "listing empty", "open to others", "empty", "symlink", "file"]
)
def test_what_is_not_whole_and_ours_is_made_anew(state: str, agent: Agent, tmp_path: Path) -> None:
    """A cache that a cleaner has thinned out, or that somebody else could have laid there, is replaced, and the marker goes."""
    assert delivered(agent)
    cache = only_cache(agent)
    module = cache / "last9_markers" / "cli" / "main.py"
    if state == "file gone":
        module.unlink()
    elif state == "file shortened":
        module.write_bytes(module.read_bytes()[:-10])
    elif state == "listing gone":
        (cache / "complete").unlink()
    elif state == "listing empty":
        (cache / "complete").write_bytes(b"")
    elif state == "open to others":
        cache.chmod(0o770)
    else:
        shutil.move(cache, tmp_path / "moved")
        {"empty": cache.mkdir, "symlink": lambda: cache.symlink_to(tmp_path / "moved"), "file": cache.touch}[state]()
    assert delivered(agent)
    assert only_cache(agent).is_dir()
    assert not only_cache(agent).is_symlink()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert (cache / "last9_markers" / "cli" / "main.py").is_file()
    assert agent.asides() == []


if os.geteuid() == 0:  # only root can give a folder away; others have no way to try this

    def test_a_strangers_cache_is_not_used(agent: Agent, tmp_path: Path) -> None:
        """A whole cache that belongs to another user is never run: it could hold anything."""
        assert delivered(agent)
        cache = only_cache(agent)
        trace = tmp_path / "trace"
        module = cache / "last9_markers" / "cli" / "main.py"
        planted = f"open({str(trace)!r}, 'w')\n".encode()
        module.write_bytes(planted + b"#" * (module.stat().st_size - len(planted)))
        shutil.rmtree(module.parent / "__pycache__")
        os.chown(cache, 12345, 12345)
        assert delivered(agent)
        assert not trace.exists()

    def test_what_a_stranger_planted_where_all_may_write_is_not_run(last9: Last9) -> None:
        """In a folder like /tmp a stranger's cache, or link to one, can be neither used nor removed: the zip serves, and nothing breaks."""
        with tempfile.TemporaryDirectory() as name:
            Path(name).chmod(0o755)
            agent = Agent(Path(name), last9)
            assert delivered(agent)
            cache = only_cache(agent)
            trace = Path(name, "trace")
            trace.touch()
            trace.chmod(0o666)
            for module in (cache / "last9_markers").rglob("*.py"):
                planted = f"open({str(trace)!r}, 'w').write('ran')\n".encode()
                module.write_bytes(planted + b"#" * (module.stat().st_size - len(planted)) if module.stat().st_size > len(planted) else b"")
            agent.folder.chmod(0o1777)
            for path in (cache, *cache.rglob("*")):
                path.chmod(0o755)
            for plant in (lambda: None, lambda: (cache.rename(cache.with_name("planted")), cache.symlink_to("planted"))):
                plant()
                done = agent.launch(["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--", "sh"], bring=False)
                assert done.answer["delivered"] is True, done.stderr
                assert trace.read_text("utf-8") == ""
                assert [path.name for path in agent.caches()] == [cache.name]
                assert agent.asides() == []


@pytest.mark.parametrize("content", [b"", b"\0" * 100, None], ids=["empty", "zeros", "half"])
def test_broken_compiled_code_does_no_harm(content: bytes | None, agent: Agent) -> None:
    """Compiled files that lost their content with the power are passed over."""
    assert delivered(agent)
    compiled = sorted(only_cache(agent).rglob("*.pyc"))
    assert len(compiled) > 50
    for path in compiled:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if content is None else content)
    assert delivered(agent)


def test_a_cache_with_rotten_sources_is_thrown_away(agent: Agent) -> None:
    """Sources of the right length and the wrong content cost no marker: the zip serves, and the next marker unpacks again."""
    assert delivered(agent)
    cache = only_cache(agent)
    for path in (cache / "last9_markers").rglob("*.py"):
        path.write_bytes(b"\0" * path.stat().st_size)
    for folder in list((cache / "last9_markers").rglob("__pycache__")):
        shutil.rmtree(folder)
        folder.mkdir()
    assert delivered(agent)
    assert agent.caches() == []
    assert delivered(agent)
    assert len(agent.caches()) == 1


@pytest.mark.parametrize("where", ["/proc/self/last9", "FILE", "/dev/null"])
def test_where_nothing_can_be_written_the_zip_serves(where: str, agent: Agent, tmp_path: Path) -> None:
    """A cache folder that cannot be made costs speed, not the marker."""
    (tmp_path / "file").touch()
    agent.environment = {"LAST9_CACHE_DIR": str(tmp_path / "file") if where == "FILE" else where}
    agent.place_bundle()
    done = agent.step(PYTHON, cached=False)
    assert done.answer["delivered"] is True


def test_a_full_disk_leaves_no_half_cache(agent: Agent) -> None:
    """When writing fails on the way, the marker goes out from the zip and nothing half-written stays."""
    agent.place_bundle()
    done = agent.step(PYTHON, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)))
    assert done.answer["delivered"] is True
    assert agent.caches() == []
    assert agent.asides() == []


def test_a_disk_that_fills_up_while_compiled_code_is_kept(agent: Agent) -> None:
    """Compiled code that cannot be written whole is not kept, and what was written before stays good."""
    assert delivered(agent)
    for path in only_cache(agent).rglob("*.pyc"):
        path.unlink()
    done = agent.step(PYTHON, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)))
    assert done.answer["delivered"] is True
    kept = list(only_cache(agent).rglob("*.pyc*"))
    assert kept
    assert all(path.stat().st_size < 10_000 and path.suffix == ".pyc" for path in kept)
    assert delivered(agent)


def test_twenty_at_once_on_first_use(agent: Agent) -> None:
    """Twenty branches that meet an empty node together deliver twenty markers and leave one cache."""
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda _: agent.launch(["sh"]), range(20)))
    assert [one.answer["delivered"] for one in done] == [True] * 20
    assert len(agent.last9.received()) == 20
    assert len(agent.caches()) == 1
    assert agent.asides() == []
    assert agent.left_over() == []


def test_killed_at_any_moment(agent: Agent) -> None:
    """`kill -9` while it unpacks never leaves a cache that the next marker would stumble over."""
    agent.place_bundle()
    command = [PYTHON, "-I", "-S", str(agent.bundle), "step", "--request"]
    for attempt in range(15):
        environ = agent.environ({"LAST9_CACHE_DIR": str(agent.folder)})
        with subprocess.Popen(
            [*command, str(agent.request())], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ
        ) as process:
            time.sleep(0.02 * (attempt + 1))
            process.kill()
        if attempt % 3 == 2:
            assert delivered(agent)
            shutil.rmtree(only_cache(agent))
    assert delivered(agent)
    assert len(agent.caches()) == 1


def test_the_three_newest_stay(agent: Agent) -> None:
    """Old caches and bundles go when a new one comes, with what killed processes left; what is young or not ours stays."""
    now = time.time()
    for age in range(1, 6):
        for name in (f"{age}" * 16, f"last9-markers-{str(age) * 64}.pyz"):
            path = agent.folder / name
            path.mkdir() if len(name) == 16 else path.touch()
            os.utime(path, (now - age * 60, now - age * 60))
    for name, age in ((f".{'a' * 16}.1.2", 7200), (f".{'b' * 16}.1.2", 60), (f"request-{'c' * 36}.json", 90000), ("notes.txt", 900000)):
        (agent.folder / name).mkdir() if name.startswith(".") else (agent.folder / name).touch()
        os.utime(agent.folder / name, (now - age, now - age))
    assert delivered(agent)
    left = {path.name for path in agent.folder.iterdir()}
    assert {"1" * 16, "2" * 16, f".{'b' * 16}.1.2", "notes.txt"} < left
    assert len([name for name in left if len(name) == 16]) == 3
    assert len([name for name in left if name.startswith("last9-markers-")]) == 3
    assert agent.bundle.name in left
    assert not any(name.startswith((f".{'a' * 16}", "request-")) for name in left)


def test_a_clock_in_1970(agent: Agent) -> None:
    """Where the clock stands at its beginning, and so do the files, the engine unpacks, uses what it unpacked, and removes nothing young.

    The process is told the time by functions put in its clock's place: without changing the machine's clock there is no other way.
    """
    agent.place_bundle()
    for attempt in range(3):
        request = agent.request()
        code = (
            "import runpy, sys, time; time.time = lambda: 3.5; time.time_ns = lambda: 3_500_000_000;"
            f"sys.argv = [{str(agent.bundle)!r}, 'step', '--request', {str(request)!r}]; runpy.run_path(sys.argv[0], run_name='__main__')"
        )
        environ = agent.environ({"LAST9_CACHE_DIR": str(agent.folder)})
        done = subprocess.run([PYTHON, "-I", "-S", "-c", code], capture_output=True, text=True, env=environ, check=False)
        assert '"delivered":true' in done.stdout, done.stderr
        assert agent.asides() == ([] if attempt < 2 else [f".{'b' * 16}.1.2"])
        before = {path: path.stat().st_ino for path in only_cache(agent).rglob("*.pyc")}
        assert len(before) > 50
        for path in only_cache(agent).rglob("*"):
            os.utime(path, (1, 1))
        if attempt == 1:  # another process is unpacking just now: that must survive the next one's tidying up, which a new cache brings
            (agent.folder / f".{'b' * 16}.1.2").mkdir()
            os.utime(agent.folder / f".{'b' * 16}.1.2", (2, 2))
            shutil.rmtree(only_cache(agent))


def test_the_workspace_proper_stays_as_it_is(agent: Agent) -> None:
    """Nothing of ours is ever written into the checkout: not by a node's first marker, not by a later one."""
    for state in ("start", "stop"):
        assert agent.launch(["sh"], state).answer["delivered"] is True
        assert list(agent.workspace.iterdir()) == []


def test_several_pythons_share_one_cache(agent: Agent) -> None:
    """Different interpreters on one node each keep their own compiled code beside the same sources."""
    for version in promised():
        assert agent.step(pythons()[version]).answer["delivered"] is True
    tags = {path.name.split(".")[-2] for path in only_cache(agent).rglob("cli/__pycache__/main.*.pyc")}
    assert tags == {f"cpython-{version.replace('.', '')}" for version in promised()}


def test_the_bundle_runs_by_its_own_name() -> None:
    """The file can be started as it is where the file system lets it: it names its interpreter."""
    assert BUNDLE.read_bytes().startswith(b"#!/usr/bin/env python3\n")
    done = subprocess.run([sys.executable, str(BUNDLE), "--version"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("last9-markers ")
