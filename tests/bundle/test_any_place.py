"""The launcher and the engine where an agent is not as one would have it: each marker is sent all the same, or one line says why not."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from agents import ANSWERED, BUNDLE, NO_BUNDLE, NO_INTERPRETER, SHELLS, Agent, Last9, promised, pythons

PYTHON = pythons()[promised()[-1]]
SH = str(shutil.which("sh"))
ROOT_HERE = os.geteuid() == 0
#: A user that no password file knows, as containers have. Without root the user stays the same: the folders' modes have the same effect.
NOBODY = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--"] if ROOT_HERE else []
#: Mounts of one's own, gone with the process. Without root, the user is root in there.
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


def in_a_namespace(agent: Agent, before: str, after: str = ":") -> list[str]:
    """A shell that runs the launcher among mounts of its own: `$1` is the folder with all that is ours, `$2` one outside of the mounts."""
    aside = agent.folder.parent.parent / "aside"
    aside.mkdir()
    commands = f'{before} && cd "$1/run-0-1" && {{ ours=$1 aside=$2; shift 2; sh "$@"; code=$?; cd / && {after}; exit $code; }}'
    return [*OWN_MOUNTS, "sh", "-c", commands, "sh", str(agent.folder), str(aside)]


def test_a_folder_of_another_user(elsewhere: Agent) -> None:
    """With an unknown uid, no HOME and a folder of another user the marker is sent from the copy that was brought, and sent again so.

    The run's own folder is writable: without that no `sh` step of Jenkins' works either.
    """
    elsewhere.slot.chmod(0o777)
    closing = ["sh", "-c", 'chmod 555 "$1" "$1/.." && cd . && shift && exec "$@"', "sh", str(elsewhere.folder), *NOBODY, "sh"]
    for _ in range(2):
        done = elsewhere.launch(closing)
        assert done.delivered, done
        assert "code" not in done.answer
        assert [path.name for path in elsewhere.folder.iterdir()] == ["run-0-1"]
        assert elsewhere.asides() == []
    (elsewhere.slot / "incoming.pyz").unlink()
    assert elsewhere.left_over() == []


def test_a_request_that_may_not_be_read(elsewhere: Agent) -> None:
    """Where agent and container are two users who hide their files from each other, one warning names the reason."""
    elsewhere.slot.chmod(0o777)
    closing = ["sh", "-c", 'chmod 0 request-* && exec "$@"', "sh", *NOBODY, "sh"]
    done = elsewhere.launch(closing)
    assert done.code == ANSWERED
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
    assert agent.launch(["env", *(f"{name}={value}" for name, value in environ.items()), "sh"], LAST9_PYTHON=PYTHON).delivered


@pytest.mark.parametrize("path", [["PATH="], ["-u", "PATH"], ["PATH=/no where"]], ids=["empty", "unset", "elsewhere"])
def test_no_path(path: list[str], agent: Agent) -> None:
    """Without a PATH, or with one that lacks even rm and mv, LAST9_PYTHON is enough, and nothing is left behind."""
    assert agent.launch(["env", *path, str(shutil.which("sh"))], LAST9_PYTHON=PYTHON).delivered
    assert agent.left_over() == []


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("flags", ["-u", "-f", "-C", "-a", "-uCfa"])
def test_shells_with_other_settings(shell: list[str], flags: str, agent: Agent) -> None:
    """With any shell options besides -xe, the marker is sent, and only the log is printed."""
    assert agent.launch([*shell, flags]).delivered
    assert agent.left_over() == []


@pytest.mark.parametrize("shell", SHELLS)
def test_start_up_files_of_shells(shell: list[str], agent: Agent, tmp_path: Path) -> None:
    """Start-up files and options that the environment names stop no marker, and what they print is not taken for an answer."""
    (tmp_path / "startup").write_text('echo welcome; echo \'{"last9Answer":2,"delivered":false}\'\n', "utf-8")
    startup = str(tmp_path / "startup")
    options = "braceexpand:errexit:hashall:nounset:noclobber:xtrace"
    request = agent.request()
    process = agent.start_launcher(
        shell, request, ENV=startup, BASH_ENV=startup, SHELLOPTS=options, BASHOPTS="nullglob:failglob", IFS="/-9"
    )
    process.communicate(timeout=60)
    answer = request.with_name(request.name.replace("request", "answer"))
    assert process.returncode == ANSWERED
    assert json.loads(answer.read_text("utf-8"))["delivered"] is True
    answer.unlink()
    assert agent.left_over() == []


@pytest.mark.parametrize("size", ["700k", "1m"])
def test_a_full_disk(size: str, agent: Agent) -> None:
    """On a small file system mounted noexec, without room for compiled code, the marker is sent, and what was begun goes away."""
    mount = f'cp -r "$1/." "$2" && mount -t tmpfs -o noexec,size={size} none "$1" && cp -r "$2/." "$1" && rm -rf "$2"/*'
    saving = 'ls -A "$ours" >"$aside/seen" && cp -p "$ours"/run-0-1/answer-* "$aside"'
    saving += ' && umount "$ours" && cp -p "$aside"/answer-* "$ours/run-0-1"'
    done = agent.launch(in_a_namespace(agent, mount, saving))
    assert done.delivered
    assert "code" not in done.answer
    seen = (agent.folder.parent.parent / "aside" / "seen").read_text("utf-8").split()
    assert sorted(seen) == sorted([agent.bundle.name, "run-0-1"])


def test_nothing_may_be_executed_and_the_home_is_read_only(agent: Agent, tmp_path: Path) -> None:
    """Workspace and temporary workspace on noexec, HOME and TMPDIR on a read-only file system: both markers are sent all the same."""
    home = tmp_path / "home"
    home.mkdir()
    top = 'top=${1%/*/*} && mount --bind "$top" "$top" && mount -o remount,bind,noexec "$top"'
    shell = in_a_namespace(
        agent, f'{top} && mount --bind "$HOME" "$HOME" && mount -o remount,bind,ro "$HOME" && ! touch "$HOME/x" 2>/dev/null'
    )
    assert agent.launch(shell, HOME=str(home), TMPDIR=str(home)).delivered
    assert agent.launch(shell, "stop", bring=False, HOME=str(home), TMPDIR=str(home)).delivered
    assert agent.left_over() == []


def test_a_run_s_folder_that_may_only_be_read(agent: Agent) -> None:
    """If not even the answer can be written, which no `sh` step of Jenkins' survives, the status and one line say so."""
    agent.place_bundle()
    read_only = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"'
    done = agent.launch(in_a_namespace(agent, read_only), bring=False)
    assert (done.code, done.written) == (74, None)
    assert "[Last9] WARNING: the answer cannot be written (Read-only file system" in done.stderr
    assert len(agent.last9.received()) == 1, "one interpreter has sent it, and no other sends it again"


