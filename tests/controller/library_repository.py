"""This checkout's last commit as a git repository over HTTP on loopback, for controllers that have no library ``last9``.

HTTP and not ``file://``: the git plugin refuses to check out from a local folder unless an administrator has allowed it
(hudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT). Git's dumb protocol needs plain files alone.
"""

from __future__ import annotations

import functools
import subprocess
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

from controller.rows import ROOT

BRANCH = "tested"


class NotAtHand(Exception):
    """Something that the suite itself needs here is not there; the text is for people."""


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


class LibraryRepository:
    """A context manager. ``url`` is what the controller clones, ``commit`` what it gets from branch ``tested``."""

    url: str
    commit: str
    #: The checkout holds changes that are in no commit: they are not what is judged.
    dirty: bool

    def __init__(self, checkout: Path = ROOT) -> None:
        self._checkout = checkout

    def __enter__(self) -> LibraryRepository:
        self._folder = tempfile.TemporaryDirectory(prefix="last9-library-")
        repository = str(Path(self._folder.name) / "last9.git")
        self.commit = self._git("-C", str(self._checkout), "rev-parse", "HEAD")
        self.dirty = bool(self._git("-C", str(self._checkout), "status", "--porcelain", "--untracked-files=no"))
        self._git("init", "--quiet", "--bare", repository)
        self._git("-C", str(self._checkout), "push", "--quiet", repository, f"HEAD:refs/heads/{BRANCH}")
        self._git("-C", repository, "symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
        self._git("-C", repository, "update-server-info")
        handler = functools.partial(_Handler, directory=self._folder.name)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/last9.git"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._folder.cleanup()

    @staticmethod
    def _git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotAtHand(f"git {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()
