"""What the tests of the bundle share: the interpreters at hand, a stand-in for Last9 out of the bundle, and an agent to run it on.

Nothing here imports the engine: what is tested is the file that the library brings to an agent.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "resources" / "last9" / "last9-markers.pyz"
LAUNCHER = ROOT / "resources" / "last9" / "run.sh"
REQUESTS = ROOT / "tests" / "contract" / "requests"
SHA256 = hashlib.sha256(BUNDLE.read_bytes()).hexdigest()
PROMISED = ("3.9", "3.10", "3.11", "3.12", "3.13")
TOO_OLD = ("2.7", "3.6", "3.7", "3.8")
WINDOW = "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0001"
BARE = {"PATH": "/usr/local/bin:/usr/bin:/bin"}

_PROBE = "import sys; sys.stdout.write('%d.%d %s' % (sys.version_info[0], sys.version_info[1], sys.executable))"


@functools.cache
def pythons() -> dict[str, str]:
    """CPython's versions found here, too old ones as well, each with its interpreter."""
    named = [shutil.which(f"python{version}") for version in PROMISED + TOO_OLD]
    installed = sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python")))
    found: dict[str, str] = {}
    for path in [*named, *installed, "/usr/bin/python3", "/usr/local/bin/python3", sys.executable]:
        if path and os.path.exists(path):
            done = subprocess.run([path, "-E", "-c", _PROBE], capture_output=True, text=True, check=False)
            version, _, executable = done.stdout.partition(" ")
            if done.returncode == 0 and executable:
                found.setdefault(version, executable)
    return found


def promised() -> list[str]:
    """The versions found that the bundle promises to run on, oldest first."""
    return [version for version in PROMISED if version in pythons()]


def program(path: Path, body: str) -> None:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)


