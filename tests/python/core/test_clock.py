"""The time budget: what a further part of a run gets, and what ends it."""

from __future__ import annotations

from last9_markers.core.clock import Budget
from support import ManualClock


def test_a_granted_part_has_its_own_seconds() -> None:
    """A part with a time limit of its own gets all of it, with any time left before, and the run must end with it."""
    clock = ManualClock()
    budget = Budget.of(10, clock)
    clock.now += 9
    budget.grant(60)
    assert (budget.remaining(), budget.left_in_all(), budget.attempt_timeout()) == (60, 60, 30)
    clock.now += 61
    assert (budget.remaining(), budget.left_in_all()) == (0, 0)


def test_a_granted_part_may_be_the_shorter_one() -> None:
    """It is instead of what is left, not besides."""
    budget = Budget.of(10, ManualClock())
    budget.grant(3)
    assert (budget.remaining(), budget.left_in_all()) == (3, 3)


def test_within_a_granted_part() -> None:
    """A question within it has its own limit, the run that of the part; afterwards all is as before."""
    clock = ManualClock()
    budget = Budget.of(10, clock)
    budget.grant(60)
    with budget.within(10, once=True):
        assert (budget.remaining(), budget.left_in_all(), budget.attempt_timeout()) == (10, 60, 10)
        clock.now += 20
        assert (budget.remaining(), budget.left_in_all()) == (0, 40)
    assert (budget.remaining(), budget.left_in_all(), budget.once) == (40, 40, False)
