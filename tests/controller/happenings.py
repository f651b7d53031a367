"""What is done to a build while it runs, as the ``does:`` lines of its row say: by the controller's buttons and the fake Last9's faults."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from typing import Protocol

from controller import builds
from controller.builds import Build, NeverStarted
from controller.client import Client
from controller.rows import WORDS, Happening, Row

_INPUT = re.compile(r"\binput\b[^\n]*?'([^'\n]+)'")
#: Jenkins writes logs with a delay of up to a second or two, and we look at them a few times a second.
_HOLD = "for (long end = System.currentTimeMillis() + 5000; System.currentTimeMillis() < end;) { }"
#: What the controller does; of the rest, `job` is there beforehand, and everything else is ordered from the fake Last9.
_PRESSED = ("stop", "superseded", "reject", "restart")
_SENDING = "[Last9] Sending deployment marker"


class Last9(Protocol):
    """What is needed of the fake Last9."""

    def order(self, faults: str) -> None:
        """Order faults, as JSON."""

    def well(self) -> None:
        """Forget faults."""

    def somebody_waits(self) -> bool:
        """Whether a request is without an answer."""


class NotHere(Exception):
    """A row that this controller, or any controller by its API, cannot be asked; the text is the reason."""


def check(row: Row) -> None:
    """Raises :exc:`NotHere` for what no API can do."""
    if any(happening.what == "restart" for happening in row.happenings):
        raise NotHere("it needs a restart of the controller in the middle of a step, which the API cannot do")


def is_fault(happening: Happening) -> bool:
    """Whether it happens to Last9, its end included, and not to the build."""
    return happening.what not in (*_PRESSED, "job")


class Happenings:
    """Watches the log of one build and does what is due."""

    def __init__(self, row: Row, client: Client, last9: Last9, sleep: Callable[[float], None] = time.sleep) -> None:
        self._row = row
        self._client = client
        self._last9 = last9
        self._sleep = sleep
        self._faults = [happening for happening in row.happenings if is_fault(happening)]
        self._pressed = [happening for happening in row.happenings if happening.what in _PRESSED]
        self._slow = False
        self._steps: dict[str, int] = {}
        #: A build that was started to take the place of this one.
        self.newer: Build | None = None

    def before(self) -> None:
        """What is so from the start."""
        while self._faults and self._faults[0].after is None:
            self._begin(self._faults.pop(0))

    def seen(self, line: str, build: Build) -> None:
        """A line of the log has come."""
        if self._slow and line.startswith(_SENDING):
            self._until_somebody_waits(build)
            self._slow = False
        if line.startswith("[Pipeline] "):
            step = line.split()[1] if len(line.split()) > 1 else ""
            self._steps[step] = self._steps.get(step, 0) + 1
        if self._faults and str(self._faults[0].after) in line:
            self._begin(self._faults.pop(0))
        if self._pressed and self._is_due(self._pressed[0], line):
            self._press(self._pressed.pop(0), build)

    def left(self) -> list[str]:
        """What was to happen and never did: the moment for it did not come, so the build has proved nothing."""
        return [
            f"{happening.what} did not happen: the log had no '{happening.after or happening.during}'"
            for happening in self._pressed + self._faults
        ]

    def _is_due(self, happening: Happening, line: str) -> bool:
        if happening.during:
            step, number = happening.during
            return self._steps.get(step, 0) >= number
        return str(happening.after) in line

    def _begin(self, happening: Happening) -> None:
        self._last9.well()
        self._slow = happening.what == "slow"
        if happening.what != "well":
            self._last9.order(WORDS[happening.what])

    def _until_somebody_waits(self, build: Build) -> None:
        """A line announces something that has not happened yet: other events come while Last9 keeps a request waiting."""
        until = time.monotonic() + 60
        while not self._last9.somebody_waits() and time.monotonic() < until and build.result() is None:
            self._sleep(0.05)

    def _press(self, happening: Happening, build: Build) -> None:
        if happening.what == "stop":
            build.stop()
        elif happening.what == "reject":
            build.reject(input_id(self._row.jenkinsfile))
        else:
            self._supersede(build)

    def _supersede(self, build: Build) -> None:
        """A newer build begins, which aborts this one; it is then stopped itself, and what it sends is not this row's."""
        item = builds.start(self._client, build.job)
        try:
            self.newer = builds.begun(self._client, build.job, item, limit=60)
        except NeverStarted:
            return  # the row's result tells that nothing took this build's place
        self.newer.stop()


def held_up(row: Row) -> str:
    """Its Jenkinsfile, which stands still after each `echo` that a fault waits for.

    The runner's log listener holds a build up until the fault is ordered; a controller's build would be past the next marker by then.
    It waits in Groovy, which is not a step: the row's steps do not change. If something is pressed after the same text, the
    build waits anyway.
    """
    pressed = {happening.after for happening in row.happenings if not is_fault(happening)}
    jenkinsfile = row.jenkinsfile
    for text in {happening.after for happening in row.happenings if happening.after} - pressed:
        jenkinsfile = jenkinsfile.replace(f"echo '{text}'", f"echo '{text}'; {_HOLD}")
    return jenkinsfile


def input_id(jenkinsfile: str) -> str:
    """The id that Jenkins gives to an ``input`` without one.

    It is the MD5 of the message, its first letter a capital (pipeline-input-step: InputStep.getId).
    """
    match = _INPUT.search(jenkinsfile)
    if match is None:
        raise NotHere("its Jenkinsfile has no input with a message to say no to")
    digest = hashlib.md5(match[1].encode(), usedforsecurity=False).hexdigest()
    return digest[0].upper() + digest[1:]


def other_jobs(row: Row) -> dict[str, str]:
    """The jobs that its ``build`` step starts: name → a Jenkinsfile that ends so."""
    ends = {"SUCCESS": "echo 'done'", "UNSTABLE": "unstable 'as asked'", "FAILURE": "error 'as asked'"}
    found = {}
    for happening in row.happenings:
        if happening.job:
            name, result = happening.job
            if result not in ends:
                raise NotHere(f"no job of the suite can end {result}")
            found[name] = ends[result]
    return found