def processes(*texts: str) -> list[str]:
    """The command lines of this machine's processes that hold all of these texts; of zombies there is none."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            if all(text in line for text in texts):
                found.append(line)
    return found


class Last9:
    """A stand-in out of the bundle, run by one of the interpreters."""

    def __init__(self, python: str) -> None:
        command = [python, "-I", "-S", str(BUNDLE), "standin", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=BARE)
        assert self._process.stdout is not None
        first = json.loads(self._process.stdout.readline())
        assert set(first) == {"url", "refreshToken", "orgSlug"}
        self.url: str = first["url"]
        self.token: str = first["refreshToken"]

    def received(self) -> list[dict[str, Any]]:
        """The events that it took."""
        found: list[dict[str, Any]] = self._call("GET", "/received")
        return found

    def requests(self) -> list[dict[str, Any]]:
        """Every API request that reached it."""
        found: list[dict[str, Any]] = self._call("GET", "/requests")
        return found

    def order(self, *faults: dict[str, Any], **fault: Any) -> None:
        """Order faults: several, or one by its keys."""
        self._call("POST", "/faults", [*faults, *([fault] if fault else [])])

    def order_nothing(self) -> None:
        """Be well."""
        self._call("DELETE", "/faults")

    def start_afresh(self) -> None:
        """Be well, and forget what came."""
        self.order_nothing()
        self._call("DELETE", "/received")

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate()

    def _call(self, method: str, path: str, content: Any = None) -> Any:
        data = None if content is None else json.dumps(content).encode()
        call = urllib.request.Request(self.url + path, data=data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call, timeout=10) as answer:
            return json.load(answer)


@dataclass(frozen=True)
class Done:
    """What a run left on its outputs."""

    code: int
    stdout: str
    stderr: str

    @property
    def answer(self) -> dict[str, Any]:
        """The answer, which stdout holds and nothing else."""
        assert self.stdout.startswith('{"last9Answer":1,'), self
        assert self.stdout.count("\n") == 1, self
        found: dict[str, Any] = json.loads(self.stdout)
        return found


class Agent:
    """A node's workspace, with any character in its path, and its temporary folder."""

    def __init__(self, folder: Path, last9: Last9, name: str = 'wörk "space" it\'s $HOME `id` ; * ✓ 🚀') -> None:
        self.last9 = last9
        self.workspace = folder / name
        self.folder = folder / f"{name}@tmp" / "last9"
        self.workspace.mkdir(parents=True)
        self.folder.mkdir(parents=True)
        self.bundle = self.folder / f"last9-markers-{SHA256}.pyz"
        self.environment: dict[str, str] = {}

    def environ(self, more: dict[str, str]) -> dict[str, str]:
        """The whole environment of a run; neither HOME nor a locale is in it."""
        ours = {"WORKSPACE": str(self.workspace), "WORKSPACE_TMP": str(self.folder.parent)}
        return {**BARE, **ours, "LAST9_REFRESH_TOKEN": self.last9.token, "LAST9_TIMEOUT_SECONDS": "60", **more, **self.environment}

    def place_bundle(self) -> None:
        """Put the bundle where the launcher would have renamed it to."""
        shutil.copyfile(BUNDLE, self.bundle)

    def request(self, state: str = "start", pending: Sequence[str] = (), **attributes: str) -> Path:
        """Write the contract's example of a block's start or stop, for this stand-in, with what is pending and further attributes."""
        content = json.loads((REQUESTS / f"block-{state}.json").read_text("utf-8"))
        content["options"]["apiBaseUrl"] = self.last9.url
        content["window"]["id"] = WINDOW
        content["pending"] = list(pending)
        content["options"].setdefault("customAttributes", {}).update(attributes)
        path = self.folder / f"request-{uuid.uuid4()}.json"
        path.write_text(json.dumps(content), "utf-8")
        return path

    def step(self, python: str, state: str = "start", cached: bool = True, **more: Any) -> Done:
        """Run the engine on one request as the launcher does."""
        if not self.bundle.exists():
            self.place_bundle()
        command = [python, "-I", "-S", str(self.bundle), "step", "--request", str(self.request(state))]
        environ = self.environ({"LAST9_CACHE_DIR": str(self.folder)} if cached else {})
        run = subprocess.run(command, capture_output=True, text=True, env=environ, check=False, timeout=240, **more)
        return Done(run.returncode, run.stdout, run.stderr)

    def launch(self, shell: list[str], state: str = "start", bring: bool = True, request: Path | None = None, **environ: str) -> Done:
        """Run the launcher on one request; `bring` the bundle with it as the library does on a node's first marker."""
        process, _ = self.start_launcher(shell, state, bring, request, **environ)
        stdout, stderr = process.communicate(timeout=240)
        return Done(process.returncode, stdout, stderr)

    def start_launcher(
        self, shell: list[str], state: str = "start", bring: bool = True, request: Path | None = None, **environ: str
    ) -> tuple[subprocess.Popen[str], str]:
        """Start the launcher, and return it with the UUID of its request."""
        identity = (request or self.request(state)).stem[len("request-") :]
        if bring:
            shutil.copyfile(BUNDLE, self.folder / f"incoming-{identity}.pyz")
        script = self.folder.parent / f"script-{identity}.sh"
        script.write_text(LAUNCHER.read_text("utf-8").replace("@REQUEST@", identity).replace("@BUNDLE@", SHA256), "utf-8")
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            [*shell, str(script)], stdout=pipe, stderr=pipe, text=True, env=self.environ(environ), cwd=self.workspace
        )
        return process, identity

    def caches(self) -> list[Path]:
        """The unpacked engines."""
        return [path for path in self.folder.iterdir() if len(path.name) == 16]

    def asides(self) -> list[str]:
        """Unpackings that have not come to their end."""
        return [path.name for path in self.folder.iterdir() if path.name.startswith(".")]

    def left_over(self) -> list[str]:
        """Requests and bundles under the names that they come with."""
        return [path.name for path in self.folder.iterdir() if path.name.startswith(("request-", "incoming-"))]
