"""Asks a controller row by row and tells what came of each."""

from __future__ import annotations

import contextlib
import time
from typing import NamedTuple

from controller import builds, happenings, judge, probe, steps, workplace
from controller.builds import Build, Lost, NeverStarted
from controller.client import Client, ControllerError, Forbidden, Gone, Unreachable, WrongCredentials
from controller.fake_last9 import FakeLast9
from controller.happenings import Happenings, NotHere
from controller.library import Prepared, Source, prepared
from controller.probe import Facts
from controller.rows import Row
from controller.workplace import Workplace

PASSED, FAILED, NOT_RUN = "passed", "FAILED", "not run"


class Limits(NamedTuple):
    """How long things may take, in seconds."""

    queue: float = 120.0
    build: float = 600.0
    #: Between two looks at a build that runs.
    look: float = 0.3


class Outcome(NamedTuple):
    """What came of one row: ``passed``, ``FAILED`` with the differences, or ``not run`` with the reason."""

    name: str
    state: str
    text: str = ""


class Suite:
    """One controller, one fake Last9, one workplace."""

    def __init__(self, client: Client, last9: FakeLast9, place: Workplace, source: Source, limits: Limits) -> None:
        self._client = client
        self._last9 = last9
        self._place = place
        self._source = source
        self._limits = limits

    def look(self) -> Facts:
        """What the controller is, by one pipeline besides its API. ``said`` has ``unfit`` where that pipeline did not get to its end."""
        version, plugins, agents = probe.ask(self._client)
        said: dict[str, str] = {}
        try:
            build = self._begin(self._place.make("what-the-controller-is", workplace.job_xml(probe.pipeline(self._last9.url))), {})
            result = self._follow(build, None)
            console = build.console() if result else []
            said = probe.said_by(console)
            if result != "SUCCESS":
                said["unfit"] = f"the first pipeline ended {result or f'not within {self._limits.build:.0f} s: is there an agent?'}" + _log(
                    console
                )
        except (NeverStarted, Lost) as error:
            said["unfit"] = str(error)
        return Facts(version, plugins, agents, said)

    def why_not(self, facts: Facts) -> str | None:
        """Why no row at all can be asked; ``None``: they can."""
        return self._place.no_credential or facts.said.get("unfit") or probe.unfit(facts.said)

    def ask(self, row: Row, facts: Facts) -> Outcome:
        """One row. Raises only what ends the whole suite: wrong credentials, a controller that is gone."""
        try:
            happenings.check(row)
            others = happenings.other_jobs(row)
            if others and not self._place.folder:
                raise NotHere("its other jobs need a folder, and the controller has none for us")
            lacking = facts.lacks(row)
            if lacking:
                raise NotHere(lacking)
            return self._judged(row, prepared(happenings.held_up(row), self._source, facts.has_library), others)
        except NotHere as reason:
            return Outcome(row.name, NOT_RUN, str(reason))
        except (WrongCredentials, Unreachable):
            raise
        except ControllerError as error:
            return Outcome(row.name, NOT_RUN if isinstance(error, Forbidden) else FAILED, str(error))

    def run_to_the_end(self, job: str) -> tuple[str | None, int]:
        """Run one build of a job that is there; its result and number."""
        build = self._begin(job, {})
        return self._follow(build, None), build.number

    def _judged(self, row: Row, ready: Prepared, others: dict[str, str]) -> Outcome:
        self._last9.reset()
        made = [self._place.make(name, workplace.job_xml(script)) for name, script in others.items()]
        superseded = any(happening.what == "superseded" for happening in row.happenings)
        xml = workplace.job_xml(ready.jenkinsfile, parameters=tuple(row.parameters), abort_previous=superseded)
        made.append(self._place.make(row.name, xml))
        doing = Happenings(row, self._client, self._last9)
        try:
            doing.before()
            build = self._begin(made[-1], row.parameters)
            result = self._follow(build, doing)
            if result is None:
                return Outcome(row.name, FAILED, f"the build did not end within {self._limits.build:.0f} s")
            console = build.console()
            if doing.newer:
                doing.newer.end()
            came = judge.Evidence(result, console, self._steps(build, ready.library_steps), self._own(build), (self._last9.refresh_token,))
            build.artifacts()
            found = doing.left() + judge.differences(row, came)
            return Outcome(row.name, FAILED, "\n".join(found) + _log(console)) if found else Outcome(row.name, PASSED)
        finally:
            self._last9.well()
            self._place.end_what_runs()
            for full in made:
                with contextlib.suppress(ControllerError):
                    self._place.remove(full)

    def _begin(self, job: str, parameters: dict[str, str]) -> Build:
        item = builds.start(self._client, job, parameters)
        return builds.begun(self._client, job, item, self._limits.queue)

    def _follow(self, build: Build, doing: Happenings | None) -> str | None:
        """Until it is over; its result, ``None`` if it had to be ended by force."""
        until = time.monotonic() + self._limits.build
        result = None
        while result is None and time.monotonic() < until:
            result = build.result()  # before the log: what was written until then is in it
            for line in build.new_lines():
                if doing:
                    doing.seen(line, build)
            if result is None:
                time.sleep(self._limits.look)
        if result is None:
            build.end()
        return result

    def _steps(self, build: Build, library_steps: int) -> str | None:
        nodes = steps.flow_nodes(build.annotated_console())
        if not nodes:
            return "none: the controller marks no steps in its log"
        with contextlib.suppress(Gone):
            return steps.line_of_steps(nodes, lambda node: steps.is_failed(node.text, build.node_color(node.id)), library_steps)
        return "unknown: the controller does not tell flow nodes (execution/node)"

    def _own(self, build: Build) -> list[judge.Event]:
        """The markers of this build: a newer one that has aborted it sends its own."""
        number = str(build.number)
        return [event for event in self._last9.received() if event["attributes"].get("jenkins.build_number", number) == number]


def _log(console: list[str]) -> str:
    return "\nthe log was:\n" + "\n".join(console) if console else ""


def summary(outcomes: list[Outcome]) -> str:
    """The last line: ``N passed, N failed``, and how many were not run."""
    counts = {state: sum(outcome.state == state for outcome in outcomes) for state in (PASSED, FAILED, NOT_RUN)}
    return f"{counts[PASSED]} passed, {counts[FAILED]} failed" + (f", {counts[NOT_RUN]} not run" if counts[NOT_RUN] else "")


def exit_code(outcomes: list[Outcome]) -> int:
    """1 if any row failed; 2 if none did, but none passed either: nothing was shown."""
    if any(outcome.state == FAILED for outcome in outcomes):
        return 1
    return 0 if any(outcome.state == PASSED for outcome in outcomes) else 2
