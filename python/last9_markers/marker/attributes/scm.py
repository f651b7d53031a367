"""``scm.*``: which commit is deployed. ``GIT_*`` describes *a* checkout, git the present one: this module decides between them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from last9_markers.core.formats import as_commit
from last9_markers.core.log import BuildLog
from last9_markers.messages import options as option_messages
from last9_markers.messages import progress
from last9_markers.request.values import known
from last9_markers.request.variables import Variables

if TYPE_CHECKING:
    from last9_markers.marker.attributes.git import Commit, Comparison, GitCheckout

COMMIT, BRANCH, URL, AUTHOR = "scm.commit_sha", "scm.branch", "scm.url", "scm.author"

#: Seconds by which the age of a file on the agent and the age of the build may be wrong: the request takes a while from one to the other.
SLACK_SECONDS = 2.0
#: What ``git rev-parse --abbrev-ref HEAD`` and the git plugin (DefaultBuildChooser) say if there is no branch.
_NO_BRANCH = ("HEAD", "detached")
_USER_INFORMATION = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@")

Facts = Mapping[str, "str | None"]


class Said(NamedTuple):
    """The checkout that the environment describes, as far as it is trusted."""

    commit: str | None = None
    branch: str | None = None
    url: str | None = None
    author: str | None = None
    #: The branch, tag or pull request that a multibranch job is for.
    jobs_branch: str | None = None
    is_pull_request: bool = False

    @property
    def open(self) -> list[str]:
        """What only git can tell."""
        return [name for name, value in (("branch", self.branch), ("url", self.url)) if value is None]


def said(environ: Mapping[str, str]) -> Said:
    """Read Jenkins' variables. ``GIT_COMMIT`` must be a hash: ``sh(returnStdout: true)`` returns any output."""
    environ = Variables(environ)
    return Said(
        commit=as_commit(known(environ.get("GIT_COMMIT"))),
        branch=_branch(environ.get("GIT_BRANCH")),
        url=known(environ.get("GIT_URL")),
        author=known(environ.get("GIT_AUTHOR_NAME")),
        jobs_branch=_branch(environ.get("BRANCH_NAME")),
        is_pull_request=known(environ.get("CHANGE_ID")) is not None,
    )


class _Choice(NamedTuple):
    """``revision`` is what git knows the commit as, ``None`` if it is not of the checkout."""

    facts: Facts
    revision: str | None = None
    local_merge: bool = False


