"""Waiting for a process and for signals at once, without polling.

The signals that would end us are blocked and read one by one: none is lost, and none interrupts an operation half-way. A signal
that is ignored from outside (``nohup``, a job in the background) stays ignored.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from typing import NamedTuple, Protocol

#: Each of these signals means that the deployment must end.
ABORTING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGBREAK") if hasattr(signal, name))
#: These are for the command: a web server reloads, a copy shows its progress. Most would end us.
_FOR_THE_COMMAND = ("SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGALRM", "SIGVTALRM", "SIGPROF", "SIGIO", "SIGPWR")
PASSED_ON = tuple(getattr(signal, name) for name in _FOR_THE_COMMAND if hasattr(signal, name))
#: How often Windows is asked: it cannot report a process's end and a Ctrl-C in one wait.
_WINDOWS_PAUSE_SECONDS = 0.2


class ReceivedSignal(NamedTuple):
    """A signal. ``by_terminal``: the terminal has sent it, so that the command has had it from there."""

    number: int
    by_terminal: bool


class Signals(Protocol):
    """How to wait."""

    def wait(self, process: subprocess.Popen[bytes] | None, seconds: float | None) -> ReceivedSignal | None:
        """Until a signal comes, the process ends (``None`` then) or the time is over. It may return early with ``None``."""

    def restore(self) -> None:
        """For a child process: what was blocked here is not blocked there."""


class PosixSignals:
    """POSIX: blocked signals, taken with ``sigtimedwait``; the end of a child is a signal as well."""

    def __init__(self) -> None:
        watched = {number for number in (*ABORTING, *PASSED_ON) if signal.getsignal(number) is not signal.SIG_IGN}
        # Its default is to be dropped, even while it is blocked on some systems.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._watched = watched | {signal.SIGCHLD}
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, self._watched)

    def restore(self) -> None:
        """For a child process: what was blocked here is not blocked there."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._before)

    def wait(self, process: subprocess.Popen[bytes] | None, seconds: float | None) -> ReceivedSignal | None:
        """Until a signal comes, any child ends or the time is over."""
        if process is not None and process.poll() is not None:
            return None
        if hasattr(signal, "sigtimedwait"):
            found = signal.sigwaitinfo(self._watched) if seconds is None else signal.sigtimedwait(self._watched, max(0.0, seconds))
            if found is None or found.si_signo == signal.SIGCHLD:
                return None
            # Positive codes are the kernel's (SI_KERNEL, the terminal driver), others come from a process. A terminal that is closed
            # tells the leader of its session alone: us, if we are what `ssh -t`, `docker run -t` or a terminal window has started.
            alone = found.si_signo == signal.SIGHUP and os.getsid(0) == os.getpid()
            return ReceivedSignal(found.si_signo, found.si_code > 0 and not alone)
        return self._wait_without_details(seconds)

    def _wait_without_details(self, seconds: float | None) -> ReceivedSignal | None:
        """macOS: ``sigwait`` tells no sender, and has no time limit but an alarm."""
        alarm = signal.SIGALRM
        if seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, seconds))
        number = signal.sigwait(self._watched | {alarm})
        if seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if number == signal.SIGCHLD or (number == alarm and seconds is not None):
            return None
        return ReceivedSignal(number, number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP) and _in_foreground())


class WindowsSignals:
    """Windows: Ctrl-C and Ctrl-Break, which the console gives to every process in it."""

    def __init__(self) -> None:
        self._received: list[ReceivedSignal] = []
        for number in ABORTING:
            signal.signal(number, self._note)

    def _note(self, number: int, _frame: object) -> None:
        self._received.append(ReceivedSignal(number, True))

    def restore(self) -> None:
        """Nothing is blocked here."""

    def wait(self, process: subprocess.Popen[bytes] | None, seconds: float | None) -> ReceivedSignal | None:
        """Until a signal comes, the process ends or the time is over."""
        until = None if seconds is None else time.monotonic() + seconds
        while not self._received and (until is None or time.monotonic() < until):
            pause = _WINDOWS_PAUSE_SECONDS if until is None else min(_WINDOWS_PAUSE_SECONDS, max(0.0, until - time.monotonic()))
            if process is None:
                time.sleep(pause)
                continue
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(pause)
                break
        return self._received.pop(0) if self._received else None


def block_signals() -> PosixSignals | WindowsSignals:
    """From here on signals wait until they are asked for."""
    return PosixSignals() if hasattr(signal, "pthread_sigmask") else WindowsSignals()


def _in_foreground() -> bool:
    """Whether the terminal's keys reach our process group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
