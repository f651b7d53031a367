"""Real git repositories for the tests: each function makes one situation and says where it is."""

from __future__ import annotations

import subprocess
from pathlib import Path

from support import MINIMAL_ENV

URL = "https://robot:hunter22@github.com/acme/payments-api.git"


class Repository:
    """A repository on branch ``main`` with a remote whose URL holds a password, and commits by name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q")
        self.git("checkout", "-q", "-b", "main")
        self.git("remote", "add", "origin", URL)

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
        when = {"GIT_AUTHOR_DATE": "2026-09-21T10:00:00Z", "GIT_COMMITTER_DATE": "2026-09-21T10:00:00Z"}
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
