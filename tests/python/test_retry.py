"""Retries, budget and watchdog, on a clock turned by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from last9_markers import retry
from last9_markers.clock import Budget
from last9_markers.errors import BudgetSpent, NetworkFailure, RateLimited, ScopeTooLow, ServerFailure, Transient
from last9_markers.watchdog import Watchdog
from support import HandClock


def _failing(failures: list[Exception]) -> Callable[[], str]:
    def call() -> str:
        if failures:
            raise failures.pop(0)
        return "done"

    return call


def test_three_retries_and_no_more(clock: HandClock) -> None:
    """A failure that stays is tried three more times and raised as what it was last."""
    left: list[Exception] = [ServerFailure(str(number)) for number in range(9)]
    with pytest.raises(ServerFailure, match="2"):
        retry.again(_failing(left), NetworkFailure("cut"), Budget.of(60, clock))
    assert len(left) == 6
    assert len(clock.slept) == 3


def test_a_final_failure_ends_it(clock: HandClock) -> None:
    """What trying again cannot mend is raised at once."""
    with pytest.raises(ScopeTooLow):
        retry.again(_failing([ScopeTooLow()]), ServerFailure("503"), Budget.of(60, clock))
    assert len(clock.slept) == 1


@pytest.mark.parametrize("failure", [ServerFailure("503"), RateLimited(), NetworkFailure("refused")])
@pytest.mark.parametrize("seconds", [0.05, 0.6, 3.0])
def test_pauses_never_outlast_the_budget(clock: HandClock, failure: Transient, seconds: float) -> None:
    """No pause is begun that the budget could not wait for."""
    budget = Budget.of(seconds, clock)
    with pytest.raises(type(failure)):
        retry.again(_failing([failure] * 999), failure, budget)
    assert sum(clock.slept) < seconds
    assert budget.remaining() > 0


def test_time_that_runs_out_in_a_pause_hides_no_cause(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a busy machine oversleeps, the failure that the time was spent on is told, not the end of the time."""
    monkeypatch.setattr("backoff._sync.time", SimpleNamespace(sleep=lambda seconds: clock.sleep(seconds + 20)))
    budget = Budget.of(30, clock)

    def call() -> str:
        raise ServerFailure("502") if budget.remaining() else BudgetSpent

    with pytest.raises(ServerFailure, match="502"):
        retry.again(call, NetworkFailure("refused"), budget)
    assert budget.remaining() == 0


def test_the_clock_of_the_budget_is_monotonic(clock: HandClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall clock that is set back or forward during a delivery changes nothing."""
    monkeypatch.setattr(clock, "wall", lambda: 0.0)
    budget = Budget.of(10, clock)
    clock.sleep(4)
    assert budget.remaining() == 6
    assert budget.attempt() == 5
    clock.sleep(4)
    assert budget.attempt() == 2
    clock.sleep(40)
    assert budget.remaining() == 0


def test_pauses_differ() -> None:
    """Fifty engines that began together must not come back together."""
    pauses = set()
    for _ in range(20):
        generator = retry.pauses(Budget.of(60, HandClock()))
        next(generator)
        pauses.add(generator.send(RateLimited()))
    assert len(pauses) > 10


def test_watchdog_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time is over the last word is said, then the process ends, never with 0, and that even if the word fails."""
    ended: list[object] = []
    raised = threading.Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: raised.set())

    def word() -> int:
        ended.append("word")
        raise RuntimeError

    Watchdog(0.01, word, ended.append)
    assert raised.wait(20)
    assert ended == ["word", 70]


def test_watchdog_that_is_called_off() -> None:
    """A delivery that ended in time is left alone."""
    ended: list[object] = []
    before = set(threading.enumerate())
    watchdog = Watchdog(60, lambda: len(ended), ended.append)
    (watching,) = set(threading.enumerate()) - before
    watchdog.call_off()
    watching.join(20)
    assert not watching.is_alive()
    assert ended == []
