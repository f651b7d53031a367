"""One window around one command: start, command, stop, and the command's own exit code whatever becomes of the markers."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping

from last9_markers.commandline import exits
from last9_markers.commandline.entry import Entry
from last9_markers.commandline.invocation import Invocation, ShellJournal, Window
from last9_markers.commandline.state import StateFile
from last9_markers.commands.step import engine_failed
from last9_markers.shell import abort, command
from last9_markers.shell.delivering import Delivering, Marker
from last9_markers.shell.messenger import Messenger
from last9_markers.shell.signals import ABORTING, Signals
from last9_markers.wording import commandline as wording

#: The command has ended: was that an abort that reaches us a moment later? A script whose `sleep` was ended may end well. The messenger
#: takes as long to load, so waiting costs nothing.
_AFTERMATH_SECONDS = 0.15
#: Jenkins looks whether a child has ended after 10, 30, 70, 150 … ms (core's ProcessTree: each pause is twice the one before, at most a
#: second) before it turns to the parent. So a command that took its time to clean up may have ended a second before we are told. Where it
#: failed we wait for that, and nobody waits for us; where it went well we do not hold up what comes next.
_LONGEST_LOOK_SECONDS = 1.0
#: The same for a start whose messenger was ended: there is no hurry, and the command of an aborted build shall not begin.
_BEFORE_COMMAND_SECONDS = 1.0
#: Whoever holds the state file's lock is waited for less after an abort.
_HASTY_PATIENCE_SECONDS = 0.2


class ShellWindow:
    """A window around the command ``words``, whose environment is ``environ``. ``start`` and ``stop`` are its markers."""

    def __init__(self, call: Invocation, words: list[str], environ: Mapping[str, str], signals: Signals) -> None:
        self._call = call
        self._words = words
        self._environ = environ
        self._signals = signals
        self._abort = abort.Abort(signals)
        self._state = StateFile(call.given["state"], call.journal) if call.option("state") else None
        self.window = Window(str(uuid.uuid4()), call.now_ms())
        self._delivering = Delivering(call, self.window, signals, self._abort)
        self.start = Marker()
        self.stop: Marker | None = None
        self._began = 0.0

    def run(self) -> int:
        """Start, command, stop. Returns the exit code: the command's own, whatever becomes of the markers."""
        self._carefully(self._send_start)
        number = self._abort.number
        code = self._run_command() if number is None else exits.of_signal(number)
        self._carefully(lambda: self._send_stop(code))
        self._delivering.tidy()
        failed = any(marker is not None and marker.get("failBuild") for marker in (self.start, self.stop))
        return exits.FAILED if failed and code == exits.DONE else code

    def _run_command(self) -> int:
        self._began = time.monotonic()
        code = _supervise(self._words, self._environ, self._signals, self._abort, self._call.journal, self._wait)
        if -code in ABORTING:
            self._abort.hurry()
        return exits.of_child(code)

    def _wait(self) -> None:
        patience = self._abort.patience if self.stop is None else None
        if patience == 0:
            # It was told to end and takes its time: whoever aborts will not wait for long.
            self._carefully(lambda: self._send_stop(None))
        else:
            self._abort.wait(self._abort.child, patience)

    def _send_start(self) -> None:
        at_ms, delivering = self.window.started_at_ms, self._delivering
        entry = Entry(self._state, at_ms)
        entry.write_down(delivering.time_limit(), lambda: delivering.request("start", at_ms))
        request = delivering.request("start", at_ms, entry=entry)
        messenger = delivering.begin()
        _hand_over(messenger, request)
        # Cut short by an abort, it goes along with the stop once more: the very same marker, should it have arrived.
        self.start = delivering.finish(messenger, request, entry.tried, until_abort=True)
        if _was_ended(messenger):
            self._abort.expect(_BEFORE_COMMAND_SECONDS)
        if self.start.answer is None and self._abort.number is None:
            self._call.journal.warn(wording.messenger_silent())
        entry.settle(self.start.kept, self.start.records, self.start.outages)

    def _send_stop(self, code: int | None) -> None:
        """``code`` is the command's exit code, ``None`` where it has not ended though it was told to."""
        if self.stop is not None or self.start.refused:
            return  # a window that was refused has no stop: the start's warning said it all
        self.stop = Marker()
        at_ms, delivering = max(self._call.now_ms(), self.window.started_at_ms), self._delivering
        messenger = delivering.begin()
        if self._abort.child is not None:
            self._abort.expect(self._aftermath(code))
        outcome = self._outcome(code)
        entry = Entry(self._state, at_ms, self.start.kept, self.start.outages)

        def request(along: Entry | None, *, keeps: bool) -> str:
            return delivering.request("stop", at_ms, outcome, along, keeps=keeps)

        if self._abort.ends_at is None:
            entry.write_down(delivering.time_limit(), lambda: request(None, keeps=True))
            text = request(entry, keeps=entry.kept)
            _hand_over(messenger, text)
        else:
            # First the word, then the book-keeping: we may be killed at any moment, and the messenger would live on.
            text = request(entry, keeps=self._state is not None)
            _hand_over(messenger, text)
            self._write_down_hastily(entry, text)
        own = request(None, keeps=True)
        self.stop = delivering.finish(messenger, own, entry.tried)
        if self.stop.answer is None and _was_ended(messenger) and not self._abort.given_up:
            # Whoever ends a whole build has begun with the messenger.
            self._abort.hurry()
            messenger = delivering.begin()
            _hand_over(messenger, request(entry, keeps=entry.kept))
            self.stop = delivering.finish(messenger, own, entry.tried)
        entry.settle(self.stop.kept, self.stop.records, self.stop.outages)
        self._say_what_is_lost(entry.kept)

    def _write_down_hastily(self, entry: Entry, text: str) -> None:
        if self._state is not None:
            self._state.patience_seconds = _HASTY_PATIENCE_SECONDS
        entry.write_down(abort.LAST_SECONDS, lambda: text, alone=True)

    def _say_what_is_lost(self, is_kept: bool) -> None:
        stop = self.stop or Marker()
        if stop.answer is None:
            self._call.journal.warn(wording.messenger_silent())
        if not is_kept and {kept.text for kept in self.start.kept} & {kept.text for kept in stop.kept}:
            self._call.journal.warn(wording.start_lost())

    def _aftermath(self, code: int | None) -> float:
        """How long the signal of an abort may come after the command's end, in seconds: no pause of Jenkins' is longer than all before."""
        failed = self._outcome(code) == "failure"
        return _AFTERMATH_SECONDS + (min(_LONGEST_LOOK_SECONDS, time.monotonic() - self._began) if failed else 0.0)

    def _outcome(self, code: int | None) -> str:
        if self._abort.number is not None or code in abort.CODES:
            return "aborted"
        return "failure" if code else "success"

    def _carefully(self, action: Callable[[], None]) -> None:
        """No defect of ours costs the command, its exit code or its stop."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - see above
            self._call.journal.warn(engine_failed(error, self._call.journal))


def without_markers(words: list[str], environ: Mapping[str, str], signals: Signals, journal: ShellJournal) -> int:
    """The command alone, where there can be no window. Returns its exit code."""
    bystander = abort.Abort(signals)
    return exits.of_child(_supervise(words, environ, signals, bystander, journal, lambda: bystander.wait(bystander.child, None)))


def _supervise(
    words: list[str],
    environ: Mapping[str, str],
    signals: Signals,
    aborting: abort.Abort,
    journal: ShellJournal,
    wait: Callable[[], None],
) -> int:
    """Run the command, ``wait`` again and again until it has ended. Returns `subprocess`' return code, or the one for no start."""
    try:
        child = aborting.child = command.start(words, environ, signals)
    except command.CannotStart as problem:
        journal.complain(wording.cannot_start(words[0], str(problem)))
        return problem.code
    while child.poll() is None:
        wait()
    code: int = child.returncode
    return code


def _hand_over(messenger: Messenger | None, request: str) -> None:
    if messenger is not None:
        messenger.hand_over(request)


def _was_ended(messenger: Messenger | None) -> bool:
    """Whether a signal that aborts has ended it."""
    return messenger is not None and messenger.died_of() in ABORTING
