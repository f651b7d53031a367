"""Jobs and builds over the client: create, start, follow, stop, delete."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from typing import TypeVar

from controller.client import Client, ControllerError, Gone, NotJenkins, job_path

T = TypeVar("T")
#: What the Timestamper plugin puts before each line where it is on for all Pipelines (its GlobalDecorator): no part of what was said.
_STAMP = re.compile(r"^\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] ")
_QUEUE_ITEM = re.compile(r"/queue/item/(\d+)")


class NeverStarted(ControllerError):
    """The queue did not let the build begin, or someone took it out."""


class Lost(Gone):
    """The build was deleted while it was followed."""


class Build:
    """One build under way: number, log as far as it is known, how it ended."""

    def __init__(self, client: Client, job: str, number: int) -> None:
        self._client = client
        self.job = job
        self.number = number
        self.path = f"{job_path(job)}/{number}"
        self._size = 0
        self._rest = b""

    def new_lines(self) -> list[str]:
        """The lines of the log that have come since the last call; one that is still being written waits for its end."""
        piece = self._look(lambda: self._client.log_piece(self.path, self._size))
        if piece.size < self._size:  # a log that was lost and is written anew: what it held has been seen
            self._rest = b""
        self._size = piece.size
        *lines, self._rest = (self._rest + piece.content).split(b"\n")
        return [_said(line) for line in lines]

    def result(self) -> str | None:
        """The result if the build is over."""
        state = self._look(lambda: self._client.get_json(self.path, tree="building,inProgress,result"))
        over = not state.get("building") and not state.get("inProgress")
        return str(state["result"]) if over and state.get("result") else None

    def console(self) -> list[str]:
        """The whole log of a build that is over. Raises if its last line has not come: a log that is cut must not be judged."""
        for _ in range(20):
            text = self._look(lambda: self._client.get_bytes(f"{self.path}/consoleText"))
            lines = [_said(line) for line in text.removesuffix(b"\n").split(b"\n")]
            if lines[-1].startswith("Finished: "):
                return lines
            time.sleep(0.25)  # the result is set a moment before the last line is written
        raise NotJenkins(f"the log of {self.job} #{self.number} has no end: its last line is '{lines[-1]}'")

    def annotated_console(self) -> str:
        """The log as HTML, where each flow node has its id."""
        return self._look(lambda: self._client.log_piece(self.path, 0, "progressiveHtml")).content.decode("utf-8", "replace")

    def node_color(self, number: str) -> str:
        """The icon colour of one flow node: blue, red, yellow, aborted."""
        return str(self._client.get_json(f"{self.path}/execution/node/{number}", tree="iconColor")["iconColor"])

    def artifacts(self) -> list[str]:
        """What was archived, relative paths; each is fetched once, so that it is known to be there."""
        listed = self._look(lambda: self._client.get_json(self.path, tree="artifacts[relativePath]"))
        paths = [artifact["relativePath"] for artifact in listed.get("artifacts", [])]
        for path in paths:
            self._client.get_bytes(f"{self.path}/artifact/{path}")
        return paths

    def stop(self) -> None:
        """Press the stop button."""
        with contextlib.suppress(Gone):
            self._client.post(f"{self.path}/stop")

    def reject(self, input_id: str) -> None:
        """Say no to an input."""
        self._client.post(f"{self.path}/input/{input_id}/abort")

    def end(self, seconds: float = 60.0) -> None:
        """Stop it, by force if it does not end: stop, term, kill, each for a third of that time."""
        for means in ("stop", "term", "kill"):
            until = time.monotonic() + seconds / 3
            with contextlib.suppress(Gone):
                if self.result() is not None:
                    return
                self._client.post(f"{self.path}/{means}")
                while time.monotonic() < until:
                    if self.result() is not None:
                        return
                    time.sleep(0.5)

    def _look(self, look: Callable[[], T]) -> T:
        try:
            return look()
        except Gone:
            raise Lost(f"{self.job} #{self.number} is not there any more: someone has deleted it") from None


def _said(line: bytes) -> str:
    """A line of the log as the build has said it."""
    return _STAMP.sub("", line.decode("utf-8", "replace"), count=1).rstrip("\r")


def start(client: Client, job: str, parameters: dict[str, str] | None = None) -> int:
    """Start a build; the number of its queue item."""
    answer = client.post(f"{job_path(job)}/buildWithParameters" if parameters else f"{job_path(job)}/build", form=parameters, delay="0sec")
    # The address has the controller's configured root URL, which may differ from ours: only the number is used.
    match = _QUEUE_ITEM.search(answer.headers.get("Location", ""))
    if match is None:
        raise NotJenkins(f"a build of {job} was started, but no queue item was named")
    return int(match[1])


def begun(client: Client, job: str, item: int, limit: float) -> Build:
    """The build that a queue item becomes.

    Raises :exc:`NeverStarted` after ``limit`` seconds, with what Jenkins says about it, or if someone has cancelled it.
    """
    until = time.monotonic() + limit
    why = ""
    while True:
        try:
            state = client.get_json(f"/queue/item/{item}", tree="cancelled,why,executable[number]")
        except Gone:  # a restart forgets the items of builds that have begun
            return _newest(client, job, item)
        if state.get("cancelled"):
            raise NeverStarted(f"{job}: somebody has cancelled it in the queue")
        if state.get("executable"):
            return Build(client, job, state["executable"]["number"])
        why = state.get("why") or why
        if time.monotonic() >= until:
            cancel(client, item)
            raise NeverStarted(f"{job} still waits in the queue after {limit:.0f} s: {why or 'Jenkins does not say why'}")
        time.sleep(0.25)


def _newest(client: Client, job: str, item: int) -> Build:
    state = client.get_json(job_path(job), tree="lastBuild[number,queueId]")
    newest = state.get("lastBuild")
    if not newest or newest.get("queueId", item) != item:
        raise NeverStarted(f"{job}: its queue item is gone, and no build came of it")
    return Build(client, job, newest["number"])


def cancel(client: Client, item: int) -> None:
    """Take an item out of the queue, if it is still there."""
    with contextlib.suppress(ControllerError):
        client.post("/queue/cancelItem", id=str(item))
