"""What is measured: the engine in its three ways to start, with and without its launcher, and what it is compared with."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarking.processes import measure

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "resources/last9/last9-markers.pyz"
LAUNCHER = ROOT / "resources/last9/run.sh"
REQUEST = ROOT / "tests/contract/requests/block-start.json"
CERTIFICATES = ROOT / "tests/python/certificates"
URLLIB = Path(__file__).with_name("by_urllib.py")
CURL = Path(__file__).with_name("by_curl.sh")
DELIVERED = '"delivered":true'
PATH = "/usr/local/bin:/usr/bin:/bin"

Scenario = Callable[[], Any]


class StandIn:
    """A stand-in Last9 in a process of its own."""

    def __init__(self, python: str, *, tls: bool) -> None:
        certificate = ["--tls", str(CERTIFICATES / "server.pem"), str(CERTIFICATES / "server.key")] if tls else []
        self._process = subprocess.Popen(
            [python, "-I", "-S", str(BUNDLE), "standin", "--port", "0", *certificate], stdout=subprocess.PIPE, text=True
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
    """A node's folders, with a git checkout as its workspace, and one stand-in to send to."""

    def __init__(self, folder: Path, python: str, last9: StandIn) -> None:
        #: What runs a command: processes.measure, or processes.weigh.
        self.run: Callable[[list[str], Mapping[str, str], Path, str], Any] = measure
        self._python = python
        self._last9 = last9
        self.workspace = folder / "workspace"
        self.empty = folder / "empty"
        self.temporary = folder / "workspace@tmp"
        self.kept = self.temporary / "last9"
        for path in (self.workspace, self.empty, self.kept):
            path.mkdir(parents=True)
        self._news = 0
        self._name = f"last9-markers-{hashlib.sha256(BUNDLE.read_bytes()).hexdigest()}.pyz"
        shutil.copyfile(BUNDLE, self.kept / self._name)
        _make_checkout(self.workspace)
        self._environ = {"PATH": PATH, "LAST9_REFRESH_TOKEN": last9.token, "WORKSPACE": str(self.workspace)}
        self._environ |= {"WORKSPACE_TMP": str(self.temporary), "LAST9_CA_BUNDLE": str(CERTIFICATES / "ca.pem"), "LAST9_PYTHON": python}

    def bare(self) -> Any:
        """The interpreter alone."""
        return self.run([self._python, "-I", "-S", "-c", "pass"], self._environ, self.empty, "")

    def shell(self) -> Any:
        """A shell that does nothing: what any `sh` step costs."""
        return self.run(["sh", "-c", "true"], self._environ, self.empty, "")

    def urllib(self) -> Any:
        """The same two requests by a script of a few lines with nothing but the standard library."""
        return self.run([self._python, "-I", "-S", str(URLLIB), self._last9.url], self._environ, self.empty, "sent")

    def curl(self) -> Any:
        """The same two requests by two calls of curl from a shell."""
        return self.run(["sh", str(CURL), self._last9.url], self._environ, self.empty, "success")

    def warm(self) -> Any:
        """The engine on a node that has had a marker before."""
        return self._engine(self.kept)

    def cold(self) -> Any:
        """The engine on a node's first marker."""
        return self._engine(self._new("cold"))

    def zip(self) -> Any:
        """The engine as a plain zip application: nothing is ever unpacked."""
        return self._engine(None)

    def launched_warm(self) -> Any:
        """What Jenkins runs: the launcher, in a checkout that git is asked about."""
        return self._launcher(self.temporary)

    def launched_cold(self) -> Any:
        """The same on a new node: the bundle has just come, and nothing is unpacked."""
        return self._launcher(self._new("node"))

    def _new(self, name: str) -> Path:
        """A folder that has not been there before. None is removed while anything is measured: ext4 looks for each new file through all
        inodes that were freed in the last minute (`recently_deleted`), which had cost a cold marker up to 60 ms of system time."""
        self._news += 1
        return self.temporary / f"{name}-{self._news}"

    def _engine(self, cache: Path | None) -> Any:
        request = self.kept / "request.json"
        self._write(request)
        environ = {**self._environ, **({"LAST9_CACHE_DIR": str(cache)} if cache else {})}
        command = [self._python, "-I", "-S", str(self.kept / self._name), "step", "--request", str(request)]
        return self.run(command, environ, self.empty, DELIVERED)

    def _launcher(self, temporary: Path) -> Any:
        folder = temporary / "last9"
        folder.mkdir(parents=True, exist_ok=True)
        identity = str(uuid.uuid4())
        self._write(folder / f"request-{identity}.json")
        if not (folder / self._name).exists():
            shutil.copyfile(BUNDLE, folder / f"incoming-{identity}.pyz")
        text = LAUNCHER.read_text("utf-8").replace("@REQUEST@", identity).replace("@BUNDLE@", self._name[14:-4])
        script = temporary / "script.sh"
        script.write_text(text, "utf-8")
        return self.run(["sh", str(script)], {**self._environ, "WORKSPACE_TMP": str(temporary)}, self.workspace, DELIVERED)

    def _write(self, path: Path) -> None:
        content: dict[str, Any] = json.loads(REQUEST.read_text("utf-8"))
        content["options"]["apiBaseUrl"] = self._last9.url
        path.write_text(json.dumps(content), "utf-8")

    def import_profile(self) -> str:
        """What ``-X importtime`` says of a warm marker."""
        self.warm()
        request = self.kept / "request.json"
        self._write(request)
        command = [self._python, "-X", "importtime", "-I", "-S", str(self.kept / self._name), "step", "--request", str(request)]
        environ = {**self._environ, "LAST9_CACHE_DIR": str(self.kept)}
        return subprocess.run(command, env=environ, cwd=self.empty, capture_output=True, text=True, check=True).stderr


def of(agent: Agent, names: tuple[str, ...]) -> dict[str, Scenario]:
    """Those scenarios by name; curl is left out where there is none."""
    return {name: getattr(agent, name) for name in names if name != "curl" or shutil.which("curl", path=PATH)}


def _make_checkout(folder: Path) -> None:
    """A repository with one commit: what a workspace looks like to git."""
    identity = ["-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com"]
    for arguments in (["init", "-q"], [*identity, "commit", "-q", "--allow-empty", "-m", "one"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
