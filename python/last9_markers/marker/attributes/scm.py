"""``scm.*``: which commit is deployed, as Jenkins' git plugin says it, else as git in the workspace does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

COMMIT, BRANCH, URL, AUTHOR = "scm.commit_sha", "scm.branch", "scm.url", "scm.author"

_VARIABLES = {COMMIT: "GIT_COMMIT", BRANCH: "GIT_BRANCH", URL: "GIT_URL", AUTHOR: "GIT_AUTHOR_NAME"}
_USER_INFORMATION = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/?#]*@")


def from_environment(environ: Mapping[str, str]) -> dict[str, str | None]:
    """What Jenkins' git plugin has put into the environment."""
    facts = {name: environ.get(variable) for name, variable in _VARIABLES.items()}
    facts[URL] = without_credentials(facts[URL])
    return facts


def known(environ: Mapping[str, str], checkout: Callable[[], Mapping[str, str | None]]) -> dict[str, str | None]:
    """The environment's facts, filled up from the workspace where it holds the same commit: never facts of two commits mixed."""
    facts = from_environment(environ)
    found = checkout()
    if facts[COMMIT] in (None, "", found.get(COMMIT)):
        for name, value in found.items():
            facts[name] = facts.get(name) or value
    if not found and not facts[COMMIT]:
        # A deploy without a checkout: the multibranch job at least knows which branch it is of.
        facts[BRANCH] = facts[BRANCH] or environ.get("BRANCH_NAME")
    return facts


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
