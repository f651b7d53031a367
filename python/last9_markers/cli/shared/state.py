"""``--state FILE``: what one call of the program leaves for the next: open windows, pending markers, outages, records for the report.

JSON, mode 0600, secrets redacted. It is written under another name and renamed, so a full disk or a killed process leaves the old content.
It is changed under a lock beside it (``FILE.lock``), which is held for milliseconds and never during a delivery. A marker is written
down before it is sent and removed when Last9 has it: if the process is killed, the next one sends it. While a process sends markers they
are claimed, so that ten processes at once send each marker once. A claim ends after some time.

If the file cannot be read or written, belongs to another user, or is not a regular file (a link, a pipe), there is a warning, the file
is left unchanged, and the marker is still sent.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from last9_markers.cli.shared.invocation import Window
from last9_markers.cli.shared.locking import PATIENCE_SECONDS, Lock
from last9_markers.core import safe_files
from last9_markers.core.limits import cut
from last9_markers.core.log import BuildLog
from last9_markers.messages import cli as cli_messages
from last9_markers.request.contract import Kept, whole
from last9_markers.request.options import LONGEST_TIMEOUT_SECONDS

VERSION = 1
#: It becomes part of a file's name.
_WINDOW_ID = re.compile(r"[0-9a-f-]{36}")
MOST_WINDOWS = 50
MOST_PENDING = 100
MOST_RECORDS = 500
#: What a process may need besides a marker's time limit: to start, to load, to write its answer.
CLAIM_MARGIN_MS = 10_000
#: Hundred markers, their records and their windows are far below it.
LONGEST_FILE = 8 << 20
LONGEST_CLAIM_MS = int(LONGEST_TIMEOUT_SECONDS * 1000) + CLAIM_MARGIN_MS

#: Waiting for the file before a delivery takes at most this share of the marker's time limit; after it at least this many seconds.
SHARE_OF_LOCK = 0.25
_SHORTEST_PATIENCE_SECONDS = 0.2

#: What makes a start and a stop one window: service, environment, event name.
Key = tuple[str, str, str]


class Unusable(Exception):
    """The file cannot be used; the text is a finished warning."""


class Content:
    """What is in the file. Changes reach it when the ``with`` block of :meth:`StateFile.changing` ends."""

    def __init__(self, found: dict[str, Any], *, is_new: bool, clean: Callable[[str], str] = str) -> None:
        """``clean`` takes the secrets out of a text."""
        self.is_new = is_new
        self._clean = clean
        self._windows = [window for window in _objects(found.get("openWindows")) if _is_window(window)]
        self._running = [found for found in _objects(found.get("runningWindows")) if _is_running(found)]
        self._pending = [entry for entry in _objects(found.get("pending")) if isinstance(entry.get("text"), str)]
        self._records = [text for text in _list(found.get("records")) if isinstance(text, str)]
        outages = found.get("outages")
        self._outages: dict[str, Any] = outages if isinstance(outages, dict) else {}
        self.dropped = 0

    # -- windows: the same rule as the library's OpenWindows -------------------------------------------------------------------

    def open(self, key: Key, window: Window) -> None:
        """A window has begun. If there are too many, the oldest is dropped: its stop becomes a point."""
        self._windows.append({"id": window.id, "startedAtMs": window.started_at_ms, "key": self._key(key)})
        del self._windows[:-MOST_WINDOWS]

    def newest(self, key: Key) -> Window | None:
        """The newest open window of that service, environment and event name."""
        found = [window for window in self._windows if window["key"] == self._key(key)]
        return Window(found[-1]["id"], found[-1]["startedAtMs"]) if found else None

    def forget(self, window: Window | None) -> None:
        """That window is closed, or never was."""
        self._windows = [entry for entry in self._windows if window is None or entry["id"] != window.id]

    def _key(self, key: Key) -> list[str]:
        return [cut(self._clean(part)) for part in key]  # as the markers have them

    # -- windows of `window` processes -----------------------------------------------------------------------------------------

    def begin(self, noted: Mapping[str, Any] | None) -> None:
        """A process has opened a window: what :func:`last9_markers.cli.shared.gone.note` says of it."""
        if noted is not None:
            self._running.append({**noted, "request": redacted(str(noted["request"]), self._clean)})
            del self._running[:-MOST_WINDOWS]

    def end(self, window_id: str) -> None:
        """Its stop is among the pending markers, or there will be none."""
        self._running = [found for found in self._running if found["id"] != window_id]

    @property
    def running(self) -> list[dict[str, Any]]:
        """The windows whose processes have not said that they have ended."""
        return list(self._running)

    # -- pending markers -------------------------------------------------------------------------------------------------------

    def claim(self, now_ms: int, until_ms: int, only: Collection[str] | None = None) -> list[Kept]:
        """The pending markers (of ``only`` these) that no other process is sending, oldest first: until then they are the caller's."""
        free = [entry for entry in self._pending if (only is None or entry["text"] in only) and not _claimed(entry, now_ms)]
        for entry in free:
            entry["claimedUntilMs"] = until_ms
        return [Kept(entry["text"], _failures(entry)) for entry in free]

    def add(self, text: str, since_ms: int, claimed_until_ms: int = 0, failures: int = 0) -> str:
        """Keep one more marker, whose time is ``since_ms``. Returns its text as it is kept."""
        entry: dict[str, Any] = {"text": redacted(text, self._clean), "sinceMs": since_ms}
        if claimed_until_ms:
            entry["claimedUntilMs"] = claimed_until_ms
        if failures:
            entry["failures"] = failures
        self._pending = sorted([*self._pending, entry], key=_since)
        too_many = max(0, len(self._pending) - MOST_PENDING)
        del self._pending[:too_many]
        self.dropped += too_many
        return str(entry["text"])

    def settle(self, tried: Collection[str], since_ms: int, undelivered: list[Kept]) -> None:
        """What was claimed, the marker of ``since_ms`` among it, has been tried: ``undelivered`` are those that are still pending."""
        times = {entry["text"]: _since(entry) for entry in self._pending}
        self._pending = [entry for entry in self._pending if entry["text"] not in tried]
        for text, failures in undelivered:
            self.add(text, times.get(text, since_ms), failures=failures)

    @property
    def pending(self) -> list[str]:
        """Every pending marker, oldest first, claimed or not."""
        return [entry["text"] for entry in self._pending]

    # -- outages ---------------------------------------------------------------------------------------------------------------

    @property
    def outages(self) -> dict[str, Any]:
        """Which Last9 did not answer a short time ago: the engine's own object."""
        return dict(self._outages)

    def note_outages(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """A run that began with the outages ``before`` ended with those ``after``; those that others added meanwhile stay."""
        others = {name: until for name, until in self._outages.items() if name not in before}
        self._outages = {**others, **after}

    # -- the report's records --------------------------------------------------------------------------------------------------

    @property
    def records(self) -> list[str]:
        """What has happened to the markers so far: the report's own texts."""
        return list(self._records)

    def record(self, records: Any) -> None:
        """Remember what an answer says has happened."""
        self._records += [redacted(text, self._clean) for text in _list(records) if isinstance(text, str)]
        del self._records[:-MOST_RECORDS]

    def text(self) -> str:
        """The content as it is written: no more than can be read again. The oldest pending markers are dropped first, then all records."""
        while len(text := self._text()) > LONGEST_FILE and (self._pending or self._records):
            if self._pending:
                del self._pending[0]
                self.dropped += 1
            else:
                self._records.clear()
        return text

    def _text(self) -> str:
        found = {
            "last9State": VERSION,
            "openWindows": self._windows,
            **({"runningWindows": self._running} if self._running else {}),
            "pending": self._pending,
            "records": self._records,
            "outages": self._outages,
        }
        return json.dumps(found, indent=1) + "\n"


class StateFile:
    """One state file. It need not be there yet; an empty one (``mktemp``) is as good as none."""

    def __init__(self, path: str, log: BuildLog) -> None:
        #: Seconds to wait for another process.
        self.patience_seconds = PATIENCE_SECONDS
        self._path = os.path.abspath(path)
        self._shown = path
        self._log = log
        #: Whether the last change is in the file: if not, no later call will send the pending markers.
        self.saved = False
        self._closed: list[str] = []

    @property
    def path(self) -> str:
        """The path of the file."""
        return self._path

    def close_gone(self, content: Content, now_ms: int, environ: Mapping[str, str]) -> None:
        """Windows whose processes are gone: their stops become pending markers, with outcome ``unknown``."""
        from last9_markers.cli.shared import gone

        gone.sweep(self._path, [found["id"] for found in content.running])
        for found in content.running:
            if not gone.is_gone(found, self._path, now_ms):
                continue
            content.end(found["id"])
            self._closed.append(found["id"])
            try:
                content.add(gone.stop_of(found, now_ms, environ), now_ms)
            except Exception:  # noqa: BLE001 - broken content must not cost today's marker
                self._log.warning(cli_messages.gone_unreadable(self._shown))

    def wait_for_at_most(self, seconds: float) -> None:
        """Waiting for another process is part of a marker's time limit, of which so much is left for it."""
        self.patience_seconds = max(_SHORTEST_PATIENCE_SECONDS, min(PATIENCE_SECONDS, seconds))

    @contextlib.contextmanager
    def changing(self) -> Iterator[Content | None]:
        """The content, to be changed and written back. ``None``, after a warning, if that is not possible."""
        self.saved = False
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(self._locked())
                content: Content | None = self.read()
            except Unusable as problem:
                self._log.warning(str(problem))
                content = None
            yield content
            if content is not None:
                self._write(content)
                self._tidy()

    def _tidy(self) -> None:
        """Remove the locks of closed windows, after the file says so: if this process is killed in between, a later call closes them."""
        if self.saved and self._closed:
            from last9_markers.cli.shared import gone

            for window_id in self._closed:
                gone.tidy(self._path, window_id)
            self._closed.clear()

    def read(self) -> Content:
        """What is in the file now. Raises :exc:`Unusable`."""
        try:
            text = safe_files.read(self._path, LONGEST_FILE, own=True).decode("utf-8")
        except FileNotFoundError:
            text = ""
        except OSError as error:
            raise Unusable(cli_messages.state_unreadable(self._shown, _reason(error))) from None
        except ValueError:
            raise Unusable(cli_messages.state_foreign(self._shown, "it is no text")) from None
        return Content(self._parse(text), is_new=not text.strip(), clean=self._log.redactor.presentable)

    def _parse(self, text: str) -> dict[str, Any]:
        try:
            found = json.loads(text) if text.strip() else {"last9State": VERSION}
        except (ValueError, RecursionError):
            raise Unusable(cli_messages.state_foreign(self._shown, "it is no JSON, or was cut off")) from None
        if not isinstance(found, dict) or "last9State" not in found:
            raise Unusable(cli_messages.state_foreign(self._shown, "it was not written by last9-markers"))
        if found["last9State"] != VERSION:
            raise Unusable(cli_messages.state_of_another_version(self._shown, repr(found["last9State"]), VERSION))
        return found

    def _locked(self) -> Lock:
        try:
            return Lock(self._path + ".lock", self.patience_seconds)
        except TimeoutError:
            raise Unusable(cli_messages.state_locked(self._shown)) from None
        except OSError as error:
            raise Unusable(cli_messages.state_unwritable(self._shown, _reason(error))) from None

    def _write(self, content: Content) -> None:
        text = content.text()
        if content.dropped:
            self._log.warning(cli_messages.pending_dropped(content.dropped, len(content.pending)))
        aside = f"{self._path}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
        try:
            with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, self._path)
            self.saved = True
        except OSError as error:
            with contextlib.suppress(OSError):
                os.unlink(aside)
            self._log.warning(cli_messages.state_unwritable(self._shown, _reason(error)))


