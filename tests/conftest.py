"""What holds for every test, of the engine and of the bundle."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Signals that whoever started the tests ignores (`nohup`, a shell's `&`) would be ignored by every process of a test, too."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
