"""``last9DeploymentReport``: the request of the library's step. It needs no token and no network."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from last9_markers.core.errors import DeliveryError
from last9_markers.core.log import BuildLog
from last9_markers.messages import report as report_messages
from last9_markers.report import files, formatting, reading, wording
from last9_markers.report.page import Build, Report
from last9_markers.request import time_limits
from last9_markers.request.context import Context
from last9_markers.request.contract import Answer, Request
from last9_markers.request.options import read_settings, read_switch, warn_of_unknown

KNOWN = ("archive", "summary", "agentLabel", "timeoutSeconds")
#: The library acts on these by itself; what is neither yes nor no is said here.
SWITCHES = {"archive": True, "summary": False}
_ID = re.compile(r"[0-9a-f-]{36}")


class ReportHandler:
    """Writes the report of one build beside the bundle: :meth:`run`."""

    def __init__(self, request: Request, context: Context) -> None:
        """Reads the settings and starts the budget."""
        self._request = request
        self._context = context
        self._log = context.log
        self._limit_seconds = read_settings(request, context.environ, self._log).timeout_seconds
        self.budget = time_limits.budget_of(request, self._limit_seconds, context.clock)

    def run(self) -> Answer:
        """Write the files. The answer's ``directory`` is where they are, ``null`` if there are none; ``headline`` is one line."""
        warn_of_unknown(self._request, self._log, KNOWN)
        for name, default in SWITCHES.items():
            read_switch(self._request, name, self._log, default=default)
        folder = self._folder()
        if folder is None:
            self._log.warning(report_messages.no_place())
            return self._answer(None, "")
        request, environ = self._request, self._context.environ
        now_ms = request.timestamp_ms if request.timestamp_ms is not None else int(self._context.clock.wall() * 1000)
        records = request.report.get("records")
        texts_alone = [text for text in records if isinstance(text, str)] if isinstance(records, list) else []
        report = compose(texts_alone, request.report, environ, now_ms, self._log)
        try:
            files.remove_left_overs(os.path.dirname(folder))
            files.make_folder(folder)
            files.write(report, folder)
            files.hand_over(folder)
        except OSError as error:
            self._log.warning(report_messages.cannot_write(error.strerror or type(error).__name__))
            return self._answer(None, "")
        headline = wording.headline(report.deployments)
        self._log.info(report_messages.written(headline))
        return self._answer(folder, headline)

    def abort(self, failure: DeliveryError | str) -> Answer:
        """The answer if the time was not enough, or after an internal error: no report."""
        self._log.warning(failure if isinstance(failure, str) else report_messages.took_too_long(self._limit_seconds))
        return self._answer(None, "")

    def _folder(self) -> str | None:
        """In the temporary workspace, where the launcher has the bundle; the library has given it a name that no other step has."""
        place, name = self._context.environ.get("LAST9_CACHE_DIR"), str(self._request.report.get("id"))
        return os.path.join(os.path.abspath(place), f"report-{name}") if place and _ID.fullmatch(name) else None

    def _answer(self, folder: str | None, headline: str) -> Answer:
        more = {"directory": folder, "headline": headline, "files": list(files.NAMES.values()) if folder else []}
        return Answer(folder is not None, True, None, self._log.warnings, None, None, more)


def compose(records: Iterable[str], missing: Mapping[str, Any], environ: Mapping[str, str], now_ms: int, log: BuildLog) -> Report:
    """The report of these records; what is known to be ``missing`` is a warning, and a note on the page."""
    story = reading.read(records)
    dropped = missing.get("recordsDropped")
    notes = [
        report_messages.records_lost() if missing.get("recordsLost") is True else None,
        report_messages.records_dropped(dropped) if isinstance(dropped, int) and dropped > 0 else None,
        report_messages.records_unreadable(story.unreadable) if story.unreadable else None,
    ]
    told = [note for note in notes if note]
    for note in told:
        log.warning(note)
    notes_of_page = [note[0].upper() + note[1:] for note in told]  # in the log they go on where "WARNING:" stands
    return Report(build_of(environ), story.deployments, story.last9, notes_of_page, now_ms)


def build_of(environ: Mapping[str, str]) -> Build:
    """The build by the variables that Jenkins gives every process."""
    number = f" #{environ['BUILD_NUMBER']}" if environ.get("BUILD_NUMBER") else ""
    return Build((environ.get("JOB_NAME") or "this build") + number, formatting.http_link(environ.get("BUILD_URL")))
