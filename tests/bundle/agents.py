"""What the tests of the bundle share: the interpreters at hand, a fake Last9 out of the bundle, and an agent to run it on.

Nothing here imports the engine: what is tested is the file that the library brings to an agent.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "resources" / "last9" / "last9-markers.pyz"
LAUNCHER = ROOT / "resources" / "last9" / "run.sh"
REQUESTS = ROOT / "tests" / "contract" / "requests"
#: What run.sh gives to the interpreter.
FIRST = LAUNCHER.read_text("ascii").split("\nfirst='")[1].split("'\n")[0]
#: Exit codes: the answer is written, the bundle is missing or damaged, no interpreter serves.
ANSWERED, NO_BUNDLE, NO_INTERPRETER = 77, 78, 79
SHA256 = hashlib.sha256(BUNDLE.read_bytes()).hexdigest()
PROMISED = ("3.9", "3.10", "3.11", "3.12", "3.13")
TOO_OLD = ("2.7", "3.6", "3.7", "3.8")
WINDOW = "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0001"
MINIMAL_ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}

#: The shells that Jenkins may be configured with. bash and dash are on every machine that these tests know, the others where
#: tools/needs has found or installed them.
SHELLS = [
    *(pytest.param([name], id=name) for name in ("sh", "dash", "bash")),
    *(pytest.param(words, id=words[0], marks=pytest.mark.needs(words[0])) for words in (["ksh"], ["busybox", "sh"], ["zsh", "-f"])),
]

#: What two shells show under -x before our first line can end that: ksh where the trace goes from there on, zsh its own start-up file.
_NOT_OURS = re.compile(r"^(\+ 2> /dev/null|\+/etc/zsh.*)\n", re.MULTILINE)
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
    """A fake Last9 out of the bundle, run by one of the interpreters."""

    def __init__(self, python: str) -> None:
        command = [python, "-I", "-S", str(BUNDLE), "fake-server", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=MINIMAL_ENV)
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
    """What a run left: its exit code, its outputs, and the text of the answer file."""

    code: int
    stdout: str
    stderr: str
    written: str | None = None

    @property
    def answer(self) -> dict[str, Any]:
        """The answer; only a run that says so with its exit code has one, and nothing may stand on stdout."""
        assert self.code in (ANSWERED, NO_INTERPRETER), self
        assert self.written is not None, self
        assert self.stdout == "", self
        found: dict[str, Any] = json.loads(self.written)
        assert "last9Answer" in found
        return found

    @property
    def delivered(self) -> bool:
        """Whether the marker was delivered without any complaint, from the launcher, the shell or Python."""
        quiet = all(line.startswith("[Last9] ") and "WARNING" not in line for line in self.stderr.splitlines())
        return quiet and self.answer["delivered"] is True


class Agent:
    """A node's workspace, with any character in its path, and one run's own folder beside it, as the library makes them."""

    def __init__(self, folder: Path, last9: Last9, name: str = 'wörk "space" it\'s $HOME `id` ; * ✓ 🚀') -> None:
        self.last9 = last9
        self.workspace = folder / name
        self.folder = folder / f"{name}@tmp" / "last9"
        self.slot = self.folder / "run-0-1"
        self.workspace.mkdir(parents=True)
        self.slot.mkdir(parents=True)
        self.bundle = self.folder / f"last9-markers-{SHA256}.pyz"
        self.environment: dict[str, str] = {}
        #: What the last answer said of the code file, as the library remembers it.
        self.code = "-"

    def environ(self, more: dict[str, str]) -> dict[str, str]:
        """The whole environment of a run; neither HOME nor a locale is in it."""
        ours = {"WORKSPACE": str(self.workspace), "WORKSPACE_TMP": str(self.folder.parent)}
        return {**MINIMAL_ENV, **ours, "LAST9_REFRESH_TOKEN": self.last9.token, "LAST9_TIMEOUT_SECONDS": "60", **more, **self.environment}

    def place_bundle(self) -> None:
        """Put the bundle where an earlier marker has moved it to."""
        shutil.copyfile(BUNDLE, self.bundle)

    def request(self, state: str = "start", pending: Sequence[dict[str, Any]] = (), **attributes: str) -> Path:
        """Write the contract's example of a block's start or stop, for this fake Last9, with what is pending and further attributes."""
        content = json.loads((REQUESTS / f"block-{state}.json").read_text("utf-8"))
        content["options"]["apiBaseUrl"] = self.last9.url
        content["window"]["id"] = WINDOW
        content["pending"] = list(pending)
        content["options"].setdefault("customAttributes", {}).update(attributes)
        path = self.slot / f"request-{uuid.uuid4()}.json"
        path.write_text(json.dumps(content), "utf-8")
        return path

    def step(self, python: str, state: str = "start", *, seconds: str = "60.0", code: str | None = None, **more: Any) -> Done:
        """Run the engine on one request as the launcher does."""
        if not os.path.lexists(self.bundle):
            self.place_bundle()
        request = more.pop("request", None) or self.request(state)
        command = [*more.pop("flags", ()), *self.command(python, request, seconds, self.code if code is None else code)]
        more.setdefault("env", self.environ({}))
        more.setdefault("cwd", self.slot)
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, stdin=subprocess.DEVNULL, **more)
        return self.done(run.returncode, run.stdout, run.stderr, request)

    def command(self, python: str, request: Path, seconds: str = "60.0", code: str = "-") -> list[str]:
        """The words that the launcher starts the engine with."""
        answer = request.name.replace("request", "answer")
        first = [python, "-I", "-S", "-c", FIRST, f"../{self.bundle.name}", SHA256, code, seconds, "2"]
        return [*first, "step", "--request", request.name, "--answer", answer]

    def done(self, code: int, stdout: str, stderr: str, request: Path) -> Done:
        """What a run left, as the library reads it: the answer file goes with it."""
        answer = request.with_name(request.name.replace("request", "answer"))
        written = None
        if answer.is_file():
            assert answer.stat().st_mode & 0o777 == 0o644, "a root in a container must not hide it from the agent"
            written = answer.read_text("utf-8")
            answer.unlink()
            if code == ANSWERED:
                self.code = json.loads(written).get("code", "-")
        return Done(code, stdout, _NOT_OURS.sub("", stderr), written)

    def launch(self, shell: list[str], state: str = "start", bring: bool = True, request: Path | None = None, **environ: str) -> Done:
        """Run the launcher on one request; `bring` the bundle with it as the library does on a node's first marker."""
        request = request or self.request(state)
        process = self.start_launcher(shell, request, bring, **environ)
        stdout, stderr = process.communicate(timeout=240)
        return self.done(process.returncode, stdout, stderr, request)

    def start_launcher(
        self, shell: list[str], request: Path, bring: bool = True, seconds: str = "60.0", chosen: str = "yes", **environ: str
    ) -> subprocess.Popen[str]:
        """Start the launcher as Jenkins does a script without a shebang: by the shell that is set, with -xe."""
        if bring:
            shutil.copyfile(BUNDLE, self.slot / "incoming.pyz")
        identity = request.stem[len("request-") :]
        script = self.folder.parent / f"script-{identity}.sh"
        script.write_text(launcher(LAUNCHER, identity, self.code, seconds, chosen), "utf-8")
        pipe = subprocess.PIPE
        command = [*shell, "-xe", str(script)]
        return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=self.environ(environ), cwd=self.slot)

    def codes(self) -> list[Path]:
        """The files of compiled code."""
        return sorted(self.folder.glob("code-*.bin"))

    def asides(self) -> list[str]:
        """What was begun under another name and has not come into its place."""
        return [path.name for path in self.folder.rglob(".aside-*")]

    def left_over(self) -> list[str]:
        """What should be gone after a run."""
        return [path.name for path in self.slot.iterdir()] + self.asides()


def launcher(path: Path, identity: str, code: str = "-", seconds: str = "60.0", chosen: str = "yes") -> str:
    """A launcher's text with what the library puts into it."""
    text = path.read_bytes().decode("ascii")
    for name, value in {"REQUEST": identity, "BUNDLE": SHA256, "CODE": code, "SECONDS": seconds, "PYTHON": chosen}.items():
        text = text.replace(f"@{name}@", value)
    return text
