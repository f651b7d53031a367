"""Real git repositories for the tests: each function makes one situation and says where it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support import MINIMAL_ENV

URL = "https://robot:hunter22@github.com/acme/payments-api.git"


#: When everything is committed, if nothing else is said.
WHEN = "2026-09-21T10:00:00Z"


class Repository:
    """A repository on branch ``main`` with a remote whose URL holds a password, and commits by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: The time of all commits.
        self.date = WHEN
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q")
        self.git("checkout", "-q", "-b", "main")
        self.git("remote", "add", "origin", URL)

    @classmethod
    def at(cls, folder: Path) -> Repository:
        """The repository in a folder, made if there is none yet."""
        if not (folder / ".git").exists():
            return cls(folder)
        found = cls.__new__(cls)
        found.folder, found.date = folder, WHEN
        return found

    def git(self, *arguments: str) -> str:
        """Run git here and return what it prints; always the same clock, so equal histories are equal commits."""
        identity = [
            "-c",
            "user.name=Bob Builder",
            "-c",
            "user.email=bob@example.com",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "tag.gpgsign=false",
        ]
        when = {"GIT_AUTHOR_DATE": self.date, "GIT_COMMITTER_DATE": self.date}
        command = ["git", *identity, "-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false", *arguments]
        done = subprocess.run(command, cwd=self.folder, env={**MINIMAL_ENV, **when}, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode().strip()

    def commit(self, message: str, author: str = "Bob Builder <bob@example.com>") -> str:
        """Add an empty commit and return its hash."""
        self.git("commit", "-q", "--allow-empty", "-m", message, "--author", author)
        return self.head()

    def head(self) -> str:
        """The hash of what is checked out."""
        return self.git("rev-parse", "HEAD")
