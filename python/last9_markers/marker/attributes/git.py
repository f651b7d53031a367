"""Asks git about the deployed checkout. :mod:`~last9_markers.marker.attributes.scm` makes attributes from the answers.

Git runs while the engine loads, and for at most two seconds in all.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping
from typing import NamedTuple

from last9_markers.core.clock import Budget, Clock
from last9_markers.core.formats import as_commit
from last9_markers.marker.attributes import git_folder

LIMIT_SECONDS = 2.0
#: Bytes of an answer that are read: people who can push choose names and histories.
LONGEST_ANSWER = 64 * 1024

#: Options of every git call: a repository's own settings may name programs, and none of them may run.
_SETTINGS = ("-c", "core.fsmonitor=false", "-c", "log.showSignature=false")
#: Nothing of git's may ask, lock or fetch on our account, or take another history for that of the commit which a hash names. A partial
#: clone fetches what it lacks, before git 2.39.4 even with GIT_NO_LAZY_FETCH, and a repository can allow itself to fetch with any
#: program (``ext::``): only this list of protocols stands above its settings.
_MANNERS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "LC_ALL": "C",
}

#: Of a commit: its hash, when it was committed, its parents, its author. The author comes last, who may be as long as he likes.
_COMMIT = ("log", "-1", "--encoding=UTF-8", "--format=%H%n%ct%n%P%n%an")
_REMOTES = ("config", "-z", "--get-regexp", r"^remote\..*\.url$")
#: Before git 2.15 the first line is the option itself: then nothing is known of how complete the history is.
_PLACE = ("rev-parse", "--is-shallow-repository", "--symbolic-full-name", "HEAD")
_REFS_HERE = ("for-each-ref", "--points-at=HEAD", "--format=%(refname)", "refs/remotes", "refs/tags")
#: Digits of a whole hash: SHA-1, SHA-256.
_FULL = (40, 64)
#: The beginning of these answers is worth as much as the whole: behind the commit it is one name.
_ALSO_CUT = ("HEAD", "commit")
_AUTHORS = ("log", "--left-right", "--encoding=UTF-8", "--format=%m%aE")


class Comparison(NamedTuple):
    """What lies between two commits: the authors of the commits that only the newer, and that only the older of them has."""

    added: list[str]
    removed: list[str]


class Commit(NamedTuple):
    """A commit as git has it. ``committed_at``: seconds since 1970 by the clock of the machine that made it."""

    hash: str
    committed_at: float
    parents: int
    author: str | None


class GitCheckout:
    """One set of questions to git about one folder. No git, no repository, no answer in time: nothing is known, and nothing said."""

    def __init__(
        self,
        environ: Mapping[str, str],
        clock: Clock,
        folder: str | None,
        directory: str | None = None,
        limit_seconds: float = LIMIT_SECONDS,
        previous: str | None = None,
        asked: Collection[str] = (),
    ) -> None:
        """Start the questions; they run by themselves until they are needed, and ``limit_seconds`` at most.

        ``folder`` is the one of the step; ``None``: there is none that says anything about the build, and git is not asked.
        ``directory`` is where the checkout is from there on. ``previous`` is the commit to compare with, as hexadecimal digits: nothing
        else may become an argument of git's. ``asked``: whether ``branch`` and ``url`` will be wanted, so that nothing waits for them.
        """
        self._environ = environ
        self._budget = Budget.of(min(limit_seconds, LIMIT_SECONDS), clock)
        #: Where the checkout should be.
        self.folder = os.path.join(folder, directory) if folder is not None and directory else folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._readings: dict[str, _Reading] = {}
        self._answers: dict[str, str] = {}
        self._repository = None if self.folder is None else git_folder.find(self.folder, environ, named=bool(directory))
        self.previous = as_commit(previous)
        #: Whether there was a folder in which a repository could be.
        self.looked = folder is not None
        if self._repository is None:
            return
        self._ask("HEAD", *_COMMIT)
        if "url" in asked:
            self._ask("remotes", *_REMOTES)
        if self.previous or "branch" in asked:
            self._ask("place", *_PLACE)
        if self.previous:
            if len(self.previous) not in _FULL:
                self._ask("previous", "rev-parse", "--verify", "--quiet", self.previous + "^{commit}")
            self._ask_authors("HEAD")

    @property
    def has_repository(self) -> bool:
        """Whether there is one, also if git cannot read it."""
        return self._repository is not None

    # -- the commit that is checked out ----------------------------------------------------------------------------------------

    def head(self) -> Commit | None:
        """What is checked out; ``None`` if nothing is, or git does not say."""
        return _commit(self._answer("HEAD"))

    def branch(self, named: str | None) -> str | None:
        """The branch that is checked out. Detached, as Jenkins checks out: ``named`` if it points here, else what alone does.

        Of what points here the branches come first, and then the tags.
        """
        if self._repository is None:
            return None
        self._ask("place", *_PLACE)
        place = self._answer("place").rpartition("\n")[2]
        if place.startswith("refs/heads/"):
            return place[len("refs/heads/") :]
        if place != "HEAD":
            return None
        branches, tags = self.branches_here(), self._refs_here("refs/tags/")
        if named is not None and named in branches + tags:
            return named
        names = branches or tags
        return names[0] if len(names) == 1 else None

    def is_unnamed(self) -> bool:
        """Whether a commit is checked out, no branch, and nothing points to it: as Jenkins leaves a merge that it has made."""
        return self._answer("place").rpartition("\n")[2] == "HEAD" and not self.branches_here() and not self._refs_here("refs/tags/")

    def branches_here(self) -> list[str]:
        """The branches of remotes that point to what is checked out."""
        return [name for name in (ref.partition("/")[2] for ref in self._refs_here("refs/remotes/")) if name not in ("", "HEAD")]

    def url(self) -> str | None:
        """Its origin: the remote ``origin``, or the only one."""
        remotes = self._remotes()
        return remotes.get("remote.origin.url") or (next(iter(remotes.values())) if len(remotes) == 1 else None)

    def urls(self) -> list[str]:
        """All that it may have come from."""
        return list(self._remotes().values())

    def changed_at(self) -> float | None:
        """When something was last checked out or fetched here, in seconds of the agent's clock; ``None`` if nothing tells."""
        if self.folder is None or self._repository is None:
            return None
        return git_folder.changed_at(self.folder, self._repository)

    # -- others ----------------------------------------------------------------------------------------------------------------

    def descends_from(self, commit: str) -> bool:
        """Whether what is checked out has that commit, as hexadecimal digits, among its ancestors."""
        self._ask("ancestor", "merge-base", "--is-ancestor", commit, "HEAD")
        return not self._failed("ancestor")

    def commit(self, commit: str) -> Commit | None:
        """Another commit, by its hexadecimal digits; ``None`` if the repository does not have it."""
        self._ask("commit", *_COMMIT, commit, "--")
        return _commit(self._answer("commit"))

    def comparison(self, current: str = "HEAD") -> Comparison | None:
        """What lies between the previous commit and this one; ``None`` if the whole history is not at hand."""
        # In a shallow history an ancestor may simply be missing: any count is a guess.
        if not self.previous or not self._answer("place").startswith("false"):
            return None
        question = self._ask_authors(current)
        authors = self._lines(question)
        if not authors and self._failed(question):
            return None
        return Comparison([name for name in authors if name.startswith(">")], [name for name in authors if name.startswith("<")])

    def resolved_previous(self) -> str | None:
        """The previous commit in full; ``None`` if it is shortened and the repository does not know it."""
        return self.previous if self.previous and len(self.previous) in _FULL else self._answer("previous") or None

    def abandon(self) -> None:
        """Stop asking: the answers are not needed any more."""
        for child in self._children.values():
            _end(child)

    # -- what the answers mean -------------------------------------------------------------------------------------------------

    def _remotes(self) -> dict[str, str]:
        """The URL of each remote, by its setting; of several the first, from which git fetches."""
        self._ask("remotes", *_REMOTES)
        settings = [setting.partition("\n") for setting in self._answer("remotes").split("\0") if "\n" in setting]
        return {name: url for name, _, url in reversed(settings)}

    def _refs_here(self, kind: str) -> list[str]:
        self._ask("refs", *_REFS_HERE)
        return [ref[len(kind) :] for ref in self._lines("refs") if ref.startswith(kind)]

    def _ask_authors(self, current: str) -> str:
        self._ask(question := f"authors of {current}", *_AUTHORS, f"{self.previous}...{current}", "--")
        return question

    # -- asking ----------------------------------------------------------------------------------------------------------------

    def _ask(self, name: str, *arguments: str) -> None:
        """Start a question, once. Without a repository there is nothing to ask."""
        if self._repository is None or name in self._children or name in self._answers:
            return
        # The engine's own settings are not git's business.
        environ = {name: value for name, value in self._environ.items() if not name.startswith("LAST9_")}
        environ.update(_MANNERS)
        # Containers check out under one user and run under another. A repository that is named is not held against its owner,
        # by any git; of `-c safe.directory=*` 2.35 to 2.37 take no notice. We only read.
        environ["GIT_DIR"] = self._repository
        try:
            child = self._children[name] = subprocess.Popen(
                [git_program(environ.get("PATH", ""), windows=os.name == "nt"), *_SETTINGS, *arguments],
                cwd=self.folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # on Windows it says nothing
            )
            self._readings[name] = _Reading(child)
        except (OSError, ValueError, RuntimeError):  # no git, no folder, no thread to be had
            self._answers[name] = ""

    def _answer(self, name: str) -> str:
        """The output of git; empty if it failed, was too long, took too long or was not asked."""
        reading = self._readings.get(name)
        if name not in self._answers and reading is not None:
            self._answers[name] = reading.text(self._budget.remaining(), cut=name in _ALSO_CUT)
        return self._answers.get(name, "")

    def _lines(self, name: str) -> list[str]:
        # Not splitlines(): names may hold what Unicode takes for the end of a line.
        return self._answer(name).split("\n") if self._answer(name) else []

    def _failed(self, name: str) -> bool:
        """Whether git answered with a failure, not in time, or not at all."""
        self._answer(name)
        child = self._children.get(name)
        return child is None or child.returncode != 0


