"""``make controller``: see README.md.

Reads JENKINS_URL, JENKINS_USER, JENKINS_TOKEN, ONLY, COST and LIBRARY_REPOSITORY from the environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType
from urllib.parse import urlsplit

from controller import workplace
from controller.client import Client, ControllerError, Gone, job_path
from controller.cost import CURL, medians, pipeline, table
from controller.fake_last9 import FakeLast9
from controller.library import Source, prepared
from controller.library_repository import BRANCH, LibraryRepository, NotAtHand
from controller.probe import Facts
from controller.rows import Row, all_rows, chosen, strays
from controller.suite import NOT_RUN, Limits, Outcome, Suite, exit_code, summary
from controller.workplace import Workplace


class Speaker:
    """Prints, and never a secret, even if answers or logs contain one."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = [secret for secret in secrets if secret]

    def say(self, text: str = "") -> None:
        """A line, or several."""
        for secret in self.secrets:
            text = text.replace(secret, "****")
        print(text, flush=True)


def main(environment: dict[str, str], limits: Limits | None = None, patience: float = 300.0) -> int:
    """0: rows passed and none failed; 1: some failed; 2: nothing could be asked."""
    url = environment.get("JENKINS_URL", "").strip()
    speaker = Speaker(environment.get("JENKINS_TOKEN", ""))
    rows = all_rows()
    wrong = _wrong(url, environment.get("LIBRARY_REPOSITORY", ""), strays(rows, environment.get("ONLY", "")))
    if wrong:
        speaker.say(wrong)
        return 2
    rows = chosen(rows, environment.get("ONLY", ""))
    client = Client(url, environment.get("JENKINS_USER", ""), environment.get("JENKINS_TOKEN", ""), patience=patience, waiting=speaker.say)
    with contextlib.closing(client), contextlib.ExitStack() as stack:
        stack.enter_context(_ended_by_signals())
        try:
            return _on(client, environment, rows, speaker, limits or Limits())
        except ControllerError as error:
            speaker.say(f"The controller cannot be asked: {error}")
            return 2
        except NotAtHand as error:
            speaker.say(f"Nothing can be asked: {error}")
            return 2
        except KeyboardInterrupt:
            speaker.say("Interrupted.")
            return 130


def _wrong(url: str, library: str, stray: list[str]) -> str | None:
    """What is wrong with the settings. Addresses are printed, and the library's stands in jobs: none may hold a secret."""
    if not _is_address(url):
        return "Name a controller: make controller JENKINS_URL=http://127.0.0.1:8080"
    if "@" in urlsplit(url).netloc:
        return "JENKINS_URL holds a user or a password: give them as JENKINS_USER and JENKINS_TOKEN."
    if library.startswith(("http://", "https://")) and "@" in library.split("/")[2]:
        return "LIBRARY_REPOSITORY holds a user or a password, which jobs would show: name a repository that can be read without."
    return f"No row is called ONLY={' '.join(stray)}; they are examples/… and shapes/…" if stray else None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        return False


def _on(client: Client, environment: dict[str, str], rows: list[Row], speaker: Speaker, limits: Limits) -> int:
    place = None
    try:
        with FakeLast9() as last9, LibraryRepository() as repository:
            speaker.secrets.append(last9.refresh_token)
            client.version()  # before anything is made: is this a Jenkins, and may we speak to it?
            source = _source(environment, repository)
            place = Workplace(client, last9.refresh_token)
            for name in place.earlier():
                speaker.say(f"Left by an earlier run, unless one is under way: {name}")
            with place:
                suite = Suite(client, last9, place, source, limits)
                facts = suite.look()
                for line in facts.lines():
                    speaker.say(line)
                speaker.say(_library_line(facts, source, repository))
                if environment.get("COST", "") not in ("", "0"):
                    return _cost(suite, facts, client, place, last9, source, speaker)
                return _ask(suite, facts, rows, speaker)
    finally:
        for left in dict.fromkeys(place.left) if place else []:
            speaker.say(f"LEFT on the controller, please remove: {left}")