def redacted(text: str, clean: Callable[[str], str]) -> str:
    """A JSON text whose strings are clean; the same text if they are. A text that is not JSON is cleaned as a whole."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return clean(text)

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {clean(name): walk(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner) for inner in value]
        return clean(value) if isinstance(value, str) else value

    cleaned = walk(found)
    return text if cleaned == found else json.dumps(cleaned, separators=(",", ":"))


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _objects(found: Any) -> list[dict[str, Any]]:
    return [item for item in _list(found) if isinstance(item, dict)]


def _is_window(found: dict[str, Any]) -> bool:
    return isinstance(found.get("id"), str) and whole(found.get("startedAtMs")) is not None and isinstance(found.get("key"), list)


def _is_running(found: dict[str, Any]) -> bool:
    texts = all(isinstance(found.get(name), str) for name in ("id", "request"))
    return texts and _WINDOW_ID.fullmatch(found["id"]) is not None and whole(found.get("startedAtMs")) is not None


def _since(entry: dict[str, Any]) -> int:
    return whole(entry.get("sinceMs")) or 0


def _failures(entry: dict[str, Any]) -> int:
    return max(0, whole(entry.get("failures")) or 0)


def _claimed(entry: dict[str, Any], now_ms: int) -> bool:
    """Whether another process is sending it now. A claim that reaches further than any time limit is a clock's mistake."""
    until = whole(entry.get("claimedUntilMs")) or 0
    return now_ms < until <= now_ms + LONGEST_CLAIM_MS
