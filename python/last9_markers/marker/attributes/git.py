"""What git knows about the folder of the step. It is asked while the engine loads, and never longer than two seconds in all."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping
from typing import NamedTuple

from last9_markers.core.clock import Budget, Clock
from last9_markers.core.formats import as_commit
from last9_markers.core.log import BuildLog
from last9_markers.marker.attributes import scm
from last9_markers.messages import options as option_messages

LIMIT_SECONDS = 2.0
#: Bytes of an answer that are read: whoever can push chooses names and histories.
LONGEST_ANSWER = 64 * 1024

#: What git is told beside each question: a repository's own settings may name programs to run, and none of them is ours to run.
_SETTINGS = ("-c", "core.fsmonitor=false", "-c", "log.showSignature=false")
#: Nothing of git's may ask, lock or fetch on our account, or take another history for that of the commit which a hash names. A partial
#: clone fetches what it lacks, before git 2.39.4 whatever GIT_NO_LAZY_FETCH says, and a repository can allow itself to fetch with any
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

_HEAD = ("log", "-1", "--encoding=UTF-8", "--format=%H%n%an")
_REMOTES = ("config", "-z", "--get-regexp", r"^remote\..*\.url$")
#: Before git 2.15 the first line is the option itself: then nothing is known of how complete the history is.
_PLACE = ("rev-parse", "--is-shallow-repository", "--symbolic-full-name", "HEAD")
_REFS_HERE = ("for-each-ref", "--points-at=HEAD", "--format=%(refname)", "refs/remotes", "refs/tags")
#: Digits of a whole hash: SHA-1, SHA-256.
_FULL = (40, 64)
#: The beginning of this answer is worth as much as the whole: behind the commit it is one name.
_ALSO_CUT = ("head",)
_AUTHORS = ("log", "--left-right", "--encoding=UTF-8", "--format=%m%aE")


class Comparison(NamedTuple):
    """What lies between two commits: the authors of the commits that only the newer, and that only the older of them has."""

    added: list[str]
    removed: list[str]


class GitCheckout:
    """One set of questions to git about one folder. No git, no repository, no answer in time: no facts, and no word."""

    def __init__(
        self,
        environ: Mapping[str, str],
        clock: Clock,
        log: BuildLog,
        folder: str | None,
        limit_seconds: float = LIMIT_SECONDS,
        previous: str | None = None,
    ) -> None:
        """Start the questions; they run by themselves until they are needed, and ``limit_seconds`` at most.

        ``folder`` is the one of the step; ``None``: there is none that says anything about the build, and git is not asked.
        ``previous`` is the commit to compare with, as hexadecimal digits: nothing else may become an argument of git's.
        """
        self._environ = environ
        self._log = log
        self._budget = Budget.of(min(limit_seconds, LIMIT_SECONDS), clock)
        self._folder = folder
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._readings: dict[str, _Reading] = {}
        self._answers: dict[str, str] = {}
        self._facts: dict[str, str | None] | None = None
        self._repository = _repository(folder, environ) if folder is not None else None
        self.previous = as_commit(previous)
        if self._repository is None:
            return
        self._ask("head", *_HEAD)
        if not environ.get("GIT_URL"):
            self._ask("remotes", *_REMOTES)
        if self.previous or not environ.get("GIT_BRANCH"):
            self._ask("place", *_PLACE)
        if self.previous:
            current = as_commit(environ.get("GIT_COMMIT")) or "HEAD"
            if len(self.previous) not in _FULL:
                self._ask("previous", "rev-parse", "--verify", "--quiet", self.previous + "^{commit}")
            self._ask("authors", *_AUTHORS, f"{self.previous}...{current}", "--")

    def facts(self) -> dict[str, str | None]:
        """The ``scm.*`` facts of the checked-out commit, and a warning where it is not of the repository Jenkins speaks of.

        Empty where anything is amiss.
        """
        if self._facts is None:
            self._facts = self._find()
        return self._facts

    def comparison(self) -> Comparison | None:
        """What lies between the previous commit and this one; ``None`` where the whole history is not at hand."""
        # In a shallow history an ancestor may simply be missing: whatever is counted there is a guess.
        if not self._answer("place").startswith("false"):
            return None
        authors = self._lines("authors")
        if not authors and self._failed("authors"):
            return None
        return Comparison([name for name in authors if name.startswith(">")], [name for name in authors if name.startswith("<")])

    def resolved_previous(self) -> str | None:
        """The previous commit in full; ``None`` where it is shortened and the repository does not know it."""
        return self.previous if self.previous and len(self.previous) in _FULL else self._answer("previous") or None

    def abandon(self) -> None:
        """Stop asking: nobody wants to know any more."""
        for child in self._children.values():
            child.kill()

    # -- what the answers mean -------------------------------------------------------------------------------------------------

    def _find(self) -> dict[str, str | None]:
        commit, _, author = self._answer("head").partition("\n")
        if not commit:
            return {}
        self._compare(commit)
        return {
            scm.COMMIT: commit,
            scm.BRANCH: None if self._environ.get("GIT_BRANCH") else self._branch(),
            scm.URL: None if self._environ.get("GIT_URL") else scm.without_credentials(self._url()),
            scm.AUTHOR: author or None,
        }

    def _url(self) -> str | None:
        remotes = self._remotes()
        return remotes.get("remote.origin.url") or (next(iter(remotes.values())) if len(remotes) == 1 else None)

    def _remotes(self) -> dict[str, str]:
        """The URL of each remote, by its setting; of several the first, from which git fetches."""
        self._ask("remotes", *_REMOTES)
        settings = [setting.partition("\n") for setting in self._answer("remotes").split("\0") if "\n" in setting]
        return {name: url for name, _, url in reversed(settings)}

    def _branch(self) -> str | None:
        head = self._answer("place").rpartition("\n")[2]
        if head.startswith("refs/heads/"):
            return head[len("refs/heads/") :]
        if head != "HEAD":
            return None
        # Detached, as Jenkins checks out. A multibranch job knows what: a branch, a tag, a pull request (perhaps merged locally,
        # so that no ref points here). Refs that point here and do not know that name mean another repository.
        self._ask("refs", *_REFS_HERE)
        refs = self._lines("refs")
        branches = [ref.split("/", 3)[3] for ref in refs if ref.startswith("refs/remotes/") and ref.count("/") > 2]
        branches = [name for name in branches if name != "HEAD"]
        tags = [ref[len("refs/tags/") :] for ref in refs if ref.startswith("refs/tags/")]
        named = self._environ.get("BRANCH_NAME")
        if named and (named in branches + tags or not branches + tags):
            return named
        names = branches or tags
        return names[0] if len(names) == 1 else None

    def _compare(self, commit: str) -> None:
        # GIT_* may be those of a shared library's checkout. Another commit alone is no sign of that (the build may have
        # committed), another URL alone neither (a mirror): only both together.
        theirs, url = self._environ.get("GIT_COMMIT"), self._environ.get("GIT_URL")
        if not theirs or not url or theirs == commit:
            return
        remotes = self._remotes().values()
        if remotes and not any(scm.same_repository(url, own) for own in remotes):
            self._log.warning(option_messages.other_repository(scm.without_credentials(url) or "", theirs, commit))

    # -- asking ----------------------------------------------------------------------------------------------------------------

    def _ask(self, name: str, *arguments: str) -> None:
        """Start a question, once."""
        if name in self._children or name in self._answers:
            return
        # The engine's own settings are not git's business.
        environ = {name: value for name, value in self._environ.items() if not name.startswith("LAST9_")}
        environ.update(_MANNERS)
        # Containers check out under one user and run under another. A repository that is named is not held against its owner,
        # by any git; of `-c safe.directory=*` 2.35 to 2.37 take no notice. We only read.
        environ["GIT_DIR"] = self._repository or os.devnull
        try:
            child = self._children[name] = subprocess.Popen(
                [git_program(environ.get("PATH", ""), windows=os.name == "nt"), *_SETTINGS, *arguments],
                cwd=self._folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            self._readings[name] = _Reading(child)
        except (OSError, ValueError, RuntimeError):  # no git, no folder, no thread to be had
            self._answers[name] = ""

    def _answer(self, name: str) -> str:
        """What git said; empty where it failed, said too much, took too long or was not asked."""
        reading = self._readings.get(name)
        if name not in self._answers and reading is not None:
            self._answers[name] = reading.text(self._budget.remaining(), cut=name in _ALSO_CUT)
        return self._answers.get(name, "")

    def _lines(self, name: str) -> list[str]:
        # Not splitlines(): names may hold what Unicode takes for the end of a line.
        return self._answer(name).split("\n") if self._answer(name) else []

    def _failed(self, name: str) -> bool:
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
            child.kill()
            raise

    def text(self, seconds: float, *, cut: bool) -> str:
        """What was said within so many seconds; empty if that was not all. ``cut``: the beginning of a long answer is one as well."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._child.kill()
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
            self._child.kill()
        self._child.wait()


def git_program(path: str, *, windows: bool) -> str:
    """Which git to run. Raises ``FileNotFoundError`` where there is none on Windows.

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


def _repository(folder: str, environ: Mapping[str, str]) -> str | None:
    """Where the repository of a folder is, found as git finds it, but not above the build's own workspace.

    Jenkins' home may be a repository itself (backups are made so); what is deployed is not that.
    """
    if environ.get("GIT_DIR"):
        return environ["GIT_DIR"]
    folder = os.path.realpath(folder)
    top = os.path.realpath(environ["WORKSPACE"]) if environ.get("WORKSPACE") else None
    while True:
        git = os.path.join(folder, ".git")
        # A worktree's and a submodule's is a file.
        if os.path.isfile(git) or os.path.lexists(os.path.join(git, "HEAD")):
            return git
        parent = os.path.dirname(folder)
        if folder in (top, parent):
            return None
        folder = parent
