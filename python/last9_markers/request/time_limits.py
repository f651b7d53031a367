"""How long one run may take.

Jenkins looks whether an `sh` has ended after 0.25, 0.5, … 1.59, 2.11, … 4.38, 5.45, … 10.13 s (recorded): if a process ends just after
a look, the build waits until the next. So the limits are just before a look, and include everything: the start of the interpreter,
the watchdog's answer, the end of the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from last9_markers.core.clock import Budget, Clock

if TYPE_CHECKING:
    from last9_markers.request.contract import Request

#: For a marker while Last9 does not answer, and for each one that goes along: just before the look at 2.11 s.
SHORT_SECONDS = 2.0
#: How long before the limit of a run the watchdog answers. The answer must be written and read before the process is ended the hard way.
LEAD_SECONDS = 0.3
#: What an orderly end at the very last moment may take before that.
GRACE_SECONDS = 0.1
#: How long before its limit the launcher's interval timer ends the process.
_TIMER_LEAD_SECONDS = 0.05
#: What the start of the interpreter takes if no timer says what it took.
_START_SECONDS = 0.2
#: However short a limit is, this share of it is for the work.
_LEAST_SHARE = 0.4


def budget_of(request: Request, seconds: float, clock: Clock) -> Budget:
    """The time for the work of a run that must have ended ``seconds`` after its process began. After an abort it tries once only."""
    return Budget(clock, _work(seconds, _spent(request)), once=request.after_abort)


def short(request: Request) -> float:
    """Seconds of work, from the beginning of the run, of one that must have ended after :data:`SHORT_SECONDS`."""
    return _work(SHORT_SECONDS, _spent(request))


def _work(seconds: float, spent: float) -> float:
    return max(seconds * _LEAST_SHARE, seconds - spent - LEAD_SECONDS - GRACE_SECONDS)


def _spent(request: Request) -> float:
    """What this process took to get here."""
    try:
        from signal import ITIMER_REAL, getitimer
    except ImportError:  # Windows
        return _START_SECONDS
    left = getitimer(ITIMER_REAL)[0]
    if not left or request.limit_seconds is None:
        return _START_SECONDS
    return max(0.0, request.limit_seconds - _TIMER_LEAD_SECONDS - left)