class Deployed:
    """The commit that is deployed, decided once a run."""

    def __init__(
        self,
        saying: Said,
        checkout: GitCheckout,
        log: BuildLog,
        *,
        began_at: float | None = None,
        named: bool = False,
        ended: bool = False,
    ) -> None:
        """``began_at``: when the build began, in seconds of the agent's clock; ``None`` if it is unknown, as in a shell.

        ``named``: the options name the checkout's folder. If none is there (yet), the variables are those of another. ``ended``: the
        deployment is over, so that no checkout is still to come and its absence is a mistake.
        """
        self._said = saying
        self._checkout = checkout
        self._log = log
        self._began_at = began_at
        self._named = named
        self._ended = ended
        self._chosen: _Choice | None = None

    def facts(self) -> Facts:
        """The ``scm.*`` attributes: those of one commit, never of two."""
        return self._choice().facts

    @property
    def is_local_merge(self) -> bool:
        """Whether it is a merge that Jenkins made of a pull request, as far as it has been decided: no forge has ever seen that."""
        return self._chosen is not None and self._chosen.local_merge

    @property
    def previous(self) -> str | None:
        """The commit that git was asked to compare with."""
        return self._checkout.previous

    def resolved_previous(self) -> str | None:
        """The same in full; ``None`` if it is shortened and the repository does not know it."""
        return self._checkout.resolved_previous()

    def comparison(self) -> Comparison | None:
        """What lies between that one and the deployed one; ``None`` if the whole history is not at hand."""
        revision = self._choice().revision
        return self._checkout.comparison(revision) if revision is not None else None

    def abandon(self) -> None:
        """The answers are not needed any more."""
        self._checkout.abandon()

    # -- the decision ----------------------------------------------------------------------------------------------------------

    def _choice(self) -> _Choice:
        if self._chosen is None:
            self._chosen = self._choose()
        return self._chosen

    def _choose(self) -> _Choice:
        said, head = self._said, self._checkout.head()
        if head is None:
            return self._without_checkout()
        if said.commit is not None and head.hash.startswith(said.commit):
            return self._of_head(head, said)
        another = self._is_of_another_repository()
        if self._is_left_over():
            self._log.debug(progress.checkout_left_over())
            return _of_variables(said._replace(commit=None, branch=None, url=None, author=None) if another else said)
        if another:
            self._log.debug(progress.another_repository(without_credentials(said.url) or ""))
            return self._of_head(head, said._replace(branch=None, url=None, author=None))
        if said.commit is None:
            return self._of_head(head, said)
        if self._is_since_the_build_began(head) and self._checkout.descends_from(said.commit):
            return self._of_another_commit(said.commit, said)
        # Probably the same repository, at another commit.
        url = said.url if self._checkout.urls() else None
        return self._of_head(head, Said(url=url, is_pull_request=said.is_pull_request), jobs_branch=said.jobs_branch)

    def _without_checkout(self) -> _Choice:
        if not self._checkout.has_repository and self._checkout.looked:
            self._log.debug(progress.no_repository())
            if self._named:
                if self._ended:
                    self._log.warning(option_messages.scm_directory_without_repository(self._checkout.folder or ""))
                return _Choice({})
        return _of_variables(self._said)

    def _of_head(self, head: Commit, said: Said, jobs_branch: str | None = None) -> _Choice:
        checkout = self._checkout
        branch = said.branch or checkout.branch(said.jobs_branch or jobs_branch)
        if branch is None and said.jobs_branch and checkout.is_unnamed():
            # A pull request that was merged here, so that no ref points to it. Refs that do, and not by that name: another repository.
            branch = said.jobs_branch
        facts = {
            COMMIT: head.hash,
            BRANCH: branch,
            URL: without_credentials(said.url or checkout.url()),
            AUTHOR: head.author or said.author,
        }
        return _Choice(facts, "HEAD", said.is_pull_request and head.parents > 1 and not checkout.branches_here())

    def _of_another_commit(self, commit: str, said: Said) -> _Choice:
        found = self._checkout.commit(commit)
        facts = {
            COMMIT: found.hash if found else commit,
            BRANCH: said.branch,
            URL: without_credentials(said.url or self._checkout.url()),
            AUTHOR: (found.author if found else None) or said.author,
        }
        return _Choice(facts, facts[COMMIT])

    def _is_of_another_repository(self) -> bool:
        url = self._said.url
        if url is None:
            return False
        own = self._checkout.urls()
        return bool(own) and not any(same_repository(url, each) for each in own)

    def _is_left_over(self) -> bool:
        """Whether an older build has left this checkout lying, and this one has not checked out yet."""
        changed_at = self._checkout.changed_at() if self._began_at is not None else None
        return self._began_at is not None and changed_at is not None and changed_at < self._began_at - SLACK_SECONDS

    def _is_since_the_build_began(self, head: Commit) -> bool:
        return self._began_at is not None and head.committed_at > self._began_at - SLACK_SECONDS


def _of_variables(said: Said) -> _Choice:
    """What the environment says, and nothing else. Without any commit the multibranch job at least knows which branch it is of."""
    branch = said.branch or (None if said.commit else said.jobs_branch)
    return _Choice({COMMIT: said.commit, BRANCH: branch, URL: without_credentials(said.url), AUTHOR: said.author})


def _branch(text: str | None) -> str | None:
    text = known(text)
    return None if text in _NO_BRANCH else text


def without_credentials(url: str | None) -> str | None:
    """A repository URL without user and password. ``git@host:path`` stays: its user is part of the address, not a secret."""
    return _USER_INFORMATION.sub(r"\1", url) if url else None


def same_repository(one: str, other: str) -> bool:
    """Whether two URLs mean one repository: scheme, credentials, ``.git`` and case of the host aside."""
    return _place(one) == _place(other)


def _place(url: str) -> tuple[str, str]:
    url = re.sub(r"^[^@/]*@([^:/]+):", r"ssh://\1/", (without_credentials(url) or "").strip())
    host, _, path = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://", "", url).partition("/")
    path = path.rstrip("/")
    return host.lower().partition(":")[0], path[:-4] if path.endswith(".git") else path