def test_a_run_s_folder_that_may_only_be_read_and_no_python(agent: Agent) -> None:
    """The same without Python: one warning, the status, and no complaint of the shell's."""
    shell = in_a_namespace(agent, 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && PATH=/nowhere')
    done = agent.launch([word.replace('sh "$@"', f'{SH} "$@"') for word in shell], bring=False)
    assert (done.code, done.written) == (NO_INTERPRETER, None)
    assert done.stderr.startswith("[Last9] WARNING: this agent has no usable Python")
    assert len(done.stderr.splitlines()) == 1


def test_tools_that_are_only_on_path(agent: Agent, tmp_path: Path) -> None:
    """If `command -p` finds no rm, as on systems that keep their tools elsewhere, nothing is left of a marker that no Python sends."""
    tools = tmp_path / "tools"
    tools.mkdir()
    shutil.copy(str(shutil.which("rm")), tools / "rm")
    hidden = 'for rm in /bin/rm /usr/bin/rm; do mount --bind /dev/null "$rm"; done && ! command -p rm --version 2>/dev/null'
    shell = in_a_namespace(agent, f"{hidden} && PATH={shlex.quote(str(tools))}")
    done = agent.launch([word.replace('sh "$@"', f'{SH} "$@"') for word in shell])
    assert done.code == NO_INTERPRETER, done
    assert agent.left_over() == []


@pytest.mark.parametrize("kilobytes", [0, 40])
def test_a_limit_on_the_size_of_files(kilobytes: int, agent: Agent) -> None:
    """Under a limit that no code file fits in the marker is sent, and its signal ends nothing; what was begun goes away."""
    limiting = ["bash", "-c", f'ulimit -f {kilobytes}; exec sh "$@"', "sh"]
    done = agent.launch(limiting)
    assert len(agent.last9.received()) == 1
    assert agent.codes() == agent.asides() == []
    if kilobytes:
        assert done.delivered
        assert agent.left_over() == []
    else:
        assert (done.code, done.written) == (74, None)
        assert "the answer cannot be written (File too large)" in done.stderr


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:1000],
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: bytes([data[0] ^ 1]) + data[1:],
        lambda data: data[:300_000] + bytes([data[300_000] ^ 0x80]) + data[300_001:],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    ],
    ids=["cut short", "one byte less", "one byte more", "first byte", "a byte", "last byte"],
)
def test_a_damaged_bundle_heals(damage: Callable[[bytes], bytes], agent: Agent) -> None:
    """One byte is enough: the bundle is not run and is called by its name, nothing is sent, and the one that comes next replaces it."""
    agent.bundle.write_bytes(damage(BUNDLE.read_bytes()))
    request = agent.request()
    done = agent.launch(["sh"], bring=False, request=request)
    assert (done.code, done.stdout, done.written) == (NO_BUNDLE, "", None)
    assert done.stderr == f"[Last9] ../{agent.bundle.name} is damaged\n"
    assert agent.last9.requests() == []
    assert agent.launch(["sh"], request=request).delivered
    assert agent.bundle.read_bytes() == BUNDLE.read_bytes()
    assert agent.left_over() == []
