"""The fake Last9, as a process of its own on loopback: the project's own command. Only this file knows the command's name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import TracebackType
from typing import Any

import httpx

from controller.library_repository import NotAtHand
from controller.rows import ROOT

COMMAND = "fake-server"
BUNDLE = ROOT / "resources" / "last9" / "last9-markers.pyz"


class FakeLast9:
    """A context manager. ``url`` and ``refresh_token`` are known once it is entered."""

    url: str
    refresh_token: str

    def __enter__(self) -> FakeLast9:
        # -I -S as on an agent; a session of its own, so that Ctrl+C leaves it to us: builds that are stopped still send their stop.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(BUNDLE), COMMAND],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("JENKINS_")},
        )
        assert self._process.stdout is not None
        try:
            line = self._process.stdout.readline()
            if not line:
                raise NotAtHand("the fake Last9 did not start: run make bundle")
            first = json.loads(line)
            self.url, self.refresh_token = first["url"], first["refreshToken"]
        except BaseException:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
            raise
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._http.close()
        self._process.terminate()
        self._process.wait(10)
        if self._process.stdout:
            self._process.stdout.close()

    def received(self) -> list[dict[str, Any]]:
        """The markers it took, in order."""
        return list(self._asked("GET", "/received").json())

    def somebody_waits(self) -> bool:
        """Whether a request is without an answer."""
        return any(request["status"] is None for request in self._asked("GET", "/requests").json())

    def order(self, faults: str) -> None:
        """Order faults, as JSON."""
        self._asked("POST", "/faults", faults)

    def well(self) -> None:
        """Forget faults."""
        self._asked("DELETE", "/faults")

    def reset(self) -> None:
        """Forget faults and what was received."""
        self.well()
        self._asked("DELETE", "/received")

    def _asked(self, method: str, path: str, content: str | None = None) -> httpx.Response:
        try:
            return self._http.request(method, path, content=content).raise_for_status()
        except httpx.HTTPError as error:
            raise NotAtHand(f"the fake Last9 does not answer: {error}") from None