def _source(environment: dict[str, str], repository: LibraryRepository) -> Source:
    """``LIBRARY_REPOSITORY=URL`` or ``URL@VERSION``: a repository that the controller can reach, if it cannot reach ours."""
    given = environment.get("LIBRARY_REPOSITORY", "")
    if not given:
        return Source(repository.url, BRANCH)
    url, _, version = given.rpartition("@")
    return Source(url, version) if url and "/" not in version else Source(given, "main")


def _library_line(facts: Facts, source: Source, repository: LibraryRepository) -> str:
    if facts.has_library:
        return "Library: the one that the controller has as 'last9' (its default version, which need not be this checkout)"
    own = source.url == repository.url
    what = f"commit {repository.commit[:10]} of this checkout, served at {source.url}" if own else f"{source.version} of {source.url}"
    changes = "; changes that are not committed are not in it" if own and repository.dirty else ""
    return f"Library: {what}, by the library step, in the sandbox{changes}"


def _ask(suite: Suite, facts: Facts, rows: list[Row], speaker: Speaker) -> int:
    why_not = suite.why_not(facts)
    outcomes: list[Outcome] = []
    try:
        for row in rows:
            began = time.monotonic()
            outcome = Outcome(row.name, NOT_RUN, why_not) if why_not else suite.ask(row, facts)
            outcomes.append(outcome)
            seconds = f" ({time.monotonic() - began:.1f} s)" if outcome.state != NOT_RUN else ""
            speaker.say(f"{outcome.state:8}{outcome.name}{seconds}" + (f": {outcome.text}" if outcome.text else ""))
    except (ControllerError, NotAtHand, KeyboardInterrupt) as end:
        reason = "interrupted" if isinstance(end, KeyboardInterrupt) else str(end)
        speaker.say(f"Ended early: {reason}")
        outcomes += [Outcome(row.name, NOT_RUN, reason) for row in rows[len(outcomes) :]]
        speaker.say(summary(outcomes))
        return exit_code(outcomes) or 2
    speaker.say(summary(outcomes))
    return exit_code(outcomes)


def _cost(suite: Suite, facts: Facts, client: Client, place: Workplace, last9: FakeLast9, source: Source, speaker: Speaker) -> int:
    """Trusted where the controller has the library, and by the library step, which is sandboxed."""
    why_not = suite.why_not(facts)
    columns: dict[str, dict[str, float] | str] = {"trusted": "the controller has no library 'last9'"} if not facts.has_library else {}
    has_curl = bool(facts.said.get("curl"))
    ways = {"trusted": True, "sandboxed": False} if facts.has_library else {"sandboxed": False}
    for way, configured in ways.items():
        columns[way] = why_not or ""
        if not why_not:
            script = prepared(pipeline(last9.url, has_curl), source, configured).jenkinsfile
            columns[way] = _measured(suite, client, place, f"cost-{way}", script, has_curl)
    if not has_curl:
        speaker.say(f"{CURL}: not measured: the agent has no curl")
    for line in table(columns):
        speaker.say(line)
    return 0 if any(isinstance(figures, dict) for figures in columns.values()) else 2


def _measured(suite: Suite, client: Client, place: Workplace, name: str, script: str, has_curl: bool) -> dict[str, float] | str:
    result, number = suite.run_to_the_end(place.make(name, workplace.job_xml(script)))
    if result != "SUCCESS":
        return f"the build ended {result}"
    try:
        return medians(client.get_plain_json(f"{job_path(place.job(name))}/{number}/wfapi/describe"), has_curl)
    except Gone:
        return "the controller has no plugin pipeline-rest-api, which tells the times of flow nodes"
    except ValueError as error:
        return str(error)


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and a terminal that is closed (SIGHUP) end the suite as Ctrl+C does, so that the controller is left as it was."""

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main(dict(os.environ)))
