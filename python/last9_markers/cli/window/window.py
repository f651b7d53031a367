"""One window around one command: start, command, stop, and always the command's own exit code."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from last9_markers.cli.shared import exit_codes, gone
from last9_markers.cli.shared.invocation import CliLog, Invocation, Window
from last9_markers.cli.shared.state import SHARE_OF_LOCK, Content, StateFile
from last9_markers.cli.shared.state_entry import Change, StateEntry
from last9_markers.cli.window import abort, command
from last9_markers.cli.window.attributes_file import AttributesFile
from last9_markers.cli.window.delivery_process import DeliveryProcess
from last9_markers.cli.window.marker_delivery import MarkerDelivery, MarkerResult
from last9_markers.cli.window.signals import ABORTING, Signals
from last9_markers.messages import cli as cli_messages
from last9_markers.runner.defects import engine_failed

#: The command has ended: was that an abort that reaches us a moment later? A script whose `sleep` was ended may end well. The stop's
#: process takes as long to load, so waiting costs nothing.
_AFTERMATH_SECONDS = 0.15
#: Jenkins looks whether a child has ended after 10, 30, 70, 150 … ms (core's ProcessTree: each pause is twice the one before, at most a
#: second) before it turns to the parent. So a command that took its time to clean up may have ended a second before our signal. If it
#: failed, we wait for that, and no one waits for us; if it succeeded, we do not delay the next step.
_LONGEST_LOOK_SECONDS = 1.0
#: The same for a start whose delivery process was ended: there is no hurry, and the command of an aborted build must not begin.
_BEFORE_COMMAND_SECONDS = 1.0
#: After an abort, the wait for the state file's lock is shorter.
_HASTY_PATIENCE_SECONDS = 0.2
#: A file without a lock is written in a few milliseconds.
_WORTH_COUNTING_SECONDS = 0.1


class ShellWindow:
    """A window around the command ``words``, whose environment is ``environ``. ``start`` and ``stop`` are its markers."""

    def __init__(self, call: Invocation, words: list[str], environ: Mapping[str, str], signals: Signals) -> None:
        self._call = call
        self._words = words
        self._environ = dict(environ)
        self._signals = signals
        self._abort = abort.Abort(signals)
        self._state = StateFile(call.given["state"], call.log) if call.option("state") else None
        self.window = Window(str(uuid.uuid4()), call.now_ms())
        self._delivery = MarkerDelivery(call, self.window, signals, self._abort)
        self.start = MarkerResult()
        self.stop: MarkerResult | None = None
        self._attributes = AttributesFile(call.log)
        self._presence: gone.Presence | None = None
        self._noted: dict[str, Any] | None = None
        self._began = 0.0
        #: When the time limit of the marker at hand is over, on the monotonic clock.
        self._settle_by = 0.0

    def run(self) -> int:
        """Start, command, stop. Always returns the command's own exit code."""
        self._carefully(self._be_present)
        self._carefully(self._send_start)
        number = self._abort.number
        self._carefully(lambda: self._attributes.offer(self._environ, self.window.id))
        code = self._run_command() if number is None else exit_codes.of_signal(number)
        self._carefully(lambda: self._send_stop(code))
        self._delivery.tidy()
        self._attributes.remove()
        if self._presence is not None:
            self._presence.end()
        failed = any(marker is not None and marker.get("failBuild") for marker in (self.start, self.stop))
        return exit_codes.FAILED if failed and code == exit_codes.DONE else code

    def _run_command(self) -> int:
        self._began = time.monotonic()
        code = _supervise(self._words, self._environ, self._signals, self._abort, self._call.log, self._wait)
        if -code in ABORTING:
            self._abort.start_deadline()
        return exit_codes.of_child(code)

    def _wait(self) -> None:
        if self._presence is not None and self._abort.child is not None:
            self._presence.runs(self._abort.child.pid)
        remaining = self._abort.remaining if self.stop is None else None
        if remaining == 0:
            # It got the signal and still runs: Jenkins will not wait for long.
            self._carefully(lambda: self._send_stop(None))
        else:
            self._abort.wait(self._abort.child, remaining)

    def _be_present(self) -> None:
        """If this process is killed, the next user of the state file closes its window."""
        if self._state is None:
            return
        self._noted = gone.note(self._delivery.request("start", self.window.started_at_ms), self.window.id, self._call.environ)
        if self._noted is not None:
            self._presence = gone.Presence(self._state.path, self.window.id)
            self._noted["lock"] = self._presence.file

    def _send_start(self) -> None:
        at_ms, delivery = self.window.started_at_ms, self._delivery
        entry = StateEntry(self._state, at_ms, environ=self._call.environ)
        spent = self._save(entry, lambda: delivery.request("start", at_ms), lambda content: content.begin(self._noted))
        request = delivery.request("start", at_ms, entry=entry, spent=spent)
        delivery_process = delivery.begin("start")
        _hand_over(delivery_process, request)
        # If an abort cut it short, it is sent once more with the stop: unchanged, because it may have arrived.
        self.start = delivery.finish(delivery_process, request, entry.tried, until_abort=True)
        if _was_ended(delivery_process):
            self._abort.expect(_BEFORE_COMMAND_SECONDS)
        if delivery_process is not None and self.start.answer is None and self._abort.number is None:
            self._call.log.warning(cli_messages.delivery_process_silent(delivery.label("start")))
        self._settle(entry, self.start, self._has_ended if self.start.refused else None)

    def _send_stop(self, code: int | None) -> None:
        """``code`` is the command's exit code, ``None`` if it has not ended after the signal."""
        if self.stop is not None or self.start.refused:
            return  # a window that was refused has no stop: the start's warning said it all
        self.stop = MarkerResult()
        at_ms, delivery = max(self._call.now_ms(), self.window.started_at_ms), self._delivery
        delivery_process = delivery.begin("stop")
        if self._abort.child is not None:
            self._abort.expect(self._aftermath(code))
        outcome = self._outcome(code)
        entry = StateEntry(self._state, at_ms, self.start.kept, self.start.outages, self._call.environ)
        learned = self._attributes.read()

        def request(along: StateEntry | None, *, keeps: bool, spent: float = 0.0) -> str:
            return delivery.request("stop", at_ms, outcome, along, keeps=keeps, spent=spent, learned=learned)

        if self._abort.ends_at is None:
            spent = self._save(entry, lambda: request(None, keeps=True), self._has_ended)
            text = request(entry, keeps=entry.kept, spent=spent)
            _hand_over(delivery_process, text)
        else:
            # First the word, then the book-keeping: we may be killed at any moment, and the delivery process would live on.
            text = request(entry, keeps=self._state is not None)
            _hand_over(delivery_process, text)
            self._save_hastily(entry, text)
        own = request(None, keeps=True)
        self.stop = delivery.finish(delivery_process, own, entry.tried)
        if self.stop.answer is None and _was_ended(delivery_process) and not self._abort.given_up:
            # An abort of the whole build has begun with the delivery process.
            self._abort.start_deadline()
            delivery_process = delivery.begin("stop")
            _hand_over(delivery_process, request(entry, keeps=entry.kept))
            self.stop = delivery.finish(delivery_process, own, entry.tried)
        self._settle(entry, self.stop)
        if delivery_process is not None and self.stop.answer is None:
            self._call.log.warning(cli_messages.delivery_process_silent(delivery.label("stop")))
        self._say_what_is_lost(entry.kept)

    def _has_ended(self, content: Content) -> None:
        content.end(self.window.id)

    def _save(self, entry: StateEntry, request: Callable[[], str], change: Change) -> float:
        """Write the marker down; return the seconds that this took of its time limit."""
        began, limit = time.monotonic(), self._delivery.time_limit()
        if self._state is not None:
            self._state.wait_for_at_most(limit * SHARE_OF_LOCK)
        entry.save(limit, request, change)
        self._settle_by = began + limit
        spent = time.monotonic() - began
        return spent if spent > _WORTH_COUNTING_SECONDS else 0.0

    def _settle(self, entry: StateEntry, marker: MarkerResult, change: Change | None = None) -> None:
        if self._state is not None:
            hurried = self._abort.ends_at is not None
            self._state.wait_for_at_most(_HASTY_PATIENCE_SECONDS if hurried else self._settle_by - time.monotonic())
        entry.settle(marker.kept, marker.records, marker.outages, change)

    def _save_hastily(self, entry: StateEntry, text: str) -> None:
        if self._state is not None:
            self._state.wait_for_at_most(_HASTY_PATIENCE_SECONDS)
        entry.save(abort.LAST_SECONDS, lambda: text, self._has_ended, alone=True)

    def _say_what_is_lost(self, is_kept: bool) -> None:
        stop = self.stop or MarkerResult()
        if not is_kept and {kept.text for kept in self.start.kept} & {kept.text for kept in stop.kept}:
            self._call.log.warning(cli_messages.start_lost())

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
            self._call.log.warning(engine_failed(error, self._call.log))


def without_markers(words: list[str], environ: Mapping[str, str], signals: Signals, log: CliLog) -> int:
    """Runs the command alone, if a window is not possible. Returns its exit code."""
    bystander = abort.Abort(signals)
    return exit_codes.of_child(_supervise(words, environ, signals, bystander, log, lambda: bystander.wait(bystander.child, None)))


def _supervise(
    words: list[str],
    environ: Mapping[str, str],
    signals: Signals,
    aborting: abort.Abort,
    log: CliLog,
    wait: Callable[[], None],
) -> int:
    """Run the command, ``wait`` again and again until it has ended. Returns `subprocess`' return code, or the one for no start."""
    try:
        child = aborting.child = command.start(words, environ, signals)
    except command.CannotStart as problem:
        log.complain(cli_messages.cannot_start(words[0], str(problem)))
        return problem.code
    while child.poll() is None:
        wait()
    code: int = child.returncode
    return code


def _hand_over(delivery_process: DeliveryProcess | None, request: str) -> None:
    if delivery_process is not None:
        delivery_process.hand_over(request)


def _was_ended(delivery_process: DeliveryProcess | None) -> bool:
    """Whether a signal that aborts has ended it."""
    return delivery_process is not None and delivery_process.died_of() in ABORTING
