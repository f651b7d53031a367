"""What git knows about the working directory. It is asked while the engine loads, and never longer than two seconds in all."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from last9_markers.attributes import scm
from last9_markers.clock import Budget, Clock
from last9_markers.journal import Journal
from last9_markers.wording import inputs

LIMIT_SECONDS = 2.0

_QUESTIONS = {
    "head": ("log", "-1", "--no-show-signature", "--format=%H%n%an"),
    "branch": ("symbolic-ref", "--quiet", "--short", "HEAD"),
    "remotes": ("config", "--get-regexp", r"^remote\..*\.url$"),
}


class Workspace:
    """One set of questions to git about the current directory. No git, no repository, no answer in time: no facts, and no word."""

    def __init__(
        self,
        environ: Mapping[str, str],
        clock: Clock,
        journal: Journal,
        directory: str | None = None,
        limit_seconds: float = LIMIT_SECONDS,
        ask: bool = True,
    ) -> None:
        """Start the questions; they run by themselves until :meth:`facts`, and ``limit_seconds`` at most.

        ``ask`` is false where the current directory is not the build's: what lies there may be an older checkout of the same job.
        """
        self._environ = environ
        self._journal = journal
        self._budget = Budget.of(min(limit_seconds, LIMIT_SECONDS), clock)
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._facts: dict[str, str | None] | None = None
        # Nothing of git's may ask, page, lock or fetch on our account; the engine's own settings are not its business.
        child_environ = {name: value for name, value in environ.items() if not name.startswith("LAST9_")}
        child_environ.update(GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0", GIT_NO_LAZY_FETCH="1", LC_ALL="C")
        for name, arguments in _QUESTIONS.items() if ask else ():
            try:
                self._children[name] = subprocess.Popen(
                    # Containers check out under one user and run under another; we only read.
                    ["git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", *arguments],
                    cwd=directory,
                    env=child_environ,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            except (OSError, ValueError):
                break

    def facts(self) -> dict[str, str | None]:
        """The ``scm.*`` facts of the checked-out commit, and a warning where it is not of the repository Jenkins speaks of.

        Empty where anything is amiss.
        """
        if self._facts is None:
            self._facts = self._ask()
        return self._facts

    def abandon(self) -> None:
        """Stop asking: nobody wants to know any more."""
        for child in self._children.values():
            child.kill()

    def _ask(self) -> dict[str, str | None]:
        answers = {name: self._answer(child) for name, child in self._children.items()}
        commit, _, author = answers.get("head", "").partition("\n")
        if not commit:
            return {}
        remotes = dict(line.split(" ", 1) for line in answers.get("remotes", "").splitlines() if " " in line)
        self._compare(commit, list(remotes.values()))
        url = remotes.get("remote.origin.url") or (next(iter(remotes.values())) if len(remotes) == 1 else None)
        return {
            scm.COMMIT: commit,
            scm.BRANCH: answers.get("branch") or None,
            scm.URL: scm.without_credentials(url),
            scm.AUTHOR: author or None,
        }

    def _answer(self, child: subprocess.Popen[bytes]) -> str:
        try:
            output, _ = child.communicate(timeout=self._budget.remaining())
        except subprocess.TimeoutExpired:
            child.kill()
            return ""
        return output.decode("utf-8", "replace").strip() if child.returncode == 0 else ""

    def _compare(self, commit: str, remotes: list[str]) -> None:
        # GIT_* may be those of a shared library's checkout. Another commit alone is no sign of that (the build may have
        # committed), another URL alone neither (a mirror): only both together.
        theirs, url = self._environ.get("GIT_COMMIT"), self._environ.get("GIT_URL")
        if theirs and url and remotes and theirs != commit and not any(scm.same_repository(url, own) for own in remotes):
            self._journal.warn(inputs.other_repository(scm.without_credentials(url) or "", theirs, commit))
