"""Retries, budget and watchdog, on a clock turned by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from last9_markers.client import retry
from last9_markers.core.clock import Budget
from last9_markers.core.errors import DeadlineExceeded, InsufficientScope, NetworkError, RateLimited, ServerError, Transient
from last9_markers.runner.watchdog import Watchdog
from support import ManualClock


def _failing(failures: list[Exception]) -> Callable[[], str]:
    def call() -> str:
        if failures:
            raise failures.pop(0)
        return "done"

    return call


def test_three_retries_and_no_more(clock: ManualClock) -> None:
    """A failure that stays is tried three more times and raised as what it was last."""
    left: list[Exception] = [ServerError(str(number)) for number in range(9)]
    with pytest.raises(ServerError, match="2"):
        retry.retry_call(_failing(left), NetworkError("cut"), Budget.of(60, clock))
    assert len(left) == 6
    assert len(clock.slept) == 3


def test_a_final_failure_ends_it(clock: ManualClock) -> None:
    """An error that a retry cannot fix is raised at once."""
    with pytest.raises(InsufficientScope):
        retry.retry_call(_failing([InsufficientScope()]), ServerError("503"), Budget.of(60, clock))
    assert len(clock.slept) == 1


@pytest.mark.parametrize("failure", [ServerError("503"), RateLimited(), NetworkError("refused")])
@pytest.mark.parametrize("seconds", [0.05, 0.6, 3.0])
def test_pauses_never_outlast_the_budget(clock: ManualClock, failure: Transient, seconds: float) -> None:
    """No pause is begun that the budget could not wait for."""
    budget = Budget.of(seconds, clock)
    with pytest.raises(type(failure)):
        retry.retry_call(_failing([failure] * 999), failure, budget)
    assert sum(clock.slept) < seconds
    assert budget.remaining() > 0


def test_time_that_runs_out_in_a_pause_hides_no_cause(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a busy machine oversleeps, the failure that the time was spent on is reported, not the end of the time."""
    monkeypatch.setattr("backoff._sync.time", SimpleNamespace(sleep=lambda seconds: clock.sleep(seconds + 20)))
    budget = Budget.of(30, clock)

    def call() -> str:
        raise ServerError("502") if budget.remaining() else DeadlineExceeded

    with pytest.raises(ServerError, match="502"):
        retry.retry_call(call, NetworkError("refused"), budget)
    assert budget.remaining() == 0


def test_the_clock_of_the_budget_is_monotonic(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that is set back or forward during a delivery changes nothing."""
    monkeypatch.setattr(clock, "wall", lambda: 0.0)
    budget = Budget.of(10, clock)
    clock.sleep(4)
    assert budget.remaining() == 6
    assert budget.attempt_timeout() == 5
    clock.sleep(4)
    assert budget.attempt_timeout() == 2
    clock.sleep(40)
    assert budget.remaining() == 0


def test_pauses_differ() -> None:
    """Fifty engines that began together must not come back together."""
    pauses = set()
    for _ in range(20):
        generator = retry.pauses(Budget.of(60, ManualClock()))
        next(generator)
        pauses.add(generator.send(RateLimited()))
    assert len(pauses) > 10


def test_watchdog_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over the answer is given, then the process ends, never with 0, even if the answer fails."""
    ended: list[object] = []
    raised = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: raised.set())

    def word() -> int:
        ended.append("word")
        raise RuntimeError

    Watchdog(lambda: 0.0, word, ended.append)
    assert raised.wait(20)
    assert ended == ["word", 70]


def test_watchdog_that_is_called_off() -> None:
    """A delivery that ended in time is left alone."""
    ended: list[object] = []
    before = set(threading.enumerate())
    watchdog = Watchdog(lambda: 60.0, lambda: len(ended), ended.append)
    (watching,) = set(threading.enumerate()) - before
    watchdog.cancel()
    watching.join(20)
    assert not watching.is_alive()
    assert ended == []