class _Reading:
    """Reads what a question's process says, while others are asked: no more than :data:`LONGEST_ANSWER` bytes of it."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        """Raises ``RuntimeError`` if there is no thread to be had; the child is ended then."""
        self._child = child
        self._output = b""
        self._thread = threading.Thread(target=self._read, name="last9-git", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            _end(child)
            raise

    def text(self, seconds: float, *, cut: bool) -> str:
        """The output within this many seconds; empty if it was incomplete. ``cut``: also the beginning of a long output."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            _end(self._child)
            return ""
        whole = self._child.returncode == 0 and len(self._output) <= LONGEST_ANSWER
        if not whole and not (cut and len(self._output) > LONGEST_ANSWER):
            return ""
        return self._output[:LONGEST_ANSWER].decode("utf-8", "replace").strip()

    def _read(self) -> None:
        stream = self._child.stdout
        if stream is None:
            return
        with stream:
            self._output = stream.read(LONGEST_ANSWER + 1)
        if len(self._output) > LONGEST_ANSWER:
            _end(self._child)
        self._child.wait()


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill it, and what it has started: many agents have a script in git's place, whose own git would go on."""
    if sys.platform == "win32":
        child.kill()
    elif child.returncode is None:  # else its number may be another's by now
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)


def git_program(path: str, *, windows: bool) -> str:
    """Which git to run. Raises ``FileNotFoundError`` if there is none on Windows.

    Windows would look into the current directory before ``PATH``, and what lies in a workspace is nothing to be run for a marker.
    """
    if not windows:
        return "git"
    folders = [folder.strip('"') for folder in path.split(";")]
    programs = [os.path.join(folder, "git.exe") for folder in folders if os.path.isabs(folder)]
    found = next((each for each in programs if os.path.isfile(each)), None)
    if found is None:
        raise FileNotFoundError
    return found


def _commit(answer: str) -> Commit | None:
    if not answer:
        return None
    # Blank last lines (no parents, no name) are cut off.
    name, committed_at, parents, author = (*answer.split("\n", 3), "", "", "")[:4]
    return Commit(name, float(committed_at) if committed_at.isdecimal() else 0.0, len(parents.split()), author or None)
