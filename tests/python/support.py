"""What the engine's tests share: a request to start from, a clock to turn by hand, and ways to run the engine."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from last9_markers.core.log import BuildLog
from last9_markers.core.redaction import Redactor
from last9_markers.fake_server import FakeLast9
from last9_markers.request.context import Context
from last9_markers.request.contract import CONTRACT, Answer, Kept, parse, still_pending
from last9_markers.runner.send_marker import MarkerHandler
from last9_markers.runner.serve import ANSWERED

ROOT = Path(__file__).resolve().parents[2]

WINDOW = "0b9f6a0e-5a3c-4c58-9d7a-3f2f7d1c0001"
STARTED_MS = 1790000000123
STOPPED_MS = 1790000060123
STARTED = "2026-09-21T14:13:20.123Z"
STOPPED = "2026-09-21T14:14:20.123Z"

#: Variables that no test may inherit from its machine.
FOREIGN = ("LAST9_", "JENKINS_", "GIT_", "BUILD_", "JOB_", "NODE_", "STAGE_", "SSL_CERT_", "REQUESTS_CA_", "CURL_CA_")
FOREIGN_NAMES = ("JENKINS_HOME", "WORKSPACE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSLKEYLOGFILE")

#: An agent's environment with nothing of a build in it, and no git configuration but its own.
MINIMAL_ENV = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


class ManualClock:
    """A clock that moves only when told to; sleeping on it is free."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Seconds that only grow."""
        return self.now

    def wall(self) -> float:
        """Seconds since 1970: a moment of 2026."""
        return 1790000000.0 + self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.now += seconds


class AgentClock(ManualClock):
    """The same on a machine whose files are all new: what a test writes is never older than its build, however slow the test."""

    began = time.time()

    def wall(self) -> float:
        """Seconds since 1970: when the tests began."""
        return self.began


