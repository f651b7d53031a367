"""An attacker was on the agent before us: the files left there are neither run nor used, and hang nothing. Each attack once worked."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import socket
import stat
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from agents import BUNDLE, NO_BUNDLE, Agent, promised, pythons

PYTHON = pythons()[promised()[-1]]
#: What a process that hangs would need is given by the launcher's timer: each of these ends long before.
SECONDS = "60.0"


def planting(trace: Path) -> str:
    """A program that shows that it ran, and with the token."""
    return f"import os\nopen({str(trace)!r}, 'w').write(os.environ.get('LAST9_REFRESH_TOKEN', ''))\n"


def evil_bundle(trace: Path) -> bytes:
    """A bundle as ours is laid out, of someone else's code."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name in ("last9_loading.py", "__main__.py", "last9_markers/__init__.py", "last9_markers/cli/main.py"):
            opened.writestr(name, planting(trace) + "def run(*_): pass\ndef main(*_): return 77\n")
    return buffer.getvalue()


def trap(kind: str, path: Path) -> None:
    """Put something in a file's place that is not a file."""
    {
        "fifo": lambda: os.mkfifo(path),
        "folder": lambda: (path.mkdir(), (path / "inside").touch()),
        "link to a device": lambda: path.symlink_to("/dev/zero"),
        "link to a file": lambda: path.symlink_to("/etc/hostname"),
        "dangling link": lambda: path.symlink_to("/nowhere/at/all"),
        "nothing in it": lambda: path.touch(),
        "device": lambda: os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 5)),
        "socket": lambda: listen(path),
        "enormous": lambda: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), 1 << 40),
    }[kind]()


def listen(path: Path) -> None:
    """A socket's name is too long for what bind takes in these folders."""
    with socket.socket(socket.AF_UNIX) as opened:
        here = os.getcwd()
        os.chdir(path.parent)
        try:
            opened.bind("s")
            os.rename("s", path.name)
        finally:
            os.chdir(here)


KINDS = (
    *("fifo", "folder", "link to a device", "link to a file", "dangling link", "nothing in it", "enormous", "socket"),
    *(["device"] if os.geteuid() == 0 else []),  # only root can make one
)


def remove(path: Path) -> None:
    """Anything."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


# -- programs ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("brought", [False, True], ids=["alone", "with a good one"])
def test_a_planted_bundle_is_not_run(brought: bool, agent: Agent, tmp_path: Path) -> None:
    """A file of the bundle's name with other code gets no token and runs nothing; the marker asks for the real one, and replaces it."""
    agent.bundle.write_bytes(evil_bundle(tmp_path / "trace"))
    request = agent.request()
    done = agent.launch(["sh"], bring=brought, request=request, LAST9_PYTHON=PYTHON)
    if not brought:
        assert (done.code, done.written) == (NO_BUNDLE, None)
        assert done.stderr == f"[Last9] ../{agent.bundle.name} is damaged\n"
        done = agent.launch(["sh"], request=request, LAST9_PYTHON=PYTHON)
    assert done.delivered
    assert agent.bundle.read_bytes() == BUNDLE.read_bytes()
    assert not (tmp_path / "trace").exists()


def test_a_planted_copy_is_not_run(agent: Agent, tmp_path: Path) -> None:
    """The same for the name under which the bundle is brought."""
    (agent.slot / "incoming.pyz").write_bytes(evil_bundle(tmp_path / "trace"))
    assert agent.launch(["sh"], bring=False).code == NO_BUNDLE
    assert not (tmp_path / "trace").exists()
    assert not agent.bundle.exists()


#: Run by the interpreter that wrote the code file, since no other can read it: each module's code becomes the attacker's.
REPLACING = """
import marshal, sys
path, evil = sys.argv[1:]
label, packages, modules = marshal.loads(open(path, "rb").read())
assert len(modules) > 50
evil = marshal.dumps(compile(evil, "x", "exec"))
open(path, "wb").write(marshal.dumps((label, packages, {name: (kept[0], evil) for name, kept in modules.items()})))
"""


def plant_code(code: Path, trace: Path) -> None:
    """Let every module in the code file be one that shows that it ran."""
    before = code.read_bytes()
    subprocess.run([PYTHON, "-I", "-S", "-c", REPLACING, str(code), planting(trace)], check=True)
    assert code.read_bytes() != before


