"""What the tests of the bundle share: the interpreters at hand, a stand-in for Last9 out of the bundle, and an agent to run it on.

Nothing here imports the engine: what is tested is the file that the library brings to an agent.
"""

from __future__ import annotations

import functools
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "resources" / "last9" / "last9-markers.pyz"
LAUNCHER = ROOT / "resources" / "last9" / "run.sh"
REQUESTS = ROOT / "tests" / "contract" / "requests"
PROMISED = ("3.9", "3.10", "3.11", "3.12", "3.13")
TOO_OLD = ("2.7", "3.6", "3.7", "3.8")
ABSOLUTE = "/usr/bin/python3 /usr/local/bin/python3"

_PROBE = "import sys; sys.stdout.write('%d.%d %s' % (sys.version_info[0], sys.version_info[1], sys.executable))"


@functools.lru_cache(maxsize=None)
def interpreters() -> dict[str, str]:
    """CPython's versions found here, each with the path of its interpreter."""
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


def usable() -> dict[str, str]:
    """The promised versions found here, oldest first."""
    return {version: interpreters()[version] for version in PROMISED if version in interpreters()}


def too_old() -> dict[str, str]:
    """Older versions found here: real ones beside the imitations."""
    return {version: interpreters()[version] for version in TOO_OLD if version in interpreters()}


def newest() -> str:
    """The newest promised interpreter found here; without any, the one that runs the tests."""
    return ([sys.executable, *usable().values()])[-1]


class Last9:
    """A stand-in out of the bundle, run by one of the interpreters."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen([python, "-I", "-S", str(BUNDLE), "standin", "--port", "0"], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.first_line = json.loads(self._process.stdout.readline())
        self.url: str = self.first_line["url"]
        self.token: str = self.first_line["refreshToken"]

    def received(self) -> list[dict[str, Any]]:
        """The events that it took."""
        return self._call("GET", "/received")

    def requests(self) -> list[dict[str, Any]]:
        """Every API request that reached it."""
        return self._call("GET", "/requests")

    def hang(self) -> None:
        """Answer nobody for half a minute."""
        self._call("POST", "/faults", [{"on": "any", "delay": 30}])

    def start_afresh(self) -> None:
        """Be well, and forget what came."""
        self._call("DELETE", "/faults")
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


class Agent:
    """A node's workspace with its temporary folder and its environment, as the library finds them."""

    def __init__(self, folder: Path, last9: Last9, python: str, workspace: str = "workspace") -> None:
        self.last9 = last9
        self.python = python
        self.home = folder / "home"
        self.workspace = folder / workspace
        self.temporary = folder / f"{workspace}@tmp"
        self.folder = self.temporary / "last9"
        self.programs = folder / "programs"
        for made in (self.home, self.workspace, self.folder, self.programs):
            made.mkdir(parents=True)
        for name in ("mv", "rm", "git"):
            tool = shutil.which(name)
            if tool:
                (self.programs / name).symlink_to(tool)
        self.environment = {
            "PATH": str(self.programs),
            "HOME": str(self.home),
            "LANG": "C",
            "WORKSPACE": str(self.workspace),
            "WORKSPACE_TMP": str(self.temporary),
            "JOB_NAME": "shop/payments",
            "LAST9_REFRESH_TOKEN": last9.token,
        }

    def install(self, name: str, python: str = "") -> Path:
        """Put an interpreter on the agent's PATH."""
        link = self.programs / name
        link.symlink_to(python or self.python)
        return link

    def imitate(self, name: str, code: int) -> Path:
        """Put a program on the PATH that complains on stderr and ends with `code`; it notes that it was run."""
        script = self.programs / name
        script.write_text(f'#!/bin/sh\n: > "$0.ran"\necho "usage: {name} unknown option -I" >&2\nexit {code}\n', "utf-8")
        script.chmod(0o755)
        return script

    def request(self, example: str = "block-start.json") -> Path:
        """Write a request from the contract's examples, for this stand-in and a window of its own."""
        content = json.loads((REQUESTS / example).read_text("utf-8"))
        content["connection"]["apiBaseUrl"].update(value=self.last9.url, trusted=[self.last9.url])
        content["options"]["timeoutSeconds"] = "60"
        identity = str(uuid.uuid4())
        content["window"]["id"] = identity
        path = self.folder / f"request-{identity}.json"
        path.write_text(json.dumps(content), "utf-8")
        return path

    def engine(self, request: Path, *flags: str, **changes: Any) -> subprocess.Popen[str]:
        """Start the engine as the launcher does, without the launcher."""
        environment = {**self.environment, "LAST9_CACHE_DIR": str(self.folder), **changes.pop("environment", {})}
        command = [*changes.pop("through", []), self.python, *(flags or ("-I", "-S")), str(BUNDLE), "step", "--request", str(request)]
        changes.setdefault("cwd", self.workspace)
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **changes)

    def launcher(self, request: Path, edit: Callable[[str], str] = str) -> Path:
        """Write the launcher's script for a request, and the bundle beside it, as the library does on a node's first marker."""
        identity = request.stem[len("request-") :]
        shutil.copyfile(BUNDLE, self.folder / f"incoming-{identity}.pyz")
        digest = hashlib.sha256(BUNDLE.read_bytes()).hexdigest()
        script = self.temporary / f"script-{identity}.sh"
        text = LAUNCHER.read_text("utf-8").replace("@REQUEST@", identity).replace("@BUNDLE@", digest)
        script.write_text(edit(text), "utf-8")
        script.chmod(0o755)
        return script

    def launch(self, request: Path, shell: str = "/bin/sh", edit: Callable[[str], str] = str, **changes: Any) -> subprocess.Popen[str]:
        """Start the launcher as Jenkins does."""
        command = [shell, str(self.launcher(request, edit))]
        return subprocess.Popen(
            command, cwd=self.workspace, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **changes
        )

    def caches(self) -> list[Path]:
        """The folders that the bundle has unpacked itself to."""
        return [path for path in self.folder.iterdir() if len(path.name) == 16]

    def files(self) -> list[str]:
        """What lies in the agent's folder, cache apart, by name."""
        return sorted(path.name for path in self.folder.iterdir() if path not in self.caches())


def answer_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the answer and see that stdout held it and nothing else."""
    output, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert output.startswith('{"last9Answer":1,'), output + log
    assert output.count("\n") == 1, output
    answer: dict[str, Any] = json.loads(output)
    return {**answer, "log": log}


def without_python(text: str) -> str:
    """Let the launcher look for nothing outside the PATH: a test cannot take /usr/bin/python3 away."""
    assert text.count(ABSOLUTE) == 1
    return text.replace(ABSOLUTE, "/nonexistent/python3")


def processes_naming(text: str) -> dict[int, str]:
    """The processes whose arguments hold a text."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            arguments = Path(path).read_bytes().decode("utf-8", "replace")
        except OSError:
            continue
        if text in arguments:
            found[int(path.split("/")[2])] = arguments.replace("\0", " ")
    return found


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    """Whether the condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.002)
    return False