class Loopback:
    """Hands each connection to a loopback port to a function, on a thread of its own.

    The accepting thread is waited for before the port is closed: otherwise it may still accept, on a file descriptor that by then
    belongs to the server of the next test, and steal its first connection (seen under load).
    """

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._one, args=(peer,), daemon=True).start()

    def _one(self, peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            self._serve(peer)


class RunResult(NamedTuple):
    """A request that was handled in this process: its answer, and its log."""

    answer: Answer
    log: str
    given: tuple[Kept, ...]

    @property
    def pending(self) -> list[str]:
        """The texts of the markers that are still pending, oldest first, its own last."""
        assert self.answer.pending is not None
        return [kept.text for kept in self.answer.pending.of(self.given)]


class StepResult(NamedTuple):
    """A ``step`` command that has ended."""

    code: int
    stdout: str
    stderr: str
    seconds: float
    given: tuple[Kept, ...] = ()

    @property
    def pending(self) -> list[str]:
        """The texts of the markers that are still pending, oldest first, its own last."""
        found = still_pending(self.answer.get("pending"))
        assert found is not None, self
        return [kept.text for kept in found.of(self.given)]

    @property
    def answer(self) -> dict[str, Any]:
        """The one answer line."""
        lines = self.stdout.splitlines()
        assert len(lines) == 1, self
        assert lines[0].startswith(f'{{"last9Answer":{CONTRACT},'), self
        found: dict[str, Any] = json.loads(lines[0])
        return found


def patience() -> float:
    """Seconds that a process may be late on a machine as busy as this one: on a quiet one next to none."""
    return 1.0 + 3.0 * os.getloadavg()[0] / (os.cpu_count() or 1)


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so; fail where it does not come to be."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.01)


class Field(NamedTuple):
    """A connection field as a test wants it: its value, whether a build parameter chose it, and what ``last9Config`` says of it."""

    value: str
    chosen: bool
    configured: str | None


def field(value: str, *, chosen: bool = False, configured: str | None = None) -> Field:
    """One connection field for :func:`make_request`: an option, or with ``chosen`` a build parameter that an option names."""
    return Field(value, chosen, configured)


def kept(*texts: str) -> list[dict[str, Any]]:
    """Markers from before, as a request has them."""
    return [{"text": text, "failures": 0} for text in texts]


def _causes(key: str, value: Any) -> Any:
    """Causes as Jenkins' ``getBuildCauses().toString()`` has them, those of each upstream build a text; any other fact as it is."""
    if not isinstance(value, list) or key not in ("causes", "upstreamCauses"):
        return value
    return json.dumps(value) if key == "causes" else [json.dumps([cause]) for cause in value]


def make_request(state: str = "start", **changes: Any) -> dict[str, Any]:
    """A block's request; ``changes`` replace whole keys (``None`` removes one), ``options`` and ``build`` are merged.

    ``connection`` (name → :func:`field`) becomes options, and parameters that they name; ``pending`` may be texts, ``causes`` lists.
    """
    for name, given in (changes.pop("connection", None) or {}).items():
        option = {name + "Param": name.upper()} if given.chosen else {name: given.value}
        changes["options"] = {**option, **(changes.get("options") or {})}
        if given.chosen:
            changes["parameters"] = {name.upper(): given.value, **(changes.get("parameters") or {})}
        if name == "credentialId":
            changes["credential"] = {"value": given.value, "source": "option"}
        if given.configured:
            changes["config"] = {name: given.configured, **(changes.get("config") or {})}
    if isinstance(changes.get("pending"), (list, tuple)):
        changes["pending"] = [kept(entry)[0] if isinstance(entry, str) else entry for entry in changes["pending"]]
    if isinstance(changes.get("build"), dict):
        changes["build"] = {key: _causes(key, value) for key, value in changes["build"].items()}
    found: dict[str, Any] = {
        "contract": CONTRACT,
        "step": "withLast9Deployment",
        "timestampMs": STARTED_MS if state == "start" else STOPPED_MS,
        "window": {"id": WINDOW, "startedAtMs": STARTED_MS},
        "options": {"serviceName": "payments-api", "environment": "production", "eventState": state},
        "credential": {"value": "last9-refresh-token", "source": "default"},
        "build": {"result": None, "currentResult": "SUCCESS", "durationMs": 1500, "startTimeMs": 1789999998623},
        "pending": [],
    }
    if state == "stop":
        found["body"] = {"ended": "returned", "resultBefore": None, "resultAfter": None}
    for key, value in changes.items():
        found[key] = {**found[key], **value} if value and key in ("options", "build") else value
    return {key: value for key, value in found.items() if value is not None}


def run_marker(
    request: Mapping[str, Any],
    token: str | None,
    *,
    environ: Mapping[str, str] | None = None,
    clock: Any = None,
    transport: httpx.BaseTransport | None = None,
    git: bool = False,
) -> RunResult:
    """Run the engine in this process, as ``step`` does, without its watchdog.

    Only with ``git`` it is on an agent that has it, with an :class:`AgentClock`, and the step's folder, if the request names none, is the
    current one.
    """
    log = io.StringIO()
    if git and "folder" not in request:
        request = {**request, "folder": os.getcwd()}
    agent = {**(MINIMAL_ENV if git else {"PATH": "/nowhere"}), **(environ or {})}
    context = Context(agent, token, clock or (AgentClock() if git else ManualClock()), BuildLog(log, Redactor()), transport)
    asked = parse(json.dumps(request))
    answer = MarkerHandler(asked, context).run()
    return RunResult(answer, log.getvalue(), asked.pending)


def send_one(last9: FakeLast9, request: Mapping[str, Any], **context: Any) -> dict[str, Any]:
    """Deliver a request to the fake Last9 and return the one event that it took."""
    before = len(last9.received())
    ran = run_marker(request, last9.refresh_token, **context)
    assert ran.answer.delivered, ran.log
    (event,) = last9.received()[before:]
    return event


def attributes_of(last9: FakeLast9, request: Mapping[str, Any], **context: Any) -> dict[str, str]:
    """The attributes with which a request arrived."""
    found: dict[str, str] = send_one(last9, request, **context)["attributes"]
    return found


def engine(arguments: list[str], *, environ: Mapping[str, str] | None = None, cwd: Path | None = None, timeout: float = 240) -> StepResult:
    """Run a command of the engine as a process of its own."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "last9_markers", *arguments],
        env={**MINIMAL_ENV, "PYTHONPATH": str(ROOT / "python"), **(environ or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    seconds = time.monotonic() - began
    return StepResult(done.returncode, done.stdout.decode(), done.stderr.decode(), seconds)


def run_step(request: Mapping[str, Any] | str, token: str | None, folder: Path, *, environ: Mapping[str, str] | None = None) -> StepResult:
    """Run ``step`` as the launcher does: request and answer in files, token in the environment, an empty folder as workspace.

    ``stdout`` of what is returned is the answer file's text.
    """
    path = folder / "request.json"
    path.write_text(request if isinstance(request, str) else json.dumps(request), encoding="utf-8")
    workspace = folder / "workspace"
    workspace.mkdir(exist_ok=True)
    secret = {} if token is None else {"LAST9_REFRESH_TOKEN": token}
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    done = engine(["step", "--request", str(path), "--answer", str(answer)], environ={**(environ or {}), **secret}, cwd=workspace)
    assert done.stdout == "", done
    pending = request.get("pending") if isinstance(request, Mapping) else None
    return done._replace(
        stdout=answer.read_text("ascii") if done.code == ANSWERED else "",
        given=tuple(Kept(entry["text"], entry["failures"]) for entry in pending or []),
    )


#: A marker from a shell.
SEND = ["send", "--service-name", "payments-api", "--environment", "production"]


def send(last9: FakeLast9, folder: Path, *words: str, **environ: str) -> StepResult:
    """Run ``send`` in a folder with the fake Last9's token."""
    return engine([*SEND, *words], environ={"LAST9_REFRESH_TOKEN": last9.refresh_token, **environ}, cwd=folder)