def test_the_planted_code_would_run_if_it_were_believed(agent: Agent, tmp_path: Path) -> None:
    """The attack of the next test works, if the launcher's text names the planted file's hash: so that is what protects."""
    assert agent.step(PYTHON).delivered
    (code,) = agent.codes()
    plant_code(code, tmp_path / "trace")
    digest = hashlib.sha256(code.read_bytes()).hexdigest()
    code.rename(agent.folder / f"code-{digest}.bin")
    request = agent.request()
    agent.step(PYTHON, request=request, code=digest)
    assert (tmp_path / "trace").exists()
    request.unlink()


@pytest.mark.parametrize("hash_of", ["the last answer", "nothing"])
def test_planted_code_is_not_run(hash_of: str, agent: Agent, tmp_path: Path) -> None:
    """A code file of the right name and form with other content is not run: its hash is not the one in the launcher's text."""
    assert agent.step(PYTHON).delivered
    (code,) = agent.codes()
    good = code.read_bytes()
    plant_code(code, tmp_path / "trace")
    assert agent.step(PYTHON, code=agent.code if hash_of == "the last answer" else "-").delivered
    assert not (tmp_path / "trace").exists()
    assert code.read_bytes() == good, "it has healed"
    assert agent.step(PYTHON).delivered


@pytest.mark.parametrize("at", [0, 100, -1])
def test_code_changed_by_one_byte_is_not_run(at: int, agent: Agent) -> None:
    """The engine compiles, and the file heals."""
    assert agent.step(PYTHON).delivered
    (code,) = agent.codes()
    good = code.read_bytes()
    data = bytearray(good)
    data[at] ^= 1
    code.write_bytes(bytes(data))
    assert agent.step(PYTHON).delivered
    assert code.read_bytes() == good


def test_nothing_is_imported_from_below_the_current_folder(agent: Agent, tmp_path: Path) -> None:
    """Modules that lie where ours seem to lie are never looked at, not for what we do not ship either."""
    modules = (
        "httpx/_main",
        "httpx/__init__",
        "last9_markers/cli",
        "last9_keeping",
        "last9_loading",
        "anyio",
        "certifi/__init__",
        "socksio",
        "json",
    )
    for folder in (agent.slot, agent.slot / "last9-markers.pyz", agent.folder, agent.workspace):
        for module in modules:
            path = folder / f"{module}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(planting(tmp_path / "trace"))
    agent.last9.order(status=500, times=100)
    done = agent.step(PYTHON, env=agent.environ({"LAST9_TIMEOUT_SECONDS": "1", "LAST9_DEBUG": "true"}))
    assert done.answer["delivered"] is False
    assert not (tmp_path / "trace").exists()


# -- things that are not files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_trap_in_the_bundles_place(kind: str, agent: Agent) -> None:
    """It hangs nothing, is called by its name, and the next marker, which brings the bundle, puts that in its place."""
    trap(kind, agent.bundle)
    request = agent.request()
    asked = agent.launch(["sh"], bring=False, request=request)
    assert (asked.code, asked.stderr) == (NO_BUNDLE, f"[Last9] ../{agent.bundle.name} is damaged\n")
    assert agent.launch(["sh"], request=request).delivered
    assert agent.bundle.is_file()
    assert not agent.bundle.is_symlink()
    assert agent.asides() == []
    assert agent.launch(["sh"], bring=False).delivered


@pytest.mark.parametrize("kind", KINDS)
def test_a_trap_in_the_copys_place(kind: str, agent: Agent) -> None:
    """What is brought is opened as carefully: the marker asks again."""
    trap(kind, agent.slot / "incoming.pyz")
    assert agent.launch(["sh"], bring=False).code == NO_BUNDLE
    agent.place_bundle()
    assert agent.launch(["sh"], bring=False).delivered


@pytest.mark.parametrize("kind", KINDS)
def test_a_trap_in_the_code_files_place(kind: str, agent: Agent) -> None:
    """The engine compiles, and puts a good file in its place."""
    assert agent.step(PYTHON).delivered
    (code,) = agent.codes()
    remove(code)
    trap(kind, code)
    assert agent.step(PYTHON).delivered
    assert agent.code != "-"
    assert (agent.folder / f"code-{agent.code}.bin").is_file()
    assert len(agent.codes()) <= 2
    assert agent.asides() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_trap_in_the_requests_place(kind: str, agent: Agent) -> None:
    """One warning and an answer that throws nothing away; no wait, no memory, nothing sent."""
    request = agent.request()
    remove(request)
    trap(kind, request)
    agent.place_bundle()
    done = agent.step(PYTHON, request=request, preexec_fn=limit_memory)
    assert done.answer["delivered"] is False
    assert "pending" not in done.answer
    assert len(done.answer["warnings"]) == 1
    assert agent.last9.requests() == []
    remove(request)


