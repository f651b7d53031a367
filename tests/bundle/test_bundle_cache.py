"""The folder to which the bundle unpacks itself on a node's first marker."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time
from pathlib import Path

import pytest
from agents import Agent, Last9, answer_of, wait_until


def unpacked(agent: Agent) -> Path:
    """Send one marker, and return the cache that it made."""
    assert answer_of(agent.engine(agent.request()))["delivered"] is True
    [cache] = agent.caches()
    return cache


def test_it_unpacks_once(agent: Agent, last9: Last9) -> None:
    """The second marker starts from compiled code in a folder that nobody else can read, and writes nothing."""
    cache = unpacked(agent)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert agent.files() == []
    before = {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()}
    second = answer_of(agent.engine(agent.request("block-stop.json"), "-I", "-S", "-v"))
    for module in ("last9_markers/", "httpx/", "backoff/"):
        compiled = f"{cache}/{module}__pycache__/__init__.cpython-"
        assert compiled in second["log"], f"{module} did not come from the cache"
    assert "import 'httpx' # <zipimporter" not in second["log"]
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*") if path.is_file()} == before
    assert len(last9.received()) == 2


def test_where_it_cannot_write_it_runs_from_the_zip(agent: Agent, last9: Last9) -> None:
    """A read-only folder costs time, not the marker, and nobody is troubled with it."""
    request = agent.request()
    agent.folder.chmod(0o500)
    # root writes where nobody may: without its capabilities it is like any other user
    through = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"] if os.geteuid() == 0 else []
    environment = {"PATH": os.environ["PATH"]}
    try:
        answer = answer_of(agent.engine(request, through=through, environment=environment))
    finally:
        agent.folder.chmod(0o700)
    assert answer["delivered"] is True
    assert "WARNING" not in answer["log"]
    assert agent.caches() == []
    assert agent.files() == [request.name]
    assert len(last9.received()) == 1


def test_twenty_at_once(agent: Agent, last9: Last9) -> None:
    """Parallel branches that all meet an empty folder all deliver, and one whole cache is left."""
    processes = [agent.engine(agent.request()) for _ in range(20)]
    answers = [answer_of(process) for process in processes]
    assert [answer["delivered"] for answer in answers] == [True] * 20
    assert len({event["attributes"]["deployment.id"] for event in last9.received()}) == 20
    assert not [answer["log"] for answer in answers if "WARNING" in answer["log"] or "Traceback" in answer["log"]]
    assert len(agent.caches()) == 1
    assert agent.files() == []


def test_killed_while_unpacking(agent: Agent, last9: Last9) -> None:
    """What a kill -9 in the middle leaves harms nobody, and is cleared away by a later unpacking."""

    def aside() -> list[Path]:
        return [path for path in agent.folder.iterdir() if path.name.startswith(".")]

    for _ in range(30):  # until the kill meets it in the middle
        process = agent.engine(agent.request())
        assert wait_until(lambda: aside() or agent.caches())
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        if aside():
            break
        shutil.rmtree(agent.caches()[0])
    [left] = aside()
    assert not (left / "complete").exists()
    assert agent.caches() == []
    cache = unpacked(agent)
    assert aside() == [left], "another process might still be writing there"

    shutil.rmtree(cache)
    old = time.time() - 7200
    os.utime(left, (old, old))
    unpacked(agent)
    assert aside() == []


def cut_a_source(cache: Path) -> None:
    os.truncate(cache / "last9_markers" / "event.py", 100)


def remove_a_source(cache: Path) -> None:
    (cache / "httpx" / "_client.py").unlink()


def empty_the_listing(cache: Path) -> None:
    (cache / "complete").write_bytes(b"")


def garble_a_source(cache: Path) -> None:
    path = cache / "last9_markers" / "cli.py"
    path.write_bytes(b"(" * path.stat().st_size)


def cut_all_compiled(cache: Path) -> None:
    for path in cache.rglob("*.pyc"):
        os.truncate(path, 20)


def garble_all_compiled(cache: Path) -> None:
    for path in cache.rglob("*.pyc"):
        content = path.read_bytes()
        path.write_bytes(content[:16] + b"\xff" * (len(content) - 16))


def put_a_file_there(cache: Path) -> None:
    shutil.rmtree(cache)
    cache.write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [cut_a_source, remove_a_source, empty_the_listing, garble_a_source, cut_all_compiled, garble_all_compiled, put_a_file_there],
)
def test_damage_is_noticed(damage: object, agent: Agent, last9: Last9) -> None:
    """A cache that was cleaned or spoilt file by file costs no marker, and the one after finds it whole again."""
    assert callable(damage)
    cache = unpacked(agent)
    damage(cache)
    answers = [answer_of(agent.engine(agent.request())) for _ in range(2)]
    assert [answer["delivered"] for answer in answers] == [True, True]
    assert not [answer["log"] for answer in answers if "Traceback" in answer["log"] or "WARNING" in answer["log"]]
    assert len(last9.received()) == 3
    assert (cache / "complete").stat().st_size > 0
    assert (cache / "last9_markers" / "cli.py").read_bytes()[:3] == b'"""'
    assert agent.files() == []


@pytest.mark.parametrize("laid_out", ["open to all", "a link"])
def test_a_cache_that_others_could_write_is_not_used(laid_out: str, agent: Agent, last9: Last9) -> None:
    """Code laid out by somebody else under the cache's name is never run with the token at hand."""
    cache = unpacked(agent)
    cli = cache / "last9_markers" / "cli.py"
    trace = agent.home / "ran"
    evil = f"open({str(trace)!r}, 'w')\n".encode()
    cli.write_bytes(evil.ljust(cli.stat().st_size, b"#"))
    if laid_out == "a link":
        elsewhere = agent.home / "elsewhere"
        cache.rename(elsewhere)
        cache.symlink_to(elsewhere)
    else:
        cache.chmod(0o777)
    assert answer_of(agent.engine(agent.request()))["delivered"] is True
    assert not trace.exists()
    assert stat.S_IMODE(cache.lstat().st_mode) == 0o700
    assert not cache.is_symlink()
    assert len(last9.received()) == 2
