"""What is measured: the engine in its three ways to start, with and without its launcher, and what it is compared with."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bundling import launchers

from benchmarking.processes import Failed, measure

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "resources/last9/last9-markers.pyz"
LAUNCHER = ROOT / "resources/last9/run.sh"
REQUEST = ROOT / "tests/contract/requests/block-start.json"
CERTIFICATES = ROOT / "tests/python/certificates"
URLLIB = Path(__file__).with_name("by_urllib.py")
CURL = Path(__file__).with_name("by_curl.sh")
FIRST = launchers.first_program((ROOT / "python/bundle/first.py").read_bytes()).decode("ascii")
SLOT = "run-0-1"
ANSWERED = 77
#: Python's own way into a zip, and nothing of ours but the engine's command.
_ZIPIMPORT = (
    "import sys, gc; gc.disable(); sys.path.insert(0, sys.argv.pop(1)); "
    "from last9_markers.cli.main import main; sys.exit(main(sys.argv[1:]))"
)
PATH = "/usr/local/bin:/usr/bin:/bin"

Scenario = Callable[[], Any]


class FakeLast9:
    """A fake Last9 in a process of its own."""

    def __init__(self, python: str, *, tls: bool) -> None:
        certificate = ["--tls", str(CERTIFICATES / "server.pem"), str(CERTIFICATES / "server.key")] if tls else []
        self._process = subprocess.Popen(
            [python, "-I", "-S", str(BUNDLE), "fake-server", "--port", "0", *certificate], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        first = json.loads(self._process.stdout.readline())
        self.url: str = first["url"]
        self.token: str = first["refreshToken"]

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.communicate()


class Agent:
    """A node's folders, with a git checkout as its workspace, and one fake Last9 to send to."""

    def __init__(self, folder: Path, python: str, last9: FakeLast9) -> None:
        #: What runs a command: processes.measure, or processes.weigh.
        self.run: Callable[[list[str], Mapping[str, str], Path, int], Any] = measure
        self._python = python
        self._last9 = last9
        self.workspace = folder / "workspace"
        self.empty = folder / "empty"
        self.temporary = folder / "workspace@tmp"
        self.kept = self.temporary / "last9"
        for path in (self.workspace, self.empty, self.kept / SLOT):
            path.mkdir(parents=True)
        self._news = 0
        self._code: str | None = None
        self._name = f"last9-markers-{hashlib.sha256(BUNDLE.read_bytes()).hexdigest()}.pyz"
        shutil.copyfile(BUNDLE, self.kept / self._name)
        _make_checkout(self.workspace)
        self._environ = {"PATH": PATH, "LAST9_REFRESH_TOKEN": last9.token, "WORKSPACE": str(self.workspace)}
        self._environ |= {"WORKSPACE_TMP": str(self.temporary), "LAST9_CA_BUNDLE": str(CERTIFICATES / "ca.pem"), "LAST9_PYTHON": python}

    def bare(self) -> Any:
        """The interpreter alone."""
        return self.run([self._python, "-I", "-S", "-c", "pass"], self._environ, self.empty, 0)

    def shell(self) -> Any:
        """A shell that does nothing: what any `sh` step costs."""
        return self.run(["sh", "-c", "true"], self._environ, self.empty, 0)

    def urllib(self) -> Any:
        """The same two requests by a script of a few lines with nothing but the standard library."""
        return self.run([self._python, "-I", "-S", str(URLLIB), self._last9.url], self._environ, self.empty, 0)

    def curl(self) -> Any:
        """The same two requests by two calls of curl from a shell."""
        return self.run(["sh", str(CURL), self._last9.url], self._environ, self.empty, 0)

    def warm(self) -> Any:
        """The engine on a node that this build has had a marker on: compiled code is there, and its hash known."""
        if self._code is None:
            self._code = "-"
            self._engine(self.kept)
            self._code = self._answer(self.kept)["code"]
        return self._engine(self.kept, self._code)

    def cold(self) -> Any:
        """The engine on a build's first marker on a node that has the bundle: everything is compiled, and kept for the next marker."""
        return self._engine(self._new("cold"))

    def zip(self) -> Any:
        """The engine as a plain zip application, loaded by Python's own zipimport: nothing is verified, nothing kept."""
        folder = self.kept / SLOT
        command = [self._python, "-I", "-S", "-c", _ZIPIMPORT, str(self.kept / self._name)]
        return self._step(folder, command, self._environ)

    def launched_warm(self) -> Any:
        """What Jenkins runs: the launcher, in a checkout that git is asked about."""
        self.warm()
        return self._launcher(self.kept, str(self._code))

    def launched_cold(self) -> Any:
        """The same on a new node: the bundle has just come, and nothing is compiled."""
        folder = self._new("node")
        (folder / SLOT).mkdir(parents=True)
        shutil.copyfile(BUNDLE, folder / SLOT / "incoming.pyz")
        return self._launcher(folder, "-")

    def _new(self, name: str) -> Path:
        """A folder that has not been there before. None is removed while anything is measured: ext4 looks for each new file through all
        inodes that were freed in the last minute (`recently_deleted`), which had cost a cold marker up to 60 ms of system time."""
        self._news += 1
        return self.temporary / f"{name}-{self._news}"

    def _engine(self, kept: Path, code: str = "-") -> Any:
        bundle = kept / self._name
        if not bundle.exists():
            (kept / SLOT).mkdir(parents=True)
            bundle.hardlink_to(self.kept / self._name)
        command = [self._python, "-I", "-S", "-c", FIRST, f"../{self._name}", self._name[14:-4], code, "60.0", "2"]
        return self._step(kept / SLOT, command, self._environ)

    def _step(self, slot: Path, command: list[str], environ: Mapping[str, str]) -> Any:
        self._write(slot / "request-1.json")
        (slot / "answer-1.json").unlink(missing_ok=True)
        run = self.run([*command, "step", "--request", "request-1.json", "--answer", "answer-1.json"], environ, slot, ANSWERED)
        self._check(slot / "answer-1.json")
        return run

    def _launcher(self, kept: Path, code: str) -> Any:
        slot = kept / SLOT
        self._write(slot / "request-1.json")
        (slot / "answer-1.json").unlink(missing_ok=True)
        text = LAUNCHER.read_text("utf-8")
        for name, value in {"REQUEST": "1", "BUNDLE": self._name[14:-4], "CODE": code, "SECONDS": "60.0", "PYTHON": "yes"}.items():
            text = text.replace(f"@{name}@", value)
        script = self.temporary / "script.sh"
        script.write_text(text, "utf-8")
        run = self.run(["sh", "-xe", str(script)], self._environ, slot, ANSWERED)
        self._check(slot / "answer-1.json")
        return run

    @staticmethod
    def _check(answer: Path) -> None:
        if not json.loads(answer.read_text("ascii"))["delivered"]:
            raise Failed(f"the marker was not delivered: {answer.read_text('ascii')}")

    def _answer(self, kept: Path) -> Any:
        return json.loads((kept / SLOT / "answer-1.json").read_text("ascii"))

    def _write(self, path: Path) -> None:
        content: dict[str, Any] = json.loads(REQUEST.read_text("utf-8"))
        content["options"]["apiBaseUrl"] = self._last9.url
        path.write_text(json.dumps(content), "utf-8")

    def import_profile(self) -> str:
        """What ``-X importtime`` says of a warm marker."""
        self.warm()
        said: list[str] = []

        def profile(command: list[str], environ: Mapping[str, str], folder: Path, _: int) -> None:
            command = [command[0], "-X", "importtime", *command[1:]]
            said.append(subprocess.run(command, env=dict(environ), cwd=folder, capture_output=True, text=True, check=False).stderr)

        self.run, before = profile, self.run
        self.warm()
        self.run = before
        return said[0]


def of(agent: Agent, names: tuple[str, ...]) -> dict[str, Scenario]:
    """Those scenarios by name; without curl if it is not installed."""
    return {name: getattr(agent, name) for name in names if name != "curl" or shutil.which("curl", path=PATH)}


def _make_checkout(folder: Path) -> None:
    """A repository with one commit: what a workspace looks like to git."""
    identity = ["-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com"]
    for arguments in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
