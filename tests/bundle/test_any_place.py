"""The launcher and the engine where an agent is not as one would have it: each marker is sent all the same, or one line says why not."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import Agent, Done, Last9, program, promised, pythons

PYTHON = pythons()[promised()[-1]]
ROOT_HERE = os.geteuid() == 0
#: A user that no password file knows, as containers have. Whoever is not root stays who he is: the folders' modes stop him alike.
NOBODY = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--"] if ROOT_HERE else []
#: Mounts of one's own, gone with the process. Whoever is not root is root in there.
OWN_MOUNTS = ["unshare", "--mount", "--"] if ROOT_HERE else ["unshare", "--mount", "--map-root-user", "--"]


@pytest.fixture
def elsewhere(last9: Last9) -> Iterator[Agent]:
    """An agent in a folder that every user may enter; pytest's own are their owner's alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield Agent(folder, last9)
        for path in (folder, *folder.rglob("*")):
            if path.is_dir():
                path.chmod(0o755)


def quiet(done: Done) -> bool:
    """Whether the marker was delivered without any complaint, from the launcher, the shell or Python."""
    return done.answer["delivered"] is True and all(
        line.startswith("[Last9] ") and "WARNING" not in line for line in done.stderr.splitlines()
    )


def mounting(agent: Agent, mount: str, after: str = ":") -> list[str]:
    """A shell that runs the launcher on another file system in place of the agent's folder, with what lies in there."""
    aside = agent.folder.parent / "aside"
    shutil.rmtree(aside, ignore_errors=True)
    commands = f'cp -r "$1" "$2" && {mount} && {{ cp "$2"/* "$1" 2>/dev/null; folder=$1; shift 2; sh "$@"; }}; code=$?; {after}; exit $code'
    return [*OWN_MOUNTS, "sh", "-c", commands, "sh", str(agent.folder), str(aside)]


def test_a_user_that_nobody_knows(elsewhere: Agent) -> None:
    """With an unknown uid, no HOME and a workspace of somebody else's the marker is sent from the zip; nothing is written."""
    elsewhere.place_bundle()
    # the library writes the request as another user: so the folder is closed by the very shell that becomes nobody
    closing = ["sh", "-c", 'chmod 555 "$1" "$1/.." && cd / && shift && exec "$@"', "sh", str(elsewhere.folder), *NOBODY, "sh"]
    assert quiet(elsewhere.launch(closing, bring=False))
    (request,) = elsewhere.left_over()
    assert sorted(path.name for path in elsewhere.folder.iterdir()) == sorted([elsewhere.bundle.name, request])


def test_a_request_that_may_not_be_read(elsewhere: Agent) -> None:
    """Where agent and container are two users who hide their files from each other, one warning names the reason."""
    closing = ["sh", "-c", 'chmod 0 "$1"/request-* && shift && exec "$@"', "sh", str(elsewhere.folder), *NOBODY, "sh"]
    done = elsewhere.launch(closing)
    assert done.code == 0
    assert (done.answer["delivered"], "pending" in done.answer) == (False, False), "the library must keep the request"
    (warning,) = done.answer["warnings"]
    assert done.stderr == f"[Last9] WARNING: {warning}\n"
    assert "PermissionError" in warning
    assert elsewhere.last9.requests() == []


@pytest.mark.parametrize(
    "environ",
    [
        {"TMPDIR": "/no where", "TEMP": "/no where", "HOME": "/no where"},
        {"HOME": "/", "LC_ALL": "xx_YY.UTF-8", "LANG": "C", "TZ": "Nowhere/Land"},
        {"PYTHONHOME": "/no where", "PYTHONPATH": "/no where", "LD_LIBRARY_PATH": "/no where", "CONDA_PREFIX": "/no where"},
        {"IFS": "/", "POSIXLY_CORRECT": "1", "SHELLOPTS": "errexit:nounset:noclobber", "CDPATH": "/"},
    ],
    ids=["no folders", "odd languages", "another's Python", "odd shells"],
)
def test_an_odd_environment(environ: dict[str, str], agent: Agent) -> None:
    """What an image or an administrator has set in the environment neither stops a marker nor shows in the log."""
    assert quiet(agent.launch(["env", *(f"{name}={value}" for name, value in environ.items()), "sh"], LAST9_PYTHON=PYTHON))


@pytest.mark.parametrize("path", [["PATH="], ["-u", "PATH"], ["PATH=/no where"]], ids=["empty", "unset", "elsewhere"])
def test_no_path(path: list[str], agent: Agent) -> None:
    """Without a PATH, or with one that lacks even rm and mv, LAST9_PYTHON is enough, and nothing is left behind."""
    assert quiet(agent.launch(["env", *path, str(shutil.which("sh"))], LAST9_PYTHON=PYTHON))
    assert agent.left_over() == []


def test_shells_and_interpreters_that_print(agent: Agent, tmp_path: Path) -> None:
    """A start-up file or a wrapper around Python that prints does no harm: the answer is the last line that begins like one."""
    (tmp_path / "startup").write_text("echo welcome to this agent; echo '{\"last9Answer\": no'\n", "utf-8")
    program(tmp_path / "python", f"echo activating an environment\nexec '{PYTHON}' \"$@\"")
    done = agent.launch(["bash"], BASH_ENV=str(tmp_path / "startup"), LAST9_PYTHON=str(tmp_path / "python"))
    lines = done.stdout.splitlines()
    assert lines[:3] == ["welcome to this agent", '{"last9Answer": no', "activating an environment"]
    assert len(lines) == 4
    assert lines[-1].startswith('{"last9Answer":1,"delivered":true')


def test_a_temporary_workspace_that_may_only_be_read(agent: Agent) -> None:
    """On a file system that is mounted read-only the marker is sent from the copy that the library brought, from the zip."""
    shell = mounting(agent, 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"')
    assert quiet(agent.launch(shell))
    assert agent.caches() == []


@pytest.mark.parametrize("size", ["600k", "1m"])
def test_a_full_disk(size: str, agent: Agent) -> None:
    """Where the engine finds no room to unpack it runs from the zip, and what it had begun to write goes away; noexec does no harm."""
    seen = agent.folder.parent / "seen"
    shell = mounting(agent, f'mount -t tmpfs -o noexec,size={size} none "$1"', f'ls -A "$folder" >"{seen.name}"')
    process, _ = agent.start_launcher(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(seen.parent), *shell])
    stdout, stderr = process.communicate(timeout=60)
    assert quiet(Done(process.returncode, stdout, stderr)), stderr
    assert seen.read_text("utf-8").split() == [agent.bundle.name]


@pytest.mark.parametrize("blocks", [0, 40])
def test_a_limit_on_the_size_of_files(blocks: int, agent: Agent) -> None:
    """Under a limit that no cache fits in, the marker is sent, and the signal that comes with it ends nothing."""
    assert quiet(agent.launch(["sh", "-c", f'ulimit -f {blocks}; exec sh "$1"', "sh"], LAST9_PYTHON=PYTHON))
    assert agent.asides() == agent.left_over() == []


def test_a_bundle_that_was_cut_short(agent: Agent) -> None:
    """A bundle that no interpreter can run (a full disk, a lost connection) goes away, so that the next marker brings a whole one."""
    agent.place_bundle()
    agent.bundle.write_bytes(agent.bundle.read_bytes()[:1000])
    done = agent.launch(["sh"], bring=False)
    assert (done.code, done.answer["delivered"]) == (0, False)
    assert not agent.bundle.exists()
    assert quiet(agent.launch(["sh"]))
