"""The web pages of a repository: those of GitHub, GitLab and Bitbucket, also self-hosted ones."""

from __future__ import annotations

import re
from typing import NamedTuple

_HTTP = re.compile(r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+(?::[0-9]{1,5})?)/(?P<path>.+)")
_SSH = re.compile(r"ssh://(?:[^@/]*@)?(?P<host>[A-Za-z0-9.-]+)(?::[0-9]{1,5})?/(?P<path>.+)")
_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>[^/:].*)")
_PATH = re.compile(r"[A-Za-z0-9._~-]+(?:/[A-Za-z0-9._~-]+)+")
_BITBUCKET_SERVER = re.compile(r"(?:scm/)?(~?)([A-Za-z0-9._-]+)/([A-Za-z0-9._-]+)")

#: If only the port of https is open, git's ssh goes to a host beside the one with the pages.
_SSH_BY_443 = re.compile(r"\A(?:alt)?ssh\.(github\.com|gitlab\.com|bitbucket\.org)\Z")

#: By what stands in the host's name → commit, comparison; ``%0D`` is what Bitbucket has between two commits.
_PAGES = {
    "github": ("{at}/commit/{new}", "{at}/compare/{old}...{new}"),
    "gitlab": ("{at}/-/commit/{new}", "{at}/-/compare/{old}...{new}"),
    "bitbucket.org": ("{at}/commits/{new}", "{at}/branches/compare/{new}%0D{old}"),
}
_SERVER_PAGES = ("{at}/commits/{new}", "{at}/compare/commits?sourceBranch={new}&targetBranch={old}")


class Forge(NamedTuple):
    """The pages of one repository."""

    at: str
    pages: tuple[str, str]

    def commit(self, new: str) -> str:
        """The page of a commit."""
        return self.pages[0].format(at=self.at, new=new)

    def compare(self, old: str, new: str) -> str:
        """The page that shows what lies between two commits."""
        return self.pages[1].format(at=self.at, old=old, new=new)


def of(url: str | None) -> Forge | None:
    """The forge of a repository's URL, ``None`` if its host name does not show the forge: a broken link is useless."""
    found = next((match for match in (form.fullmatch(url or "") for form in (_HTTP, _SSH, _SCP)) if match), None)
    if found is None:
        return None
    host = _SSH_BY_443.sub(r"\1", found["host"].lower())
    path = found["path"].rstrip("/")
    path = path[:-4] if path.endswith(".git") else path
    if not _PATH.fullmatch(path) or ".." in host:
        return None
    root = f"{found['scheme'] if 'scheme' in found.groupdict() else 'https'}://{host}"
    for part, pages in _PAGES.items():
        if part in host:
            return Forge(f"{root}/{path}", pages)
    project = _BITBUCKET_SERVER.fullmatch(path)
    # Atlassian's own name for the self-hosted one was Stash.
    if project and ("bitbucket" in host or "stash" in host or path.startswith("scm/")):
        kind = "users" if project[1] else "projects"
        return Forge(f"{root}/{kind}/{project[2]}/repos/{project[3]}", _SERVER_PAGES)
    return None