@pytest.mark.parametrize("kind", KINDS)
def test_a_trap_in_the_answers_place(kind: str, agent: Agent, tmp_path: Path) -> None:
    """Nothing is written through it: the status then says that there is no answer, and the log why."""
    target = tmp_path / "target"
    target.write_text("untouched")
    request = agent.request()
    answer = request.with_name(request.name.replace("request", "answer"))
    if kind == "link to a file":
        answer.symlink_to(target)
    else:
        trap(kind, answer)
    agent.place_bundle()
    command = agent.command(PYTHON, request)
    run = subprocess.run(command, capture_output=True, text=True, env=agent.environ({}), cwd=agent.slot, check=False, timeout=120)
    assert run.returncode == 74
    assert "[Last9] WARNING: the answer cannot be written (" in run.stderr
    assert target.read_text() == "untouched"
    assert stat.S_IFMT(os.lstat(answer).st_mode) != 0
    remove(answer)


def limit_memory() -> None:
    """A process that read /dev/zero to its end would die of it."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


# -- another user --------------------------------------------------------------------------------------------------------------

#: An interpreter that any user may run.
SYSTEM = next((path for path in ("/usr/bin/python3", "/usr/local/bin/python3") if os.path.exists(path)), "")
if os.geteuid() == 0 and SYSTEM:  # only root can give files away; others have no way to try this
    NOBODY = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--"]

    @pytest.fixture
    def shared(tmp_path_factory: pytest.TempPathFactory, last9: object) -> Callable[..., Agent]:
        """An agent in a folder that every user may enter; pytest's own are their owner's alone."""
        import tempfile

        def make() -> Agent:
            folder = Path(tempfile.mkdtemp())
            folder.chmod(0o755)
            return Agent(folder, last9)  # type: ignore[arg-type]

        return make

    def test_a_strangers_files_are_not_believed(shared: Callable[..., Agent]) -> None:
        """In another user's folder, with a bundle of his: what has the hash is used, the rest is not; the debug log says whose it is."""
        agent = shared()
        trace = agent.folder.parent.parent / "trace"
        trace.touch()
        trace.chmod(0o666)
        try:
            agent.bundle.write_bytes(evil_bundle(trace))
            shutil.copyfile(BUNDLE, agent.slot / "incoming.pyz")
            for path in (agent.folder, agent.slot, agent.bundle):
                os.chown(path, 12345, 12345)
                path.chmod(0o777)
            agent.folder.chmod(0o1777)
            done = agent.step(SYSTEM, flags=NOBODY, env=agent.environ({"LAST9_DEBUG": "true"}))
            assert done.answer["delivered"] is True
            assert "stays open to others: it belongs to user 12345" in done.stderr
            assert trace.read_text() == ""
            assert agent.bundle.stat().st_uid == 12345
            assert agent.folder.stat().st_mode & 0o777 == 0o777
        finally:
            shutil.rmtree(agent.folder.parent.parent)

    def test_root_and_another_user_in_turn(shared: Callable[..., Agent]) -> None:
        """Root in a container and Jenkins' user on the node: what one leaves neither blocks the other nor grows; answers are readable."""
        agent = shared()
        try:
            for path in (agent.folder.parent, agent.folder, agent.slot):
                os.chown(path, 54321, 54321)
            shutil.copyfile(BUNDLE, agent.slot / "incoming.pyz")
            counts = []
            for number in range(8):
                request = agent.request()
                os.chown(request, 54321, 54321)
                assert agent.step(SYSTEM, request=request, flags=NOBODY if number % 2 else []).delivered
                assert agent.left_over() == []
                counts.append(len(list(agent.folder.iterdir())))
            assert counts[-1] <= 6, "each of the two may have a code file or two"
            assert agent.folder.stat().st_mode & 0o777 == 0o700
        finally:
            shutil.rmtree(agent.folder.parent.parent)
