"""A browser, and a server that hands out reports as Jenkins does."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from last9_markers.report import files, reading
from last9_markers.report.page import Build, Report
from playwright.sync_api import Browser, sync_playwright
from report.builds import NOON_MS

#: ``DirectoryBrowserSupport`` of Jenkins core: what it sends with every file of an archive.
JENKINS_POLICY = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"
_QUIET = (
    "--no-sandbox",  # it runs as root in CI, and shows no one's pages but ours
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class _Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        if "/jenkins/" in self.path:
            self.send_header("Content-Security-Policy", JENKINS_POLICY)
        super().end_headers()

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.replace("/jenkins/", "/").replace("/plain/", "/"))

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":  # the browser asks by itself
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert path, "the report's tests need Chromium: install it (chromium on Debian)"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(_QUIET), timeout=120_000)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, list[str]], tuple[str, Path]]]:
    """Writes a report of records and returns where it is served, and its folder.

    Below ``…/jenkins/NAME/`` it comes with Jenkins' header, below ``…/plain/NAME/`` without.
    """
    root = tmp_path_factory.mktemp("reports")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Handler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def write(name: str, records: list[str]) -> tuple[str, Path]:
        if not (root / name).exists():
            files.write(report(records), str(root / name))
        return f"http://127.0.0.1:{server.server_port}", root / name

    yield write
    server.shutdown()
    thread.join()
    server.server_close()


def report(records: list[str], notes: list[str] | None = None) -> Report:
    """A report of these records, made 45 seconds after the last of them."""
    story = reading.read(records)
    moments = [deployment.ended_ms or deployment.begun_ms for deployment in story.deployments]
    build = Build("payments-api/main #42", "https://jenkins.example.com/job/payments-api/job/main/42/")
    return Report(build, story.deployments, story.last9, notes or [], max(moments, default=NOON_MS) + 45_000)
